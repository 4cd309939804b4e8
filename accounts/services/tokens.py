"""Tokens of the API: made, shown once, revoked. Their instants are of real time; events keep the portal's."""

import datetime as dt
import secrets
from collections.abc import Callable, Iterable

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q

from accounts import permissions
from accounts.models import ApiToken, ApiTokenQuerySet, Scope, User
from core import clock, crypto, events

events.register(token_created="生成接口令牌", token_revoked="撤销接口令牌")  # noqa: S106 - labels

SECRET_PREFIX = "pp_"  # noqa: S105 - what every token begins with
_SHOWN = len(SECRET_PREFIX) + 6
_NOTED_EVERY = dt.timedelta(minutes=1)
# What other apps gave to an account and what ends with it: each `verb(*, user, by, at)`.
_others: list[Callable[..., None]] = []


def also_revoke(verb: Callable[..., None]) -> None:
    _others.append(verb)


@transaction.atomic
def create_token(
    *, user: User, name: str, scopes: Iterable[str], days: int, by: User, at: dt.datetime
) -> tuple[ApiToken, str]:
    """The token and its secret (256 random bits), which nobody can see again. It ends `days` (1 to 366)
    of real time from now. Raises PermissionDenied, ValidationError."""
    wanted = {Scope(scope) for scope in scopes}
    if by.pk != user.pk or user.organization is None or not wanted <= permissions.scopes_of(user):
        raise PermissionDenied("令牌只能由本人生成，且不能超出本人角色的权限。")
    if not wanted:
        raise ValidationError({"scopes": "请至少选择一项权限。"})
    if not dt.timedelta() < dt.timedelta(days=days) <= ApiToken.LONGEST:
        raise ValidationError({"days": f"有效期为 1 至 {ApiToken.LONGEST.days} 天。"})
    secret = SECRET_PREFIX + secrets.token_urlsafe(32)
    now = clock.real_now()
    token = ApiToken.objects.create(
        user=user,
        name=name,
        prefix=secret[:_SHOWN],
        digest=crypto.blind_index(secret),
        scopes=[scope.value for scope in Scope if scope in wanted],
        role=user.role,
        organization=user.organization,
        created_at=now,
        expires_at=now + dt.timedelta(days=days),
    )
    changes = {
        "令牌": f"{name}（{token.prefix}…）",
        "权限": "、".join(token.scope_labels),
        "到期": f"{clock.local(token.expires_at):%Y-%m-%d %H:%M}",
    }
    _record("token_created", token, by=by, at=at, changes=changes)
    return token, secret


@transaction.atomic
def revoke_token(*, token: ApiToken, by: User, at: dt.datetime) -> None:
    """One's own; from this instant it opens nothing. A second time changes nothing."""
    if token.user_id != by.pk:
        raise PermissionDenied("令牌只能由本人撤销。停用账号或重置密码时，其全部令牌一并撤销。")
    _revoke(ApiToken.objects.filter(pk=token.pk), by=by, at=at)


def revoke_all(*, user: User, by: User, at: dt.datetime) -> None:
    """With the account, or with its password: in the transaction that ends those."""
    _revoke(ApiToken.objects.filter(user=user), by=by, at=at)
    for verb in _others:
        verb(user=user, by=by, at=at)


def _revoke(tokens: ApiTokenQuerySet, *, by: User, at: dt.datetime) -> None:
    for token in tokens.filter(revoked_at=None).select_for_update(of=("self",)).select_related("user"):
        token.revoked_at, token.revoked_by = clock.real_now(), by
        token.save(update_fields=["revoked_at", "revoked_by"])
        _record("token_revoked", token, by=by, at=at, changes={"令牌": f"{token.name}（{token.prefix}…）"})


def _record(action: str, token: ApiToken, *, by: User, at: dt.datetime, changes: dict[str, str]) -> None:
    """On the account's timeline: that is where one looks for what it was given."""
    user = token.user
    events.record(
        action,
        user,
        by=by,
        at=at,
        organization_id=user.organization_id,
        target_label=user.label,
        changes=changes,
    )


def find_token(secret: str) -> ApiToken | None:
    """By its HMAC; one query."""
    tokens = ApiToken.objects.select_related("user__organization")
    return tokens.filter(digest=crypto.blind_index(secret)).first()


def note_use(token: ApiToken) -> None:
    """When a token was last used, to the minute: no more than one write a minute for each token."""
    now = clock.real_now()
    if token.last_used_at is None or now - token.last_used_at >= _NOTED_EVERY:
        stale = Q(last_used_at=None) | Q(last_used_at__lte=now - _NOTED_EVERY)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
