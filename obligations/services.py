"""Verbs on what is owed: rules, obligations, excuses, suspensions, outages, the calendar.

Periods are made and opened in `obligations.periods`. Instants are aware (UTC).
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.models import Organization, User
from core import clock, events
from core.attachments import attach
from core.models import Event
from obligations import periods, permissions
from obligations.models import (
    CalendarDay,
    CalendarYear,
    Obligation,
    Outage,
    Outcome,
    Period,
    Policy,
    Suspension,
    received_outcome,
)

events.register(
    policy_set="制定报送规则",
    policy_removed="撤回报送规则",
    obligations_released="不再报送",
    obligation_excused="谅解未报",
    excuse_withdrawn="撤销谅解",
    suspension_declared="登记停报",
    suspension_lifted="提前结束停报",
    outage_recorded="登记平台停机",
    calendar_set="调整节假日安排",
    calendar_published="登记已公布年份",
)


# --- rules


@transaction.atomic
def set_policy(*, fields: dict[str, Any], by: User, at: dt.datetime) -> Policy:
    """A new version of a rule. Periods that are already open keep theirs; unopened ones are made anew.

    Raises ValidationError: a version of that day exists, or `effective_from` lies before an open period's end.
    """
    _require(permissions.may_govern(by), "只有省推进办可以制定报送规则。")
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
    _require(permissions.may_govern(by), "只有省推进办可以撤回报送规则。")
    _not_before_open_periods(policy)
    events.record("policy_removed", policy, by=by, at=at)
    Period.objects.unopened().filter(policy=policy).delete()
    kind = policy.kind
    policy.delete()
    periods.rebuild_unopened(kind, at=at)


def _not_before_open_periods(policy: Policy) -> None:
    last = Period.objects.filter(kind=policy.kind, opened_at__isnull=False).order_by("-starts_on").first()
    if last and policy.effective_from <= last.ends_on:
        raise ValidationError(
            {
                "effective_from": f"{last.label}已经开始，规则最早可从 {last.ends_on + dt.timedelta(days=1)} 起生效。"
            }
        )


# --- obligations


def owe(
    *,
    organization: Organization,
    kind: str,
    key: str,
    title: str,
    opens_at: dt.datetime,
    due_at: dt.datetime,
    closes_at: dt.datetime | None = None,
    link: str = "",
) -> Obligation:
    """The obligation of that organisation, kind and key; the same one if it is owed already."""
    obligation, _ = Obligation.objects.get_or_create(
        organization=organization,
        kind=kind,
        key=key,
        defaults={
            "title": title,
            "opens_at": opens_at,
            "due_at": due_at,
            "closes_at": closes_at,
            "link": link,
        },
    )
    return obligation


def arrival(obligation: Obligation, received_at: dt.datetime, source: str) -> dict[str, Any]:
    """The fields that work arriving at `received_at` changes; none when it changes nothing."""
    if obligation.outcome == Outcome.PENDING:
        result = received_outcome(received_at, obligation.due_at, obligation.closes_at)
        if result:
            return {"outcome": result, "received_at": received_at, "source": source}
    if obligation.outcome in {Outcome.PENDING, Outcome.MISSED} and obligation.filled_at is None:
        return {"filled_at": received_at, "source": source}
    if obligation.outcome == Outcome.EXEMPT and obligation.received_at is None:
        return {"received_at": received_at, "source": source}
    return {}


def fulfil(
    obligation: Obligation, *, received_at: dt.datetime, source: str = Obligation.Source.PORTAL
) -> Obligation:
    """Take note that the work arrived at `received_at`; call it in the transaction that accepts the work.

    Pending becomes on time or late. Closed or missed keeps its outcome and gets `filled_at` (补报).
    Exempt stays exempt. A second call changes nothing. The conditional update is what a close that
    runs at the same instant looks at too: whichever comes first stands, and the other finds 0 rows.
    """
    while True:
        obligation.refresh_from_db()
        fields = arrival(obligation, received_at, source)
        if not fields:
            return obligation
        rows = Obligation.objects.filter(
            pk=obligation.pk, outcome=obligation.outcome, due_at=obligation.due_at
        )
        if rows.update(**fields):
            obligation.refresh_from_db()
            return obligation


@transaction.atomic
def excuse(
    obligation: Obligation,
    *,
    reason: str,
    by: User,
    at: dt.datetime,
    files: Iterable[Any] = (),
    evidence: dict[str, Any] | None = None,
) -> Obligation:
    """Excuse a missed one: still owed, still shown, skipped by the streak. Raises ValidationError.

    Evidence is files of its own, or words that name a record kept elsewhere.
    """
    _require(permissions.may_excuse(by, obligation), "只有省推进办可以谅解未报。")
    reason = reason.strip()
    if not reason:
        raise ValidationError({"reason": "请写明谅解的理由。"})
    changed = Obligation.objects.filter(pk=obligation.pk, outcome=Outcome.MISSED, excused_at=None).update(
        excused_at=at, excused_by=by, excuse_reason=reason
    )
    if not changed:
        raise ValidationError("只有已关闭且未报、尚未谅解的周期可以谅解；请刷新页面查看现状。")
    for upload in files:
        attach(target=obligation, upload=upload, by=by, at=at)
    _record_excuse(obligation, reason, by=by, at=at, evidence=evidence).save()
    obligation.refresh_from_db()
    return obligation


def _excuse_all(missed: QuerySet[Obligation], *, reason: str, by: User, at: dt.datetime) -> int:
    """Excuse those missed ones, each with its own line on its record; how many."""
    rows = list(missed.select_for_update(of=("self",)).select_related("organization").order_by("pk"))
    Obligation.objects.filter(pk__in=[row.pk for row in rows]).update(
        excused_at=at, excused_by=by, excuse_reason=reason
    )
    events.record_many(_record_excuse(row, reason, by=by, at=at) for row in rows)
    return len(rows)


def _record_excuse(
    obligation: Obligation,
    reason: str,
    *,
    by: User,
    at: dt.datetime,
    evidence: dict[str, Any] | None = None,
) -> Event:
    return events.build(
        "obligation_excused",
        obligation,
        by=by,
        at=at,
        organization_id=obligation.organization_id,
        from_state="missed",
        to_state="excused",
        changes=evidence,
        reason=reason,
    )


@transaction.atomic
def withdraw_excuse(obligation: Obligation, *, reason: str, by: User, at: dt.datetime) -> Obligation:
    """The excuse no longer holds; the missed one counts again at the next sweep. Raises ValidationError."""
    _require(permissions.may_excuse(by, obligation), "只有省推进办可以撤销谅解。")
    if not reason.strip():
        raise ValidationError({"reason": "请写明撤销谅解的理由。"})
    changed = Obligation.objects.filter(pk=obligation.pk, excused_at__isnull=False).update(
        excused_at=None, excused_by=None, excuse_reason=""
    )
    if not changed:
        raise ValidationError("该周期没有被谅解；请刷新页面查看现状。")
    events.record(
        "excuse_withdrawn",
        obligation,
        by=by,
        at=at,
        organization_id=obligation.organization_id,
        from_state="excused",
        to_state="missed",
        changes={"原谅解理由": obligation.excuse_reason},
        reason=reason.strip(),
    )
    obligation.refresh_from_db()
    return obligation


@transaction.atomic
def release(*, organization: Organization, reason: str, by: User, at: dt.datetime) -> int:
    """It owes nothing that falls due from `at` on: reports still open become exempt; how many.

    What fell due before stays owed, and so do the terms of cases.
    """
    open_reports = Obligation.objects.reports().pending().filter(organization=organization, due_at__gt=at)
    released = open_reports.update(outcome=Outcome.EXEMPT, exempt_reason=reason[:200])
    events.record(
        "obligations_released",
        organization,
        by=by,
        at=at,
        organization_id=organization.pk,
        changes={"免报": released},
        reason=reason,
    )
    return released


# --- suspensions (SX 三.6)


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
    if not organizations:
        raise ValidationError("请选择停报的范围。")
    for organization in organizations:
        _require(permissions.may_suspend(by, organization, kind), f"您无权为“{organization}”登记停报。")
    # A suspension of the past excuses what was missed, and only the office may excuse.
    today = clock.at(clock.local(at).date())
    _require(starts_at >= today or permissions.may_govern(by), "过去日期的停报只能由省推进办登记。")
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
    excused = _excuse_all(covered.counted_missed(), reason=suspension.reason, by=by, at=at)
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


@transaction.atomic
def lift_suspension(suspension: Suspension, *, by: User, at: dt.datetime) -> Suspension:
    """End it now: what falls due from now on is owed again. Raises ValidationError when it has ended."""
    _require(permissions.may_lift(by, suspension), "您无权结束这次停报，或停报已经结束。")
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


# --- outages


@transaction.atomic
def record_outage(
    *, starts_at: dt.datetime, ends_at: dt.datetime, reason: str, by: User, at: dt.datetime
) -> Outage:
    """Record or plan an outage; deadlines that it touches and that are not closed move for everybody.

    A report that was late by the old deadline and is in time by the new one becomes on time. What was
    closed as missed before the outage was recorded keeps its outcome and is excused.
    """
    _require(permissions.may_govern(by), "只有省推进办可以登记平台停机。")
    outage = Outage(starts_at=starts_at, ends_at=ends_at, reason=reason.strip(), created_by=by, created_at=at)
    outage.full_clean()
    touched = Obligation.objects.filter(due_at__gte=starts_at, due_at__lt=ends_at + periods.OUTAGE_SHADOW)
    excused = _excuse_all(touched.counted_missed(), reason=f"平台停机：{outage.reason}", by=by, at=at)
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
    loose = touched.pending().filter(period=None)
    for obligation in loose:
        due_at = periods.after_outage(obligation.due_at, starts_at, ends_at)
        Obligation.objects.filter(pk=obligation.pk).update(due_at=due_at)
    events.record(
        "outage_recorded",
        outage,
        by=by,
        at=at,
        changes={
            "顺延": "、".join(f"{p.label}至{clock.local(due):%m-%d %H:%M}" for p, due, _ in moves),
            "更正顺延": len(loose),
            "谅解": excused,
        },
        reason=outage.reason,
    )
    return outage


# --- the calendar


@transaction.atomic
def set_calendar_day(*, day: dt.date, kind: str | None, name: str, by: User, at: dt.datetime) -> None:
    """Make `day` a holiday or a make-up working day, or (kind None) an ordinary day again."""
    _require(permissions.may_govern(by), "只有省推进办可以调整节假日安排。")
    if kind is None:
        CalendarDay.objects.filter(day=day).delete()
        entry = CalendarDay(day=day, name=name)
    else:
        entry, _ = CalendarDay.objects.update_or_create(day=day, defaults={"kind": kind, "name": name})
    events.record(
        "calendar_set", entry, by=by, at=at, target_label=str(day), changes={"kind": kind, "name": name}
    )
    periods.rebuild_all_unopened(at=at)


@transaction.atomic
def publish_year(*, year: int, document: str, by: User, at: dt.datetime) -> CalendarYear:
    """The holidays of `year` are published and entered."""
    _require(permissions.may_govern(by), "只有省推进办可以登记节假日安排。")
    entry, _ = CalendarYear.objects.update_or_create(year=year, defaults={"document": document})
    events.record("calendar_published", entry, by=by, at=at, changes={"document": document})
    periods.rebuild_all_unopened(at=at)
    return entry


def _require(allowed: bool, message: str) -> None:
    if not allowed:
        raise PermissionDenied(message)


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, int | list) else str(value) for name, value in fields.items()}
