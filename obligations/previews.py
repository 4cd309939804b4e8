"""What would happen: shown before it is confirmed.

Where a change has consequences in many rows, the service itself is run and rolled back, so that what
is shown is what will be done.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from accounts.models import OrganizationQuerySet
from obligations import periods, services
from obligations.cycles import CYCLES
from obligations.models import Obligation, Outcome, Period, Policy


@contextmanager
def dry_run() -> Iterator[None]:
    """Whatever is written inside is undone at the end."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def policy_periods(policy: Policy, *, count: int = 8) -> list[Period]:
    """The first `count` periods from an unsaved rule's `effective_from` on, as they would be made."""
    others = list(Policy.objects.filter(kind=policy.kind).exclude(pk=policy.pk))
    until = policy.effective_from
    for _ in range(count - 1):
        until = CYCLES[policy.kind].last_day(until, policy.period_weeks) + dt.timedelta(days=1)
    return periods.plan_periods([*others, policy], policy.effective_from, until)[:count]


class Change(NamedTuple):
    before: Period
    after: Period


def calendar_changes(**entry: Any) -> list[Change]:
    """Unopened periods whose instants or exemption change with a calendar day; `entry` as for the service."""
    before = _unopened()
    with dry_run():
        services.set_calendar_day(**entry)
        after = _unopened()
    return [
        Change(before[key], after[key])
        for key in before.keys() & after.keys()
        if _shown(before[key]) != _shown(after[key])
    ]


def _unopened() -> dict[tuple[str, dt.date], Period]:
    return {(period.kind, period.starts_on): period for period in Period.objects.unopened()}


def _shown(period: Period) -> tuple[object, ...]:
    return period.due_at, period.closes_at, period.exempt_reason, period.note


class Exempted(NamedTuple):
    period: Period
    organizations: int


class SuspensionEffect(NamedTuple):
    periods: list[Exempted]
    corrections: int
    excused: int


def suspension_effect(**declaration: Any) -> SuspensionEffect:
    """Which periods, and for how many organisations, a suspension exempts; `declaration` as for the service."""
    with dry_run():
        suspension = services.suspend(**declaration)
        covered = Obligation.objects.covered_by(suspension)
        exempted = covered.filter(
            outcome=Outcome.EXEMPT, closed_at=None, exempt_reason=suspension.reason[:200]
        )
        opened = dict(
            exempted.exclude(period=None).order_by().values_list("period").annotate(Count("organization"))
        )
        unopened = Period.objects.unopened().filter(
            due_at__gte=suspension.starts_at, due_at__lt=suspension.ends_at, exempt_reason=""
        )
        counts = opened | _members(suspension.covered_organizations(), unopened)
        touched = Period.objects.filter(pk__in=counts).order_by("due_at")
        return SuspensionEffect(
            [Exempted(period, counts[period.pk]) for period in touched],
            exempted.filter(period=None).count(),
            covered.filter(excused_at=suspension.created_at, excused_by=suspension.created_by).count(),
        )


def _members(covered: OrganizationQuerySet, unopened: QuerySet[Period]) -> dict[int, int]:
    """Period → how many of `covered` owe it when it opens; one query for all."""
    opening: dict[str, Any] = {
        f"p{period.pk}": Count("pk", filter=Q(pk__in=periods.owing(period).order_by().values("pk")))
        for period in unopened
    }
    return (
        {int(name[1:]): count for name, count in covered.order_by().aggregate(**opening).items() if count}
        if opening
        else {}
    )
