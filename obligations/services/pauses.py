"""Verbs on suspensions (SX 三.6) and outages."""

import datetime as dt
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from accounts.models import Organization, User
from core import clock, events
from obligations import periods, permissions
from obligations.models import (
    Obligation,
    ObligationKind,
    ObligationQuerySet,
    Outage,
    Outcome,
    Suspension,
)
from obligations.services.owed import excuse_all
from obligations.services.rights import require

events.register(
    suspension_declared="登记停报",
    suspension_lifted="提前结束停报",
    outage_recorded="登记平台停机",
)


@transaction.atomic
def suspend(
    *,
    kind: str,
    organizations: Iterable[Organization],
    scope_label: str,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    reason: str,
    by: User,
    at: dt.datetime,
) -> Suspension:
    """Stop the clocks of what falls due in [starts_at, ends_at) for those organisations.

    What is still pending becomes exempt. What was closed as missed keeps its outcome, which is
    frozen, and is excused with the same reason. Raises ValidationError, PermissionDenied.
    """
    organizations = list(organizations)
    _check_may_suspend(organizations, kind=kind, starts_at=starts_at, by=by, at=at)
    suspension = Suspension(
        kind=kind,
        scope_label=scope_label,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason.strip(),
        created_by=by,
        created_at=at,
    )
    suspension.full_clean()
    suspension.save()
    suspension.organizations.set(organizations)
    covered = Obligation.objects.covered_by(suspension)
    exempted = (
        covered.pending()
        .filter(closed_at=None)
        .update(outcome=Outcome.EXEMPT, exempt_reason=suspension.reason[:200])
    )
    excused = excuse_all(covered.counted_missed(), reason=suspension.reason, by=by, at=at)
    events.record(
        "suspension_declared",
        suspension,
        by=by,
        at=at,
        organization_id=organizations[0].pk if len(organizations) == 1 else None,
        changes={"免报": exempted, "谅解": excused},
        reason=suspension.reason,
    )
    return suspension


def _check_may_suspend(
    organizations: list[Organization], *, kind: str, starts_at: dt.datetime, by: User, at: dt.datetime
) -> None:
    if not organizations:
        raise ValidationError("请选择停报的范围。")
    for organization in organizations:
        require(permissions.may_suspend(by, organization, kind), f"您无权为“{organization}”登记停报。")
    # A suspension of the past excuses what was missed, and only the office may excuse.
    today = clock.at(clock.local(at).date())
    require(starts_at >= today or permissions.may_govern(by), "过去日期的停报只能由省推进办登记。")


@transaction.atomic
def lift_suspension(suspension: Suspension, *, by: User, at: dt.datetime) -> Suspension:
    """End it now: what falls due from now on is owed again. Raises ValidationError when it has ended."""
    require(permissions.may_lift(by, suspension), "您无权结束这次停报，或停报已经结束。")
    changed = Suspension.objects.filter(pk=suspension.pk, lifted_at=None, ends_at__gt=at).update(
        lifted_at=at, lifted_by=by
    )
    if not changed:
        raise ValidationError("该停报已经结束。")
    was_covered = Obligation.objects.covered_by(suspension).filter(
        Q(period=None) | Q(period__exempt_reason=""), outcome=Outcome.EXEMPT, closed_at=None, due_at__gte=at
    )
    reopened = set(was_covered.values_list("pk", flat=True))
    suspension.refresh_from_db()
    for other in Suspension.objects.filter(ends_at__gt=at, lifted_at=None):
        reopened -= set(
            Obligation.objects.covered_by(other).filter(pk__in=reopened).values_list("pk", flat=True)
        )
    Obligation.objects.filter(pk__in=reopened, received_at=None).update(
        outcome=Outcome.PENDING, exempt_reason=""
    )
    events.record("suspension_lifted", suspension, by=by, at=at, changes={"恢复应报": len(reopened)})
    return suspension


@transaction.atomic
def record_outage(
    *, starts_at: dt.datetime, ends_at: dt.datetime, reason: str, by: User, at: dt.datetime
) -> Outage:
    """Record or plan an outage; deadlines that it touches and that are not closed move for everybody.

    A report that was late by the old deadline and is in time by the new one becomes on time. What was
    closed as missed before the outage was recorded keeps its outcome and is excused.
    """
    require(permissions.may_govern(by), "只有省推进办可以登记平台停机。")
    outage = Outage(starts_at=starts_at, ends_at=ends_at, reason=reason.strip(), created_by=by, created_at=at)
    outage.full_clean()
    touched = Obligation.objects.filter(due_at__gte=starts_at, due_at__lt=ends_at + periods.OUTAGE_SHADOW)
    excused = excuse_all(touched.counted_missed(), reason=f"平台停机：{outage.reason}", by=by, at=at)
    moves = periods.outage_moves(starts_at, ends_at)
    outage.save()
    for period, due_at, closes_at in moves:
        periods.move(
            period,
            due_at=due_at,
            closes_at=closes_at,
            note=f"因平台停机（{outage.reason}）顺延",
            by=by,
            at=at,
        )
    moved, in_time = _move_loose(touched, starts_at, ends_at)
    events.record(
        "outage_recorded",
        outage,
        by=by,
        at=at,
        changes={
            "顺延": "、".join(f"{p}至{clock.local(due):%m-%d %H:%M}" for p, due, _ in moves),
            "其他事项顺延": moved,
            "其他事项改记按时": in_time,
            "谅解": excused,
        },
        reason=outage.reason,
    )
    return outage


def _move_loose(touched: ObligationQuerySet, starts_at: dt.datetime, ends_at: dt.datetime) -> tuple[int, int]:
    """Move what belongs to no period, done late or not yet done: how many, and how many are in time now."""
    # A renewal of an agreement is judged by the day on which that ends.
    loose = (
        touched.but_steps_of_rounds()
        .exclude(kind=ObligationKind.AGREEMENT)
        .filter(period=None, closed_at=None, outcome__in=[Outcome.PENDING, Outcome.LATE])
    )
    in_time = 0
    rows = list(loose)
    for obligation in rows:
        due_at = periods.after_outage(obligation.due_at, starts_at, ends_at)
        mine = Obligation.objects.filter(pk=obligation.pk)
        mine.update(due_at=due_at)
        in_time += mine.filter(outcome=Outcome.LATE, received_at__lt=due_at).update(outcome=Outcome.ON_TIME)
    return len(rows), in_time
