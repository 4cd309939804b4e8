"""Decisions: by another officer than the proposer, after the answer or the end of its time."""

import datetime as dt
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from core.templatetags.portal import closing
from obligations import services as obligations
from obligations.models import ObligationKind, Outcome
from supervision.models import Case, CaseDecision, CaseDocument
from supervision.services import papers, withdrawal
from supervision.services.procedure import owe_term
from supervision.services.telling import tell_of
from supervision.workflow import procedure

Kind = CaseDecision.Kind


@procedure.verb("case_dismiss")
@transaction.atomic
def dismiss(case: Case, *, reasons: str, by: User, at: dt.datetime) -> CaseDecision:
    """The matter ends without a consequence."""
    fresh = _perform("case_dismiss", case, reasons, by=by, at=at)
    return _decide(fresh, Kind.DISMISSED, reasons, by=by, at=at)


@procedure.verb("case_drop")
@transaction.atomic
def drop(case: Case, *, reasons: str, by: User, at: dt.datetime) -> CaseDecision:
    """The inquiry found nothing to put to the school: dismissed without a notice."""
    fresh = _perform("case_drop", case, reasons, by=by, at=at)
    return _decide(fresh, Kind.DISMISSED, reasons, by=by, at=at)


@procedure.verb("case_rectify")
@transaction.atomic
def rectify(case: Case, *, reasons: str, due_at: dt.datetime, by: User, at: dt.datetime) -> CaseDecision:
    """To be mended until `due_at`; missed, the case returns to decision. Raises ValidationError."""
    if due_at <= at:
        raise ValidationError({"due_on": "整改期限必须在今天以后。"})
    term = owe_term(case, ObligationKind.RECTIFICATION, due_at=due_at, at=at)
    fresh = _perform(
        "case_rectify",
        case,
        reasons,
        by=by,
        at=at,
        changes={"整改期限": closing(term.due_at)},
        values={"rectification_term": term},
    )
    return _decide(fresh, Kind.RECTIFY, reasons, by=by, at=at)


@procedure.verb("case_revoke")
@transaction.atomic
def revoke(case: Case, *, reasons: str, by: User, at: dt.datetime) -> CaseDecision:
    """From this instant the school is out of the pilot: membership, programmes and what it owes end."""
    fresh = _perform("case_revoke", case, reasons, by=by, at=at)
    effects = withdrawal.withdraw(fresh, by=by, at=at)
    decision = _decide(fresh, Kind.REVOKED, reasons, by=by, at=at, effects=effects)
    papers.issue(fresh, CaseDocument.Kind.CIRCULAR, by=by, at=at, decision=decision)
    withdrawal.open_follow_ups(decision, at=at)
    return decision


@procedure.verb("case_reverse")
@transaction.atomic
def reverse(case: Case, *, reasons: str, by: User, at: dt.datetime) -> CaseDecision:
    """复核: the decision falls, its record stays; what a revocation ended lives again from this instant."""
    fresh = _perform("case_reverse", case, reasons, by=by, at=at)
    fallen = fresh.current_decision
    decision = _decide(fresh, Kind.REVERSED, reasons, by=by, at=at, supersedes=fallen)
    if fallen and fallen.kind == Kind.REVOKED:
        withdrawal.restore(fresh, fallen, decision, by=by, at=at)
    return decision


@procedure.verb("case_accept")
@transaction.atomic
def accept(case: Case, *, comment: str, by: User, at: dt.datetime) -> Case:
    """What was to be mended is mended: the case is closed."""
    fresh = _perform("case_accept", case, comment, by=by, at=at)
    term = fresh.rectification_term
    if term and term.outcome == Outcome.PENDING:
        obligations.fulfil(term, received_at=at)
    tell_of(
        fresh,
        f"accepted:{fresh.rectification_term_id}",
        f"{case.organization}整改验收合格，案件办结。",
        at=at,
    )
    return fresh


@procedure.verb("case_fail")
@transaction.atomic
def fail(case: Case, *, comment: str, by: User, at: dt.datetime) -> Case:
    """What was handed in does not mend it: the case returns to decision."""
    fresh = _perform("case_fail", case, comment, by=by, at=at)
    text = f"{case.organization}整改验收不合格，案件回到决定环节。"
    tell_of(fresh, f"failed:{fresh.rectification_term_id}", text, at=at)
    return fresh


def _perform(action: str, case: Case, reasons: str, *, by: User, at: dt.datetime, **kwargs: Any) -> Case:
    if not reasons.strip():
        raise ValidationError({"reasons": "请写明理由。"})
    changes = {"依据": Case.CLAUSE} | kwargs.pop("changes", {})
    return procedure.perform(
        action,
        case,
        by=by,
        at=at,
        comment=reasons.strip(),
        changes=changes,
        organization_id=case.organization_id,
        **kwargs,
    )


def _decide(
    case: Case,
    kind: CaseDecision.Kind,
    reasons: str,
    *,
    by: User,
    at: dt.datetime,
    supersedes: CaseDecision | None = None,
    effects: dict[str, Any] | None = None,
) -> CaseDecision:
    decision = CaseDecision.objects.create(
        case=case,
        number=case.decisions.count() + 1,
        kind=kind,
        reasons=reasons.strip(),
        decided_at=at,
        decided_by=by,
        supersedes=supersedes,
        effects=effects or {},
    )
    document = papers.issue(case, CaseDocument.Kind.DECISION, by=by, at=at, decision=decision)
    text = f"对{case.organization}作出决定：{decision}（{document.number}）。决定书写明了救济途径。"
    tell_of(case, f"decided:{decision.number}", text, at=at)
    return decision
