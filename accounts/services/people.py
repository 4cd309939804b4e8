"""Accounts: made, kept, ended, handed over. Each change is an event in the same transaction."""

import datetime as dt
import secrets
from collections.abc import Callable
from typing import Any

from axes.utils import reset as reset_lockout
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import permissions, second_factor
from accounts.models import Organization, Role, User
from accounts.services.tokens import revoke_all
from core import events

events.register(
    signed_in="登录",
    account_created="开通账号",
    account_edited="修改账号资料",
    account_ended="停用账号",
    account_restored="恢复账号",
    account_unlocked="解除锁定",
    account_handed_over="移交账号",
    password_changed="修改密码",  # noqa: S106 - a label
    password_reset="重置密码",  # noqa: S106 - a label
    mobile_revealed="查看手机号",
    second_factor_enrolled="绑定第二因素",
    second_factor_reset="重置第二因素",
)

# Without the letters and digits that are misread from paper: 0 O 1 l I.
_LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
BACKUP_CODES = 10
# What other apps gave a person to do: each `verb(*, user, by, at)` passes it on to `user.successor`, or takes
# it back where there is none.
_given: list[Callable[..., None]] = []


def also_pass_on(verb: Callable[..., None]) -> None:
    _given.append(verb)


def one_time_password() -> str:
    """Three groups of four, to be read out or written down, and changed at first sign-in."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))


def _guard(allowed: bool, reason: str) -> None:
    if not allowed:
        raise PermissionDenied(reason)


def _locked(user: User) -> User:
    return User.objects.select_for_update(of=("self",)).select_related("organization").get(pk=user.pk)


def _record(action: str, user: User, **kwargs: Any) -> None:
    events.record(action, user, organization_id=user.organization_id, target_label=user.label, **kwargs)


@transaction.atomic
def create_account(
    *,
    username: str,
    name: str,
    role: str,
    organization: Organization,
    by: User,
    at: dt.datetime,
    email: str = "",
    mobile: str = "",
) -> tuple[User, str]:
    """The account and its one-time password, which nobody can see again. Raises PermissionDenied,
    ValidationError (name taken; the school has a stand-in already)."""
    _guard(role in permissions.assignable_roles(by, organization), "您不能为该机构开通这一角色的账号。")
    stands_in = permissions.only_stand_in(by, organization)
    if stands_in:
        # Two at once for one school wait for each other here.
        Organization.objects.select_for_update().get(pk=organization.pk)
        if User.objects.active().filter(organization=organization, is_stand_in=True).exists():
            raise ValidationError("本校已有一名代理人。请先停用现有代理人账号，再开通新的。")
    password = one_time_password()
    user = User(
        username=username,
        name=name,
        role=role,
        organization=organization,
        email=email,
        mobile=mobile,
        is_stand_in=stands_in,
        must_change_password=True,
        created_at=at,
        created_by=by,
    )
    user.set_password(password)
    user.full_clean(exclude=["password"])
    user.save()
    _record("account_created", user, by=by, at=at, changes={"role": [None, Role(role).label]})
    return user, password


@transaction.atomic
def edit_account(*, user: User, fields: dict[str, Any], by: User, at: dt.datetime) -> User:
    """Name, e-mail, mobile, mail notices. The event names the mobile as changed, never its digits."""
    _guard(permissions.may_edit(by, user), "您不能修改这个账号。")
    user = _locked(user)
    changes = {}
    for field in ("name", "email", "mobile", "mail_notices"):
        if field in fields and getattr(user, field) != fields[field]:
            hidden = field == "mobile"
            changes[field] = ["***", "***"] if hidden else [getattr(user, field), fields[field]]
            setattr(user, field, fields[field])
    if changes:
        user.save(update_fields=list(changes))
        _record("account_edited", user, by=by, at=at, changes=changes)
    return user


def _end(user: User, *, by: User, at: dt.datetime) -> None:
    # Without a usable password no session of the account stays valid, even if it comes back later.
    user.set_unusable_password()
    user.is_active = False
    user.ended_at, user.ended_by = at, by
    user.save(update_fields=["password", "is_active", "ended_at", "ended_by", "successor"])
    revoke_all(user=user, by=by, at=at)
    for verb in _given:
        verb(user=user, by=by, at=at)


@transaction.atomic
def deactivate(*, user: User, reason: str, by: User, at: dt.datetime) -> User:
    """End an account and its sessions; a second time changes nothing."""
    _guard(permissions.may_manage(by, user), "您不能停用这个账号。")
    user = _locked(user)
    if user.is_active:
        _end(user, by=by, at=at)
        _record("account_ended", user, by=by, at=at, reason=reason)
    return user


@transaction.atomic
def reactivate(*, user: User, by: User, at: dt.datetime) -> str:
    """Bring an ended account back; returns a new one-time password. Raises ValidationError."""
    _guard(permissions.may_manage(by, user), "您不能恢复这个账号。")
    user = _locked(user)
    if user.is_active:
        raise ValidationError("该账号正在使用，无需恢复。")
    if user.successor_id:
        raise ValidationError("该账号已移交接任人，不能恢复。请为本人另开新账号。")
    if user.is_stand_in:
        _refuse_second_stand_in(user)
    user.is_active, user.ended_at, user.ended_by = True, None, None
    user.save(update_fields=["is_active", "ended_at", "ended_by"])
    password = _set_one_time_password(user)
    _record("account_restored", user, by=by, at=at)
    return password


def _refuse_second_stand_in(user: User) -> None:
    others = User.objects.active().filter(organization=user.organization_id, is_stand_in=True)
    if others.exclude(pk=user.pk).exists():
        raise ValidationError("本校已有一名代理人。请先停用现有代理人账号。")


def _set_one_time_password(user: User) -> str:
    password = one_time_password()
    user.set_password(password)
    user.must_change_password = True
    user.save(update_fields=["password", "must_change_password"])
    return password


@transaction.atomic
def reset_password(*, user: User, by: User, at: dt.datetime) -> str:
    """A new one-time password; the account's sessions and tokens end."""
    _guard(permissions.may_manage(by, user), "您不能重置这个账号的密码。")
    user = _locked(user)
    if not user.is_active:
        raise ValidationError("该账号已停用，请先恢复。")
    password = _set_one_time_password(user)
    reset_lockout(username=user.username)
    revoke_all(user=user, by=by, at=at)
    _record("password_reset", user, by=by, at=at)
    return password


@transaction.atomic
def change_password(*, user: User, password: str, at: dt.datetime) -> None:
    """One's own; the account's other sessions end."""
    user.set_password(password)
    user.must_change_password = False
    user.save(update_fields=["password", "must_change_password"])
    _record("password_changed", user, by=user, at=at)


@transaction.atomic
def unlock(*, user: User, by: User, at: dt.datetime) -> None:
    _guard(permissions.may_unlock(by, user), "只有推进办可以解除锁定。")
    reset_lockout(username=user.username)
    _record("account_unlocked", user, by=by, at=at)


@transaction.atomic
def reveal_mobile(*, user: User, by: User, at: dt.datetime, reason: str = "") -> str:
    """The number in clear; that it was looked at goes on record."""
    _guard(permissions.may_reveal_mobile(by, user), "您不能查看这个手机号。")
    _record("mobile_revealed", user, by=by, at=at, reason=reason)
    return user.mobile


@transaction.atomic
def hand_over(
    *,
    user: User,
    by: User,
    at: dt.datetime,
    stand_in: User | None = None,
    fields: dict[str, str] | None = None,
) -> tuple[User, str | None]:
    """End `user` in favour of a successor in the same role and organisation.

    The successor is the existing stand-in, or a new account from `fields` (username, name, email,
    mobile), whose one-time password is returned. What the predecessor did keeps the old name; what he or she
    had still to do goes to the successor.
    Raises PermissionDenied, ValidationError.
    """
    _guard(permissions.may_hand_over(by, user), "您不能移交这个账号。")
    user = _locked(user)
    if not user.is_active or user.organization is None:
        raise ValidationError("该账号已停用或已移交。")
    password = None
    if stand_in is not None:
        successor = _promoted(stand_in, predecessor=user)
    else:
        _guard(permissions.may_manage(by, user), "您只能移交给本校已有的代理人；另行指定联系人请找主管部门。")
        successor, password = create_account(
            **(fields or {}), role=user.role, organization=user.organization, by=by, at=at
        )
    user.successor = successor
    _end(user, by=by, at=at)
    _record("account_handed_over", user, by=by, at=at, changes={"successor": [None, successor.name]})
    return successor, password


def _promoted(stand_in: User, *, predecessor: User) -> User:
    stand_in = _locked(stand_in)
    fits = (
        stand_in.is_active
        and stand_in.is_stand_in
        and stand_in.organization_id == predecessor.organization_id
        and predecessor.role == Role.SCHOOL_CONTACT
    )
    if not fits:
        raise ValidationError("接任人必须是本校现有的代理人。")
    stand_in.is_stand_in = False
    stand_in.save(update_fields=["is_stand_in"])
    return stand_in


@transaction.atomic
def enrol_second_factor(*, user: User, key: str, step: int, at: dt.datetime) -> tuple[TOTPDevice, list[str]]:
    """Bind the authenticator whose code for `step` was right; returns ten backup codes, shown once."""
    second_factor.forget(user)
    device = TOTPDevice.objects.create(user=user, name="验证器", key=key, last_t=step)
    backup = StaticDevice.objects.create(user=user, name="备用码")
    codes = [StaticToken.random_token() for _ in range(BACKUP_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=backup, token=code) for code in codes)
    _record("second_factor_enrolled", user, by=user, at=at)
    return device, codes


@transaction.atomic
def reset_second_factor(*, user: User, by: User, at: dt.datetime) -> None:
    """The next sign-in enrols anew."""
    _guard(permissions.may_reset_second_factor(by, user), "只有推进办可以重置他人的第二因素。")
    second_factor.forget(user)
    _record("second_factor_reset", user, by=by, at=at)


@transaction.atomic
def record_sign_in(*, user: User, at: dt.datetime) -> None:
    # Django has just written the real time: pages show it beside instants of the portal's clock.
    user.last_login = at
    user.save(update_fields=["last_login"])
    _record("signed_in", user, by=user, at=at)
