"""What would happen: shown before it is confirmed.

Where a change has consequences in many rows, the service itself is run and rolled back, so that what
is shown is what will be done.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet

from accounts.models import OrganizationQuerySet, PilotMembership
from obligations import periods, services
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
    until = policy.effective_from + dt.timedelta(weeks=policy.period_weeks * count - 1)
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
        counts = opened | _members(suspension.covered_organizations().schools(), unopened)
        touched = Period.objects.filter(pk__in=counts).order_by("due_at")
        return SuspensionEffect(
            [Exempted(period, counts[period.pk]) for period in touched],
            exempted.filter(period=None).count(),
            covered.filter(excused_at=suspension.created_at, excused_by=suspension.created_by).count(),
        )


def _members(schools: OrganizationQuerySet, unopened: QuerySet[Period]) -> dict[int, int]:
    """Period → how many of `schools` are members when it opens; one query for all."""
    opening = {
        f"p{period.pk}": Count(
            "pk",
            filter=Exists(PilotMembership.objects.as_of(period.opens_at).filter(organization=OuterRef("pk"))),
        )
        for period in unopened
    }
    return (
        {int(name[1:]): count for name, count in schools.order_by().aggregate(**opening).items()}
        if opening
        else {}
    )
