"""Verbs on feedback: filed by a school, assigned, answered, closed; questions to the evaluator. Instants are UTC.

What the evaluator is told names neither the school nor the feedback.
"""

import datetime as dt
import re
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.urls import reverse

from accounts.models import City, County, Organization, Role, User, UserQuerySet
from certificates.models import Certificate
from core import clock, drafts, events, notices
from core.attachments import attach
from core.reference import normalised
from core.templatetags.portal import closing, when
from obligations import services as obligations
from obligations.calendar import add_working_days
from obligations.models import Obligation, ObligationKind
from schools.models import Programme, ProgrammeQuerySet, School
from schools.services.duties import office
from supervision import permissions
from supervision.feedback_workflow import feedback as lifecycle
from supervision.models import Feedback, FeedbackQuestion
from supervision.school_names import ways_to_write

events.register(
    feedback_filed="反馈评价组织问题",
    feedback_question_asked="向评价组织了解情况",
    feedback_question_answered="评价组织说明情况",
)

# The province's own: no document sets a term.
ANSWER_WORKING_DAYS = 10
ANSWER_TIME = dt.time(18)
CLAUSE = "鄂教职成办函〔2021〕7号 三.6"
JOB = "随账号停用"


def own_programmes(user: User) -> ProgrammeQuerySet:
    """What the user's school runs or ran."""
    return Programme.objects.filter(school=user.organization_id)


@transaction.atomic
def file_feedback(
    *,
    evaluator: Organization,
    certificate: Certificate | None,
    ground: str,
    text: str,
    token: str,
    by: User,
    at: dt.datetime,
    files: Iterable[Any] = (),
) -> Feedback:
    """A complaint with its receipt (FK…); the office owes an answer. The same form again gives the same one.

    Raises PermissionDenied, ValidationError by field.
    """
    if not permissions.may_file_feedback(by) or by.organization is None:
        raise PermissionDenied(f"反馈由试点院校的联系人或负责人提出（{CLAUSE}）。")
    # One school's filings wait for each other, so that the same form sent twice meets the first.
    School.objects.select_for_update(of=("self",)).get(pk=by.organization_id)
    if sent := Feedback.objects.filter(school=by.organization, token=token).first():
        return sent
    _require_own(evaluator, certificate, by)
    if not text.strip():
        raise ValidationError({"text": "请写明情况：何时、何地、怎样。"})
    receipt = drafts.new_receipt(Feedback, "FK", at)
    feedback = Feedback(
        receipt=receipt,
        token=token,
        school=by.organization,
        evaluator=evaluator,
        certificate=certificate,
        ground=Feedback.Ground(ground),
        text=text.strip(),
        filed_by=by,
        filed_at=at,
    )
    feedback.term = _term(feedback)
    feedback.save(force_insert=True)
    for upload in files:
        attach(target=feedback, upload=upload, by=by, at=at)
    events.record("feedback_filed", feedback, by=by, at=at, changes={"回执": receipt})
    _tell(_officers(), feedback, f"收到对{evaluator}的反馈（{receipt}），请交办或答复。", at=at)
    return feedback


def _term(feedback: Feedback) -> Obligation:
    return obligations.owe(
        organization=office(),
        kind=ObligationKind.FEEDBACK,
        key=feedback.receipt,
        title=f"答复反馈 {feedback.receipt}",
        opens_at=feedback.filed_at,
        due_at=answer_due(feedback.filed_at),
        link=_page(feedback),
    )


def answer_due(filed_at: dt.datetime) -> dt.datetime:
    day = add_working_days(clock.local(filed_at).date(), ANSWER_WORKING_DAYS)
    return clock.at(day, ANSWER_TIME)


def _require_own(evaluator: Organization, certificate: Certificate | None, by: User) -> None:
    mine = own_programmes(by).filter(certificate_level__certificate__owner=evaluator)
    if certificate:
        mine = mine.filter(certificate_level__certificate=certificate)
    if not mine.exists():
        raise ValidationError({"about": "只能反馈本校试点项目的评价组织和证书。"})


def may_be_assigned(feedback: Feedback) -> UserQuerySet:
    """The office's officers, and the coordinators to whom the evaluator is given (MOE 一(一))."""
    officers = User.objects.active().filter(role=Role.OFFICE)
    coordinators = User.objects.active().filter(
        role=Role.COORDINATOR,
        charges__evaluator=feedback.evaluator_id,
        charges__ended_at=None,
    )
    both: UserQuerySet = (officers | coordinators).distinct().order_by("role", "username")
    return both


@lifecycle.verb("feedback_assign")
@transaction.atomic
def assign_feedback(feedback: Feedback, *, assignee: User, by: User, at: dt.datetime) -> Feedback:
    """Give it to an officer or coordinator, or to another. Raises NotNow, PermissionDenied, ValidationError."""
    if not may_be_assigned(feedback).filter(pk=assignee.pk).exists():
        raise ValidationError({"assignee": "只能交给推进办人员，或负责该评价组织的对接专员。"})
    return _assign(feedback, assignee, by=by, at=at)


def _assign(feedback: Feedback, assignee: User, *, by: User, at: dt.datetime) -> Feedback:
    fresh: Feedback = lifecycle.perform(
        "feedback_assign",
        feedback,
        by=by,
        at=at,
        changes={"经办人": assignee.name},
        values={"assignee": assignee},
    )
    text = f"反馈 {fresh.receipt} 交您办理，请在{closing(fresh.term.due_at)}前答复。"
    _tell([assignee], fresh, text, at=at, step=f"assigned:{at:%Y%m%d%H%M%S%f}")
    return fresh


@lifecycle.verb("feedback_take_back")
@transaction.atomic
def take_back(feedback: Feedback, *, by: str, at: dt.datetime) -> Feedback:
    """The assignee's account has ended: it waits for the office again. Raises NotNow, PermissionDenied."""
    fresh: Feedback = lifecycle.perform(
        "feedback_take_back",
        feedback,
        by=by,
        at=at,
        changes={"经办人": feedback.assignee.name if feedback.assignee else ""},
        values={"assignee": None},
    )
    text = f"反馈 {fresh.receipt} 的经办人账号已停用，请重新交办或答复。"
    _tell(_officers(), fresh, text, at=at, step=f"back:{at:%Y%m%d%H%M%S%f}")
    return fresh


def pass_on(*, user: User, by: User, at: dt.datetime) -> None:
    """With the account: what is not yet answered goes to its successor, or back to the office. In the
    transaction that ends it."""
    for feedback in Feedback.objects.filter(assignee=user, state=Feedback.State.ASSIGNED):
        if user.successor:
            _assign(feedback, user.successor, by=by, at=at)
        else:
            take_back(feedback, by=JOB, at=at)


@lifecycle.verb("feedback_answer")
@transaction.atomic
def answer_feedback(feedback: Feedback, *, answer: str, measures: str, by: User, at: dt.datetime) -> Feedback:
    """What was found and done, told to the school. Raises NotNow, PermissionDenied, ValidationError."""
    if permissions.may_answer_feedback(by, feedback) and not answer.strip():
        raise ValidationError({"answer": "请写明核实情况和答复意见。"})
    fresh: Feedback = lifecycle.perform(
        "feedback_answer",
        feedback,
        by=by,
        at=at,
        values={
            "answer": answer.strip(),
            "measures": measures.strip(),
            "answered_by": by,
            "answered_at": at,
        },
    )
    obligations.fulfil(fresh.term, received_at=at)
    people = User.objects.active().filter(organization=fresh.school_id, role__in=Role.of_a_school())
    _tell(people, fresh, f"您校的反馈 {fresh.receipt} 已答复。", at=at, step="answered")
    return fresh


@lifecycle.verb("feedback_close")
@transaction.atomic
def close_feedback(feedback: Feedback, *, comment: str, by: User, at: dt.datetime) -> Feedback:
    """The measures are carried out. Raises NotNow, PermissionDenied, ValidationError."""
    if permissions.may_assign_feedback(by) and not comment.strip():
        raise ValidationError({"comment": "请写明措施落实的情况。"})
    fresh: Feedback = lifecycle.perform(
        "feedback_close",
        feedback,
        by=by,
        at=at,
        comment=comment.strip(),
    )
    return fresh


# --- questions to the evaluator


@transaction.atomic
def ask_evaluator(feedback: Feedback, *, text: str, by: User, at: dt.datetime) -> FeedbackQuestion:
    """Ask in words that do not show who complained. Raises PermissionDenied, ValidationError."""
    if not permissions.may_answer_feedback(by, feedback):
        raise PermissionDenied("由省推进办或经其交办的对接专员向评价组织了解情况。")
    text = text.strip()
    if not text:
        raise ValidationError({"text": "请写明要了解什么。"})
    if shown := _gives_away(feedback, text):
        raise ValidationError({"text": f"问题里写有“{shown}”，会让评价组织知道是谁反馈的。请删去后再发出。"})
    question = FeedbackQuestion.objects.create(
        feedback=feedback, evaluator=feedback.evaluator, text=text, asked_by=by, asked_at=at
    )
    events.record("feedback_question_asked", feedback, by=by, at=at, changes={"问题": text})
    people = User.objects.active().filter(organization=feedback.evaluator_id, role=Role.EVALUATOR)
    link = reverse("supervision:feedback-question", args=[question.pk])
    words = "省推进办就本单位在本省的工作了解情况，请说明。"
    notices.tell([notices.Message(u.pk, f"question:{question.pk}", words, link) for u in people], at=at)
    return question


def _gives_away(feedback: Feedback, text: str) -> str:
    """What in the text leads to the school: its name, another name, a short form of these, its code, a person
    of it, the receipt."""
    school = feedback.school
    places = [*City.objects.values_list("name", flat=True), *County.objects.values_list("name", flat=True)]
    places.append(re.sub("(?<=省).*", "", office().name))
    names = [school.code, feedback.receipt, *school.users.values_list("name", flat=True)]
    for name in (school.name, *school.aliases.values_list("name", flat=True)):
        names += sorted(ways_to_write(name, places), key=len, reverse=True)
    plain = normalised(text)
    return next((name for name in names if name and normalised(name) in plain), "")


@transaction.atomic
def answer_question(
    question: FeedbackQuestion, *, answer: str, by: User, at: dt.datetime
) -> FeedbackQuestion:
    """The evaluator's explanation, once. Raises PermissionDenied, ValidationError."""
    if not permissions.may_answer_question(by, question):
        raise PermissionDenied("由被了解情况的评价组织说明。")
    if not answer.strip():
        raise ValidationError({"answer": "请写明情况。"})
    changed = FeedbackQuestion.objects.filter(pk=question.pk, answered_at=None).update(
        answer=answer.strip(), answered_by=by, answered_at=at
    )
    question.refresh_from_db()
    if not changed:
        raise ValidationError(f"已于{when(question.answered_at)}说明，不能再改。")
    events.record("feedback_question_answered", question, by=by, at=at, organization_id=question.evaluator_id)
    feedback = question.feedback
    assignee = feedback.assignee
    people = [assignee] if assignee and assignee.is_active else _officers()
    _tell(
        people,
        feedback,
        f"{question.evaluator}已就反馈 {feedback.receipt} 说明情况。",
        at=at,
        step=f"q{question.pk}",
    )
    return question


def _page(feedback: Feedback) -> str:
    return reverse("supervision:feedback", args=[feedback.pk])


def _officers() -> UserQuerySet:
    officers: UserQuerySet = User.objects.active().filter(role=Role.OFFICE)
    return officers


def _tell(
    people: Iterable[User], feedback: Feedback, text: str, *, at: dt.datetime, step: str = "filed"
) -> None:
    key = f"feedback:{feedback.pk}:{step}"[:120]
    notices.tell([notices.Message(user.pk, key, text, _page(feedback)) for user in people], at=at)
