"""Verbs on what is owed: owing, fulfilling, excusing, releasing."""

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Organization, User
from core import events
from core.attachments import attach
from core.models import Event
from obligations import periods, permissions
from obligations.models import (
    STEPS_OF_ROUNDS,
    Obligation,
    ObligationKind,
    Outcome,
    received_outcome,
)
from obligations.services.rights import require

events.register(
    obligations_released="未到期的事项不再要求",
    obligation_excused="谅解未报",
    excuse_withdrawn="撤销谅解",
)


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
    """The obligation of that organisation, kind and key; the same one if it is owed already.

    Outages and suspensions on record do to it what they did to those that were owed before them.
    """
    if kind not in STEPS_OF_ROUNDS:
        due_at = periods.after_standing_outages(due_at)
    exempt_reason = _suspended(organization, due_at) if kind == ObligationKind.CORRECTION else ""
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
            "outcome": Outcome.EXEMPT if exempt_reason else Outcome.PENDING,
            "exempt_reason": exempt_reason,
        },
    )
    return obligation


def _suspended(organization: Organization, due_at: dt.datetime) -> str:
    """Why a report due then is not owed; empty when it is."""
    alone = Organization.objects.filter(pk=organization.pk)
    return periods.suspended_at(due_at, alone).get(organization.pk, "")


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
    require(permissions.may_excuse(by, obligation), "只有省推进办可以谅解未报。")
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


def excuse_all(missed: QuerySet[Obligation], *, reason: str, by: User, at: dt.datetime) -> int:
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
    require(permissions.may_excuse(by, obligation), "只有省推进办可以撤销谅解。")
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
def release(
    *,
    organization: Organization,
    reason: str,
    by: User,
    at: dt.datetime,
    keep: Collection[str] = (),
) -> int:
    """It owes nothing that falls due from `at` on: what is still open becomes exempt; how many.

    What fell due before stays owed, and so do the terms of cases and the kinds in `keep`.
    """
    still_open = (
        Obligation.objects.but_case_terms()
        .pending()
        .filter(organization=organization, due_at__gt=at)
        .exclude(kind__in=keep)
    )
    exempt = {"outcome": Outcome.EXEMPT, "exempt_reason": reason[:200]}
    reports = still_open.reports().update(**exempt)
    others = still_open.update(**exempt)
    events.record(
        "obligations_released",
        organization,
        by=by,
        at=at,
        organization_id=organization.pk,
        changes={"免报": reports, "不再办理": others},
        reason=reason,
    )
    return reports + others
