"""Organisations: other names, membership of the pilot, who supervises them. Kept by the office."""

import datetime as dt
from collections.abc import Callable
from typing import Any, NamedTuple

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from accounts import permissions
from accounts.models import City, Organization, OrganizationAlias, PilotMembership, User
from core import clock, events

events.register(
    alias_added="登记别名",
    alias_removed="删除别名",
    pilot_joined="加入试点",
    pilot_left="退出试点",
    organization_edited="修改机构",
)


class Ending(NamedTuple):
    """What ends with a membership above this app: `verb(organization=, left_at=, by=, at=)` ends it inside the
    transaction, `named(organization)` says in words what it would end now. The office's reason is not passed on:
    it is for those who see the organisation."""

    verb: Callable[..., None]
    named: Callable[[Organization], list[str]]


_endings: list[Ending] = []


def also_end(verb: Callable[..., None], *, named: Callable[[Organization], list[str]]) -> None:
    """Called in `AppConfig.ready` by whoever keeps it."""
    _endings.append(Ending(verb, named))


def ends_with(organization: Organization) -> list[str]:
    """What ends with its membership, a line each."""
    return [line for ending in _endings for line in ending.named(organization)]


def _guard(by: User) -> None:
    if not permissions.may_edit_organization(by):
        raise PermissionDenied("机构资料由省推进办维护。发现错误请与推进办联系。")


def _record(action: str, organization: Organization, **kwargs: Any) -> None:
    events.record(action, organization, organization_id=organization.pk, **kwargs)


def _words(instant: dt.datetime) -> str:
    return f"{clock.local(instant):%Y-%m-%d %H:%M}"


def _locked(organization: Organization) -> Organization:
    return Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)


@transaction.atomic
def add_alias(
    *, organization: Organization, name: str, source: str, by: User, at: dt.datetime
) -> OrganizationAlias:
    """Another name or code under which a source knows the organisation. Raises ValidationError."""
    _guard(by)
    name = name.strip()
    organization = _locked(organization)
    if name == organization.name or organization.aliases.filter(name=name).exists():
        raise ValidationError("该名称已登记。")
    alias = OrganizationAlias.objects.create(organization=organization, name=name, source=source)
    _record("alias_added", organization, by=by, at=at, changes={"别名": [None, name]})
    return alias


@transaction.atomic
def remove_alias(*, alias: OrganizationAlias, by: User, at: dt.datetime) -> None:
    _guard(by)
    _record("alias_removed", alias.organization, by=by, at=at, changes={"别名": [alias.name, None]})
    alias.delete()


@transaction.atomic
def join_pilot(*, organization: Organization, at: dt.datetime, by: User) -> PilotMembership:
    """In the pilot from the instant `at`. Raises ValidationError if it is in, or was after `at`."""
    _guard(by)
    organization = _locked(organization)
    if not organization.takes_part:
        raise ValidationError("只有院校和评价组织参加试点。")
    if organization.memberships.filter(left_at=None).exists():
        raise ValidationError("该机构已在试点中。")
    if organization.memberships.filter(left_at__gt=at).exists():
        raise ValidationError("加入时间早于上一次退出的时间，请改为其后的日期。")
    membership = PilotMembership.objects.create(organization=organization, joined_at=at)
    _record("pilot_joined", organization, by=by, at=clock.now(), changes={"加入时间": _words(at)})
    return membership


@transaction.atomic
def end_membership(*, organization: Organization, at: dt.datetime, by: User, reason: str) -> PilotMembership:
    """Out of the pilot from the instant `at` on, which is not ahead, with what else ends then. What it owed before
    stays. Raises ValidationError."""
    _guard(by)
    now = clock.now()
    if at > now:
        raise ValidationError("退出日期还没有到，请到当天再登记。")
    organization = _locked(organization)
    membership = organization.memberships.filter(left_at=None).first()
    if membership is None:
        raise ValidationError("该机构目前不在试点中。")
    if at <= membership.joined_at:
        raise ValidationError("退出时间必须晚于加入时间。")
    membership.left_at, membership.reason = at, reason
    membership.save(update_fields=["left_at", "reason"])
    changes = {"退出时间": _words(at)}
    _record("pilot_left", organization, by=by, at=now, changes=changes, reason=reason)
    for ending in _endings:
        ending.verb(organization=organization, left_at=at, by=by, at=now)
    return membership


@transaction.atomic
def edit_organization(
    *,
    organization: Organization,
    supervisor: Organization | None,
    city: City | None,
    by: User,
    at: dt.datetime,
) -> Organization:
    """Supervising authority and place. The authority decides scope and route, the place does not."""
    _guard(by)
    organization = _locked(organization)
    changes = {}
    for field, value in (("supervisor", supervisor), ("city", city)):
        old = getattr(organization, field)
        if old != value:
            changes[field] = [str(old) if old else None, str(value) if value else None]
            setattr(organization, field, value)
    if changes:
        organization.full_clean()
        organization.save(update_fields=list(changes))
        _record("organization_edited", organization, by=by, at=at, changes=changes)
    return organization
