"""Reporting periods: made ahead from the rule in force, opened once, moved by an outage.

A period is made of the province's weeks (Monday to Sunday), or a calendar month or half-year, whose
report opens when it is over (obligations.cycles). Its three instants are computed once, from the local
calendar, and stored.
"""

import datetime as dt
from collections.abc import Callable
from typing import NamedTuple

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Organization, OrganizationQuerySet, User
from core import clock, events
from obligations import calendar
from obligations.cycles import CYCLES, key
from obligations.models import (
    CalendarDay,
    CalendarYear,
    Obligation,
    ObligationKind,
    Outage,
    Outcome,
    Period,
    Policy,
    Suspension,
)

events.register(period_moved="顺延截止")

# Kind → who owes it, as of an instant. Those above this app register what they know.
_OWING: dict[str, Callable[[dt.datetime], OrganizationQuerySet]] = {
    ObligationKind.WEEKLY_REPORT: lambda at: Organization.objects.schools().members_at(at),
}
# A deadline this long after an outage's end was touched by it too: people lost the last hours.
OUTAGE_SHADOW = dt.timedelta(hours=2)


def register_owing(kind: str, members: Callable[[dt.datetime], OrganizationQuerySet]) -> None:
    """Who owes reports of that kind at an instant."""
    _OWING[kind] = members


def owing(period: Period) -> OrganizationQuerySet:
    """Who owes the report of that period."""
    return owing_at(period.kind, period.members_at)


def owing_at(kind: str, instant: dt.datetime) -> OrganizationQuerySet:
    """Who owes a report of that kind whose members are those of `instant`."""
    return _OWING[kind](instant)


def make_period(policy: Policy, starts_on: dt.date) -> Period:
    """The stored period that begins on that day under `policy`."""
    period = plan_period(policy, starts_on)
    Period.objects.bulk_create([period], ignore_conflicts=True)
    return Period.objects.get(kind=policy.kind, starts_on=starts_on)


class Circumstances(NamedTuple):
    """What a period is planned by besides its rule, read once for a stretch of days."""

    published: set[int]
    holidays: dict[dt.date, CalendarDay]
    outages: list[Outage]


def circumstances(first: dt.date, last: dt.date) -> Circumstances:
    return Circumstances(
        published=set(CalendarYear.objects.values_list("year", flat=True)),
        holidays=CalendarDay.objects.filter(
            day__range=(first, last), kind=CalendarDay.Kind.HOLIDAY
        ).in_bulk(),
        outages=list(_outages_over_after(clock.at(first))),
    )


def _outages_over_after(instant: dt.datetime) -> QuerySet[Outage]:
    """Those that may touch a deadline from `instant` on, each after the one before it, as they were recorded."""
    return Outage.objects.filter(ends_at__gt=instant - OUTAGE_SHADOW).order_by("starts_at")


class DueDay(NamedTuple):
    day: dt.date
    note: str = ""
    exempt_reason: str = ""


def plan_period(policy: Policy, starts_on: dt.date, known: Circumstances | None = None) -> Period:
    """An unsaved period: what `policy` makes of the time that begins on `starts_on`."""
    cycle = CYCLES[policy.kind]
    ends_on = cycle.last_day(starts_on, policy.period_weeks)
    opens_on = ends_on + dt.timedelta(days=1) if cycle.opens_after_end else starts_on
    planned_day = _planned_day(policy, ends_on)
    known = known or circumstances(starts_on, planned_day)
    due = _due_day(policy, planned_day, opens_on, known)
    period = Period(
        kind=policy.kind,
        key=key(policy.kind, starts_on),
        policy=policy,
        starts_on=starts_on,
        ends_on=ends_on,
        weeks=0 if cycle.months else policy.period_weeks,
        opens_at=clock.at(opens_on),
        due_at=clock.at(due.day, policy.due_time),
        exempt_reason=due.exempt_reason,
        note=due.note,
    )
    for outage in known.outages:
        if _touches(outage, period.due_at):
            period.due_at = after_outage(period.due_at, outage.starts_at, outage.ends_at)
            period.note = f"因平台停机（{outage.reason}）顺延"
    period.closes_at = period.due_at + dt.timedelta(hours=policy.close_after_hours)
    return period


def _planned_day(policy: Policy, ends_on: dt.date) -> dt.date:
    """The day on which a period that ends on that day falls due, holidays aside."""
    if not CYCLES[policy.kind].months:
        return ends_on + dt.timedelta(days=policy.due_weekday - 7)
    if policy.due_in == Policy.DueIn.WORKING_DAYS:
        return calendar.add_working_days(ends_on, policy.due_day)
    return ends_on + dt.timedelta(days=policy.due_day)


def _due_day(policy: Policy, day: dt.date, opens_on: dt.date, known: Circumstances) -> DueDay:
    """The day after the holiday rule: another day, or the period owes nothing. Never before it opens."""
    unknown = "" if day.year in known.published else f"{day.year}年节假日安排待公布"
    holiday = known.holidays.get(day)
    if not holiday:
        return DueDay(day, unknown)
    name = holiday.name or "节假日"
    if policy.on_holiday != Policy.OnHoliday.MOVE:
        return DueDay(day, unknown, f"截止日逢{holiday.name or '法定节假日'}")
    before = calendar.working_day_before(day)
    if before >= opens_on:
        return DueDay(before, f"截止日逢{name}，提前到前一个工作日")
    if CYCLES[policy.kind].months:
        return DueDay(
            calendar.add_working_days(day, 1), f"截止日逢{name}，此前没有工作日，顺延到下一个工作日"
        )
    return DueDay(day, unknown, f"截止日逢{holiday.name or '法定节假日'}")


def plan_periods(policies: list[Policy], starts_on: dt.date, until: dt.date) -> list[Period]:
    """Unsaved periods of one kind from `starts_on` (the first day of one) up to `until`, each under the rule
    of its first day."""
    planned: list[Period] = []
    if not policies:
        return planned
    cycle = CYCLES[policies[0].kind]
    longest = max(_planned_day(p, cycle.last_day(until, p.period_weeks)) for p in policies)
    known = circumstances(starts_on, longest)
    while starts_on <= until:
        in_force = [p for p in policies if p.effective_from <= starts_on]
        if not in_force:
            starts_on = cycle.first_day(starts_on + dt.timedelta(days=1))
            continue
        period = plan_period(max(in_force, key=lambda p: p.effective_from), starts_on, known)
        planned.append(period)
        starts_on = period.ends_on + dt.timedelta(days=1)
    return planned


def make_periods(kind: str, *, at: dt.datetime) -> None:
    """Make the periods that begin up to the cycle's `ahead` after `at` and are not there yet. May be repeated."""
    policies = list(Policy.objects.filter(kind=kind))
    if not policies:
        return
    cycle = CYCLES[kind]
    until = clock.local(at).date() + cycle.ahead
    last = Period.objects.filter(kind=kind).order_by("-starts_on").first()
    if last and last.ends_on >= until:
        return
    first = (
        last.ends_on + dt.timedelta(days=1)
        if last
        else cycle.first_day(min(p.effective_from for p in policies))
    )
    Period.objects.bulk_create(plan_periods(policies, first, until), ignore_conflicts=True)


def rebuild_unopened(kind: str, *, at: dt.datetime) -> None:
    """Throw the unopened periods away and make them again, after a change of rule or calendar."""
    Period.objects.unopened().filter(kind=kind).delete()
    make_periods(kind, at=at)


def rebuild_all_unopened(*, at: dt.datetime) -> None:
    for kind in Period.objects.unopened().values_list("kind", flat=True).distinct().order_by("kind"):
        rebuild_unopened(kind, at=at)


class Opened(NamedTuple):
    """What one opening did: whether it was this one, obligations made, how many of these exempt."""

    opened: bool
    created: int
    exempted: int


@transaction.atomic
def open_period(period: Period) -> Opened:
    """Make what the members of the instant of opening owe, once.

    Membership is asked as of `members_at`, so that opening it late gives what opening it in time gave.
    """
    period = Period.objects.select_for_update().get(pk=period.pk)
    if period.opened_at:
        return Opened(False, 0, 0)
    members = owing(period)
    exempt = _exempt_reasons(period, members)
    title = str(period)
    rows = [
        Obligation(
            organization_id=pk,
            kind=period.kind,
            key=period.key,
            title=title,
            period=period,
            opens_at=period.opens_at,
            due_at=period.due_at,
            closes_at=period.closes_at,
            outcome=Outcome.EXEMPT if pk in exempt else Outcome.PENDING,
            exempt_reason=exempt.get(pk, ""),
        )
        for pk in members.order_by("pk").values_list("pk", flat=True)
    ]
    Obligation.objects.bulk_create(rows, batch_size=2000)
    period.opened_at = period.opens_at
    period.save(update_fields=["opened_at"])
    return Opened(True, len(rows), len(exempt))


def _exempt_reasons(period: Period, members: QuerySet[Organization]) -> dict[int, str]:
    """Organisation → why it owes nothing: the holiday rule, or a suspension over the due instant."""
    if period.exempt_reason:
        return dict.fromkeys(members.values_list("pk", flat=True), period.exempt_reason)
    return suspended_at(period.due_at, members)


def suspended_at(due_at: dt.datetime, members: QuerySet[Organization]) -> dict[int, str]:
    """Organisation → why: those of `members` that a suspension covers at `due_at`."""
    reasons: dict[int, str] = {}
    for suspension in Suspension.objects.standing_at(due_at):
        covered = members.filter(pk__in=suspension.covered_organizations().values("pk"))
        reasons |= dict.fromkeys(covered.values_list("pk", flat=True), suspension.reason[:200])
    return reasons


def _touches(outage: Outage, due_at: dt.datetime) -> bool:
    return outage.starts_at <= due_at < outage.ends_at + OUTAGE_SHADOW


def after_standing_outages(due_at: dt.datetime) -> dt.datetime:
    """The deadline moved by the outages that are on record already, one after the other."""
    for outage in _outages_over_after(due_at):
        if _touches(outage, due_at):
            due_at = after_outage(due_at, outage.starts_at, outage.ends_at)
    return due_at


def after_outage(due_at: dt.datetime, starts_at: dt.datetime, ends_at: dt.datetime) -> dt.datetime:
    """The deadline moved by as much time as the outage took, counted from when both were over."""
    return max(due_at, ends_at) + min(ends_at - starts_at, dt.timedelta(hours=24))


def outage_moves(
    starts_at: dt.datetime, ends_at: dt.datetime
) -> list[tuple[Period, dt.datetime, dt.datetime]]:
    """(period, new due, new close) of the periods whose deadline an outage in [starts_at, ends_at) touches."""
    touched = Period.objects.filter(
        closed_at=None, due_at__gte=starts_at, due_at__lt=ends_at + OUTAGE_SHADOW
    ).select_related("policy")
    moves = []
    for period in touched.order_by("due_at"):
        due_at = after_outage(period.due_at, starts_at, ends_at)
        moves.append((period, due_at, due_at + dt.timedelta(hours=period.policy.close_after_hours)))
    return moves


@transaction.atomic
def move(
    period: Period, *, due_at: dt.datetime, closes_at: dt.datetime, note: str, by: User, at: dt.datetime
) -> None:
    """Move an unclosed period's deadline for everybody; the late that are in time now become on time.

    The event keeps the instants that stood before: a record as of an earlier day needs them.
    """
    period = Period.objects.select_for_update().get(pk=period.pk)
    changes = {
        "截止": [clock.local(period.due_at).isoformat(), clock.local(due_at).isoformat()],
        "关闭": [clock.local(period.closes_at).isoformat(), clock.local(closes_at).isoformat()],
    }
    events.record("period_moved", period, by=by, at=at, changes=changes, reason=note)
    mine = Obligation.objects.filter(period=period, closed_at=None)
    mine.filter(due_at=period.due_at).update(due_at=due_at, closes_at=closes_at)
    mine.filter(outcome=Outcome.LATE, received_at__lt=due_at).update(outcome=Outcome.ON_TIME)
    period.due_at, period.closes_at, period.note = due_at, closes_at, note[:200]
    period.save(update_fields=["due_at", "closes_at", "note"])
