"""The sweep's verb. The streak is told from above: `flag` is called, supervision never asks."""

import datetime as dt
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db import transaction
from django.urls import reverse

from accounts.models import Organization
from core import events, links
from core.events import JOB
from core.notices import Message, digest, tell
from obligations.models import Obligation
from supervision.models import Case, CaseEvidence
from supervision.services.telling import watchers

events.register(case_flagged="自动触发案件", evidence_added="追加证据")


class Finding(NamedTuple):
    """One organisation's ground for a case: the missed obligations in time order."""

    organization: Organization
    obligations: list[Obligation]
    spans_exempt: bool


@transaction.atomic
def flag(findings: Iterable[Finding], *, ground: str, flagged_at: dt.datetime, at: dt.datetime) -> int:
    """Open one case per organisation that has no open one on `ground`; the number opened.

    Where one is open already, only what is new is added to its evidence. Obligations carry their
    `period`, organisations their supervisor's id. May be repeated.
    """
    findings = list(findings)
    ids = [f.organization.pk for f in findings]
    open_cases = Case.objects.undecided().filter(ground=ground, organization__in=ids)
    known = set(open_cases.values_list("organization_id", flat=True))
    fresh = [f for f in findings if f.organization.pk not in known]
    Case.objects.bulk_create(
        [
            Case(
                organization=f.organization, ground=ground, flagged_at=flagged_at, spans_exempt=f.spans_exempt
            )
            for f in fresh
        ],
        ignore_conflicts=True,
    )
    cases = {case.organization_id: case for case in open_cases.all().select_related("organization")}
    _add_evidence(findings, cases, at=at)
    opened = [cases[f.organization.pk] for f in fresh]
    events.record_many(
        events.build(
            "case_flagged",
            case,
            by=JOB,
            at=at,
            organization_id=case.organization_id,
            to_state=case.state,
            reason=Case.CLAUSE,
        )
        for case in opened
    )
    _tell_of(opened, at=at)
    return len(opened)


def _add_evidence(findings: list[Finding], cases: dict[int, Case], *, at: dt.datetime) -> None:
    evidence = CaseEvidence.objects.filter(case__in=[case.pk for case in cases.values()]).order_by()
    held = set(evidence.values_list("case_id", "obligation_id"))
    new = [
        CaseEvidence(case=cases[f.organization.pk], obligation=o, frozen=frozen(o), added_at=at)
        for f in findings
        for o in f.obligations
        if (cases[f.organization.pk].pk, o.pk) not in held
    ]
    CaseEvidence.objects.bulk_create(new, ignore_conflicts=True, batch_size=1000)
    grown = {case_id for case_id, _ in held}
    events.record_many(
        events.build(
            "evidence_added",
            e.case,
            by=JOB,
            at=at,
            organization_id=e.case.organization_id,
            changes={"周期": e.frozen["period"]},
        )
        for e in new
        if e.case_id in grown
    )
    spanning = [cases[f.organization.pk].pk for f in findings if f.spans_exempt]
    Case.objects.filter(pk__in=spanning, spans_exempt=False).update(spans_exempt=True)


def frozen(obligation: Obligation) -> dict[str, Any]:
    """What the record said when the evidence was taken; instants as ISO text in UTC."""
    period = obligation.period
    return {
        "obligation": obligation.pk,
        "period": period.label if period else obligation.key,
        "key": obligation.key,
        "weeks": period.weeks if period else 1,
        "starts_on": period.starts_on.isoformat() if period else "",
        "ends_on": period.ends_on.isoformat() if period else "",
        "due_at": obligation.due_at.isoformat(),
        "closes_at": obligation.closes_at.isoformat() if obligation.closes_at else "",
        "outcome": obligation.outcome,
        "filled_at": obligation.filled_at.isoformat() if obligation.filled_at else "",
        "excused_at": obligation.excused_at.isoformat() if obligation.excused_at else "",
    }


def _tell_of(cases: list[Case], *, at: dt.datetime) -> None:
    if not cases:
        return
    people = watchers(case.organization for case in cases)
    address = links.pattern("supervision:case-detail")
    messages = [
        Message(
            user_id,
            f"case:{case.pk}:flagged",
            f"{case.organization}连续三周未报周报，已自动触发案件（{Case.CLAUSE}）。",
            address.format(case.pk),
            important=True,
        )
        for case in cases
        for user_id in people[case.organization_id]
    ]
    tell(
        digest(
            messages,
            key=f"cases:{at:%Y%m%d%H%M}",
            summary=f"{{count}} 所院校连续三周未报周报，已自动触发案件（{Case.CLAUSE}）。",
            link=reverse("supervision:case-list"),
        ),
        at=at,
    )
