"""From a case's opening to the end of the time to answer."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.urls import reverse

from accounts.models import Organization, PilotMembership, User
from core import clock, events
from core.attachments import attach
from core.events import JOB
from core.templatetags.portal import closing
from core.workflow import NotNow
from obligations import services as obligations
from obligations.calendar import add_working_days
from obligations.closing import miss
from obligations.models import Obligation, ObligationKind
from supervision.evidence import standing_evidence
from supervision.models import Case, CaseDocument
from supervision.permissions import may_handle
from supervision.services import papers
from supervision.services.telling import tell_of
from supervision.workflow import procedure

events.register(
    case_opened="登记案件",
    streak_confirmed="确认属于连续三周",
    platform_certified="核实国家平台没有填报",
)

ANSWER_WORKING_DAYS = 7
END_OF_DAY = dt.time(18)


def require_office(by: User) -> None:
    if not may_handle(by):
        raise PermissionDenied(f"案件由省推进办办理（{Case.CLAUSE}：由省级教育行政部门取消）。")


@transaction.atomic
def open_case(
    *,
    organization: Organization,
    ground: str,
    facts: str,
    by: User,
    at: dt.datetime,
    files: Iterable[Any] = (),
) -> Case:
    """A case by hand, on a ground other than the three weeks. Raises ValidationError."""
    require_office(by)
    if ground == Case.Ground.NOT_REPORTING:
        raise ValidationError({"ground": "“连续三周不填报周报”由平台按未报记录自动触发，不手工登记。"})
    if not PilotMembership.objects.as_of(at).filter(organization=organization).exists():
        raise ValidationError({"organization": "该校现在不在试点中，没有可以取消的试点资格。"})
    if Case.objects.undecided().filter(organization=organization, ground=ground).exists():
        raise ValidationError({"ground": "该校已有同一情形的未结案件，请在原案中补充证据。"})
    if not facts.strip():
        raise ValidationError({"facts": "请写明事实。"})
    case = Case.objects.create(
        organization=organization, ground=ground, facts=facts.strip(), flagged_at=at, opened_by=by
    )
    events.record(
        "case_opened",
        case,
        by=by,
        at=at,
        organization_id=organization.pk,
        to_state=case.state,
        changes={"情形": case.get_ground_display(), "依据": Case.CLAUSE, "事实": case.facts},
    )
    for upload in files:
        attach(target=case, upload=upload, by=by, at=at)
    tell_of(case, "opened", f"推进办登记案件：{case}（{Case.CLAUSE}）。", at=at)
    return case


@transaction.atomic
def add_evidence_files(case: Case, *, files: Iterable[Any], by: User, at: dt.datetime) -> None:
    """More evidence, before it is put to the school. Raises NotNow afterwards."""
    require_office(by)
    fresh = Case.objects.select_for_update().get(pk=case.pk)
    # What is put to the school does not change afterwards.
    if fresh.state not in {Case.State.FLAGGED, Case.State.INVESTIGATING}:
        raise NotNow([f"现在是“{fresh.get_state_display()}”；告知书发出之后不再补充证据材料。"])
    for upload in files:
        attach(target=case, upload=upload, by=by, at=at)


@procedure.verb("case_investigate")
@transaction.atomic
def investigate(case: Case, *, by: User, at: dt.datetime, comment: str = "") -> Case:
    return _perform("case_investigate", case, by=by, at=at, comment=comment)


@transaction.atomic
def confirm_streak(case: Case, *, reason: str, by: User, at: dt.datetime) -> Case:
    """An officer holds that weeks with exempt ones between them are still 连续三周. Raises ValidationError."""
    require_office(by)
    _require_reason(reason)
    fresh = _lock_undecided(case)
    standing = standing_evidence(fresh)
    if not standing.skipped:
        raise ValidationError("这几周之间没有免报或已谅解的周，不需要确认。")
    Case.objects.filter(pk=case.pk).update(exempt_confirmed_at=at)
    changes = {
        "未报": [e.frozen["period"] for e in standing.run],
        "其间": [f"{o.title}（{o.get_outcome_display()}）" for o in standing.skipped],
        "依据": Case.CLAUSE,
    }
    _record("streak_confirmed", case, by=by, at=at, changes=changes, reason=reason.strip())
    case.refresh_from_db()
    return case


@transaction.atomic
def certify_platform(
    case: Case, *, reason: str, by: User, at: dt.datetime, files: Iterable[Any] = ()
) -> Case:
    """An officer has looked: nothing was filed on the national platform for the weeks in evidence now."""
    require_office(by)
    _require_reason(reason)
    _lock_undecided(case)
    for upload in files:
        attach(target=case, upload=upload, by=by, at=at)
    Case.objects.filter(pk=case.pk).update(certified_at=at)
    weeks = [e.frozen["period"] for e in case.evidence.all()]
    _record("platform_certified", case, by=by, at=at, changes={"周期": weeks}, reason=reason.strip())
    case.refresh_from_db()
    return case


@procedure.verb("case_notify")
@transaction.atomic
def notify(
    case: Case, *, by: User, at: dt.datetime, days: int = ANSWER_WORKING_DAYS, comment: str = ""
) -> Case:
    """Put the facts and the clause to the school; it may answer within `days` working days, until 18:00
    of the last. Whoever does this is the proposer."""
    if days < 1:
        raise ValidationError({"days": "陈述申辩的期限至少一个工作日。"})
    due_at = clock.at(add_working_days(clock.local(at).date(), days), END_OF_DAY)
    term = owe_term(case, ObligationKind.CASE_ANSWER, due_at=due_at, at=at)
    fresh = _perform(
        "case_notify",
        case,
        by=by,
        at=at,
        comment=comment,
        changes={"依据": Case.CLAUSE, "陈述申辩期限": f"{days}个工作日，至{closing(term.due_at)}"},
        values={"proposer": by, "notified_at": at, "answer_term": term},
    )
    document = papers.issue(fresh, CaseDocument.Kind.NOTICE, by=by, at=at, days=days)
    text = f"已向{case.organization}发出{document}；可在{closing(term.due_at)}前陈述申辩（{Case.CLAUSE}）。"
    tell_of(fresh, "notified", text, at=at)
    return fresh


def owe_term(case: Case, kind: ObligationKind, *, due_at: dt.datetime, at: dt.datetime) -> Obligation:
    """The school owes its answer or its rectification until `due_at`; the obligation keeps the clock."""
    count = Obligation.objects.filter(
        organization=case.organization_id, kind=kind, key__startswith=f"case{case.pk}-"
    ).count()
    return obligations.owe(
        organization=case.organization,
        kind=kind,
        key=f"case{case.pk}-{count + 1}",
        title=f"{kind.label}（{case.get_ground_display()}）",
        opens_at=at,
        due_at=due_at,
        link=reverse("supervision:statement", args=[case.pk]),
    )


def advance(*, at: dt.datetime) -> int:
    """What the clock does to cases whose terms are over; how many. May be repeated, by two workers too."""
    due = Case.objects.filter(
        state=Case.State.NOTIFIED, answer_term__outcome="pending", answer_term__due_at__lte=at
    ) | Case.objects.filter(
        state=Case.State.RECTIFYING,
        rectification_term__outcome="pending",
        rectification_term__due_at__lte=at,
    )
    return sum(_step(case, at=at) for case in due.select_related("organization").order_by("pk"))


def _step(case: Case, *, at: dt.datetime) -> bool:
    answering = case.state == Case.State.NOTIFIED
    try:
        procedure.run("case_lapse" if answering else "case_overdue", case, at=at)
    except NotNow:  # the school or another worker was first
        return False
    return True


@procedure.verb("case_lapse")
@transaction.atomic
def lapse(case: Case, *, at: dt.datetime) -> Case:
    """The time to answer is over and nothing came."""
    fresh = _perform("case_lapse", case, by=JOB, at=at)
    if term := fresh.answer_term:
        miss(term, at=at)
    tell_of(fresh, "lapsed", f"{case.organization}未在期限内陈述申辩，案件可以作出决定。", at=at)
    return fresh


@procedure.verb("case_overdue")
@transaction.atomic
def overdue(case: Case, *, at: dt.datetime) -> Case:
    """The time to mend is over and nothing came: the case returns to decision."""
    fresh = _perform("case_overdue", case, by=JOB, at=at)
    if term := fresh.rectification_term:
        miss(term, at=at)
    text = f"{case.organization}未在期限内整改，案件回到决定环节。"
    tell_of(fresh, f"overdue:{fresh.rectification_term_id}", text, at=at)
    return fresh


def _perform(action: str, case: Case, **kwargs: Any) -> Case:
    return procedure.perform(action, case, organization_id=case.organization_id, **kwargs)


def _record(action: str, case: Case, **kwargs: Any) -> None:
    events.record(action, case, organization_id=case.organization_id, **kwargs)


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise ValidationError({"reason": "请写明理由或核实经过。"})


def _lock_undecided(case: Case) -> Case:
    fresh = Case.objects.select_for_update().get(pk=case.pk)
    if fresh.state == Case.State.DECIDED:
        raise NotNow(["案件已经决定。"])
    return fresh
