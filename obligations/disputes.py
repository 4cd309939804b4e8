"""异议: a school disputes a missed mark, the office answers with a reason.

Mark, claim and answer stay on record. Upheld, the missed one is excused; its outcome stays what it was.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.models import Role, User
from core import clock, events, notices
from core.attachments import attach
from core.workflow import Transition, Workflow
from obligations import permissions, services
from obligations.calendar import add_working_days
from obligations.closing import people_of
from obligations.models import Dispute, DisputeQuerySet, Obligation, Outcome, Policy

events.register(dispute_filed="提出异议")

DEFAULT_WORKING_DAYS = 5
DEFAULT_TIME = dt.time(18)
ONLY_OFFICE = "异议由省推进办答复。"
ONLY_SCHOOL = "异议由本校联系人或其代理人提出、撤回。"


def _answers(user: User, dispute: Dispute) -> str:
    return "" if permissions.may_answer_dispute(user) else ONLY_OFFICE


def _withdraws(user: User, dispute: Dispute) -> str:
    return "" if permissions.may_dispute(user, dispute.obligation) else ONLY_SCHOOL


OPEN = (Dispute.State.OPEN,)
DISPUTE = Workflow(
    (
        Transition(
            "dispute_upheld", "异议成立", OPEN, Dispute.State.UPHELD, _answers, asks=("answer", "files")
        ),
        Transition(
            "dispute_rejected", "异议不成立", OPEN, Dispute.State.REJECTED, _answers, asks=("answer", "files")
        ),
        Transition("dispute_withdrawn", "撤回异议", OPEN, Dispute.State.WITHDRAWN, _withdraws),
    )
)


def open_on(obligation_ids: Iterable[int]) -> DisputeQuerySet:
    """The disputes still waiting for an answer against those missed marks."""
    return Dispute.objects.open().filter(obligation__in=obligation_ids)


def why_not(obligation: Obligation) -> str:
    """Why this mark cannot be disputed now; "" when it can."""
    if obligation.outcome != Outcome.MISSED:
        return "只有已关闭、记为未报的周可以提出异议"
    if obligation.excused_at:
        return "这一周的未报已经谅解，不需要再提异议"
    if open_on([obligation.pk]).exists():
        return "这一周的异议正在等待答复"
    return ""


@transaction.atomic
def file_dispute(
    obligation: Obligation, *, claim: str, by: User, at: dt.datetime, files: Iterable[Any] = ()
) -> Dispute:
    """The school's claim, with its evidence. Raises ValidationError, PermissionDenied."""
    if not permissions.may_dispute(by, obligation):
        raise PermissionDenied(ONLY_SCHOOL)
    obligation = Obligation.objects.select_for_update().get(pk=obligation.pk)
    if reason := why_not(obligation):
        raise ValidationError(f"{reason}。")
    dispute = Dispute(
        obligation=obligation,
        claim=_required(claim, "claim", "请写明异议的理由。"),
        filed_by=by,
        filed_at=at,
        answer_due_at=_answer_due(obligation, at),
    )
    try:
        with transaction.atomic():
            dispute.save()
    except IntegrityError as error:
        raise ValidationError("这一周的异议正在等待答复。") from error
    _keep(dispute, files, by=by, at=at)
    events.record(
        "dispute_filed",
        dispute,
        by=by,
        at=at,
        organization_id=obligation.organization_id,
        to_state=Dispute.State.OPEN,
        changes={"答复期限": f"{clock.local(dispute.answer_due_at):%Y-%m-%d %H:%M}"},
        reason=dispute.claim,
    )
    _tell_office(dispute, f"{obligation.organization}对{obligation.title}的未报记录提出异议，请答复。", at=at)
    return dispute


def _answer_due(obligation: Obligation, at: dt.datetime) -> dt.datetime:
    """The rule's number of working days on, at the rule's hour; a case's terms have no rule of their own."""
    policy = Policy.objects.filter(periods__obligations=obligation).first()
    days = policy.dispute_working_days if policy else DEFAULT_WORKING_DAYS
    return clock.at(
        add_working_days(clock.local(at).date(), days), policy.due_time if policy else DEFAULT_TIME
    )


@DISPUTE.verb("dispute_upheld")
@transaction.atomic
def uphold(dispute: Dispute, *, answer: str, by: User, at: dt.datetime, files: Iterable[Any] = ()) -> Dispute:
    """The claim holds: the missed one is excused. Raises NotNow, ValidationError, PermissionDenied."""
    fresh = _answer("dispute_upheld", dispute, answer, by=by, at=at, files=files)
    if fresh.obligation.excused_at is None:
        services.excuse(
            fresh.obligation,
            reason=f"异议成立：{fresh.answer}",
            by=by,
            at=at,
            evidence={"依据": f"{clock.local(fresh.filed_at):%Y年%-m月%-d日}提出的异议及答复"},
        )
    _tell_school(fresh, "异议成立，未报已谅解，不计入连续未报。", at=at)
    return fresh


@DISPUTE.verb("dispute_rejected")
@transaction.atomic
def reject(dispute: Dispute, *, answer: str, by: User, at: dt.datetime, files: Iterable[Any] = ()) -> Dispute:
    """The claim does not hold: the mark stays. Raises NotNow, ValidationError, PermissionDenied."""
    fresh = _answer("dispute_rejected", dispute, answer, by=by, at=at, files=files)
    _tell_school(fresh, "异议不成立，未报记录不变。", at=at)
    return fresh


@DISPUTE.verb("dispute_withdrawn")
@transaction.atomic
def withdraw(dispute: Dispute, *, by: User, at: dt.datetime) -> Dispute:
    """The school takes its claim back before it is answered. Raises NotNow, PermissionDenied."""
    fresh: Dispute = DISPUTE.perform(
        "dispute_withdrawn", dispute, by=by, at=at, organization_id=dispute.organization_id
    )
    obligation = fresh.obligation
    _tell_office(fresh, f"{obligation.organization}撤回了对{obligation.title}的异议。", at=at)
    return fresh


def _answer(
    action: str, dispute: Dispute, answer: str, *, by: User, at: dt.datetime, files: Iterable[Any]
) -> Dispute:
    """The office's answer with its evidence, written with the new state, which asks for who and when."""
    answer = _required(answer, "answer", "请写明答复的理由。")
    fresh: Dispute = DISPUTE.perform(
        action,
        dispute,
        by=by,
        at=at,
        comment=answer,
        organization_id=dispute.organization_id,
        values={"answer": answer, "answered_by": by, "answered_at": at},
    )
    _keep(fresh, files, by=by, at=at)
    return fresh


def _required(text: str, name: str, message: str) -> str:
    text = text.strip()
    if not text:
        raise ValidationError({name: message})
    return text


def _keep(dispute: Dispute, files: Iterable[Any], *, by: User, at: dt.datetime) -> None:
    for upload in files:
        attach(target=dispute, upload=upload, by=by, at=at)


def _tell_office(dispute: Dispute, text: str, *, at: dt.datetime) -> None:
    """The office, and the bureau that the school is supervised by."""
    organization = dispute.obligation.organization
    supervisor = {organization.supervisor_id} if organization.supervisor_id else set()
    people = people_of(supervisor, Role.CITY_BUREAU) if supervisor else {}
    office = User.objects.active().filter(role=Role.OFFICE).order_by("pk").values_list("pk", flat=True)
    _tell(dispute, [*office, *(pk for pks in people.values() for pk in pks)], text, at=at)


def _tell_school(dispute: Dispute, text: str, *, at: dt.datetime) -> None:
    people = people_of({dispute.organization_id}, *Role.of_a_school())
    text = f"{dispute.obligation.title}：{text}"
    _tell(dispute, people[dispute.organization_id], text, at=at)


def _tell(dispute: Dispute, people: Iterable[Any], text: str, *, at: dt.datetime) -> None:
    link = reverse("obligations:dispute", args=[dispute.pk])
    key = f"dispute:{dispute.pk}:{dispute.state}"
    notices.tell([notices.Message(pk, key, text, link) for pk in people], at=at)
