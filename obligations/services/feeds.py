"""Verbs on the calendar address: made, renewed, revoked. Instants are aware (UTC)."""

import datetime as dt
import secrets

from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts.models import User
from accounts.services import tokens
from core import crypto, events
from obligations import permissions
from obligations.models import CalendarFeed
from obligations.services.rights import require

events.register(calendar_feed_made="生成日历订阅地址", calendar_feed_revoked="停用日历订阅地址")


@transaction.atomic
def make_feed(*, user: User, by: User, at: dt.datetime) -> str:
    """The secret (256 random bits) of a new address, which nobody can see again; an earlier one ends with it.

    Raises PermissionDenied.
    """
    organization = user.organization
    may = by.pk == user.pk and permissions.may_see_deadlines(user)
    if not may or organization is None:
        raise PermissionDenied("订阅地址由本人生成，只包含本人可以查看的截止事项。")
    # Two tabs at once: the second waits here, and then renews what the first made.
    User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    _revoke(user, by=by, at=at)
    secret = secrets.token_urlsafe(32)
    CalendarFeed.objects.create(
        user=user,
        digest=crypto.blind_index(secret),
        role=user.role,
        organization=organization,
        created_at=at,
    )
    _record("calendar_feed_made", user, by=by, at=at)
    return secret


@transaction.atomic
def revoke_feed(*, user: User, by: User, at: dt.datetime) -> bool:
    """From this instant the address opens nothing; False when there was none."""
    require(by.pk == user.pk, "订阅地址由本人停用；停用账号或重置密码时一并停用。")
    return _revoke(user, by=by, at=at)


def _revoke(user: User, *, by: User, at: dt.datetime) -> bool:
    ended = CalendarFeed.objects.standing().filter(user=user).update(revoked_at=at, revoked_by=by)
    if ended:
        _record("calendar_feed_revoked", user, by=by, at=at)
    return bool(ended)


def end_with_account(*, user: User, by: User, at: dt.datetime) -> None:
    """With the account, or with its password: in the transaction that ends those."""
    _revoke(user, by=by, at=at)


def find_feed(secret: str) -> CalendarFeed | None:
    """The open one of this secret, by its HMAC; one query."""
    feeds = CalendarFeed.objects.standing().select_related("user__organization", "organization")
    feed = feeds.filter(digest=crypto.blind_index(secret)).first()
    return feed if feed and feed.is_open else None


def _record(action: str, user: User, *, by: User, at: dt.datetime) -> None:
    """On the account's timeline, where one looks for what it was given."""
    events.record(action, user, by=by, at=at, organization_id=user.organization_id, target_label=user.label)


tokens.also_revoke(end_with_account)
