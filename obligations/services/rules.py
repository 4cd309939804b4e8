"""Verbs on the province's rules and its calendar."""

import datetime as dt
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from core import events
from core.templatetags.portal import full_day
from obligations import periods, permissions
from obligations.models import (
    CalendarDay,
    CalendarYear,
    Period,
    Policy,
)
from obligations.services.rights import require

events.register(
    policy_set="制定报送规则",
    policy_removed="撤回报送规则",
    calendar_set="调整节假日安排",
    calendar_published="登记已公布年份",
)


@transaction.atomic
def set_policy(*, fields: dict[str, Any], by: User, at: dt.datetime) -> Policy:
    """A new version of a rule. Periods that are already open keep theirs; unopened ones are made anew.

    Raises ValidationError: a version of that day exists, or `effective_from` lies before an open period's end.
    """
    require(permissions.may_govern(by), "只有省推进办可以制定报送规则。")
    policy = Policy(**fields, created_by=by, created_at=at)
    policy.full_clean()
    _not_before_open_periods(policy)
    policy.save()
    events.record("policy_set", policy, by=by, at=at, changes=_plain(fields))
    periods.rebuild_unopened(policy.kind, at=at)
    return policy


@transaction.atomic
def remove_policy(policy: Policy, *, by: User, at: dt.datetime) -> None:
    """Withdraw a version before any period was opened under it. Raises ValidationError afterwards."""
    require(permissions.may_govern(by), "只有省推进办可以撤回报送规则。")
    _not_before_open_periods(policy)
    events.record("policy_removed", policy, by=by, at=at)
    Period.objects.unopened().filter(policy=policy).delete()
    kind = policy.kind
    policy.delete()
    periods.rebuild_unopened(kind, at=at)


def _not_before_open_periods(policy: Policy) -> None:
    last = Period.objects.filter(kind=policy.kind, opened_at__isnull=False).order_by("-starts_on").first()
    if last and policy.effective_from <= last.ends_on:
        earliest = last.ends_on + dt.timedelta(days=1)
        raise ValidationError(
            {"effective_from": f"{last.label}已经开始，规则最早可从{full_day(earliest)}起生效。"}
        )


@transaction.atomic
def set_calendar_day(*, day: dt.date, kind: str | None, name: str, by: User, at: dt.datetime) -> None:
    """Make `day` a holiday or a make-up working day, or (kind None) an ordinary day again."""
    require(permissions.may_govern(by), "只有省推进办可以调整节假日安排。")
    if kind is None:
        CalendarDay.objects.filter(day=day).delete()
        entry = CalendarDay(day=day, name=name)
    else:
        entry, _ = CalendarDay.objects.update_or_create(day=day, defaults={"kind": kind, "name": name})
    events.record(
        "calendar_set", entry, by=by, at=at, target_label=full_day(day), changes={"kind": kind, "name": name}
    )
    periods.rebuild_all_unopened(at=at)


@transaction.atomic
def publish_year(*, year: int, document: str, by: User, at: dt.datetime) -> CalendarYear:
    """The holidays of `year` are published and entered."""
    require(permissions.may_govern(by), "只有省推进办可以登记节假日安排。")
    entry, _ = CalendarYear.objects.update_or_create(year=year, defaults={"document": document})
    events.record("calendar_published", entry, by=by, at=at, changes={"document": document})
    periods.rebuild_all_unopened(at=at)
    return entry


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, int | list) else str(value) for name, value in fields.items()}
