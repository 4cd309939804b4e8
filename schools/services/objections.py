"""Objections to a 公示: received on its page or by phone and letter, answered by the office.

Who objects is known to the office alone, and each look at it goes on record.
"""

import datetime as dt
import hmac
import unicodedata

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse

from accounts.models import Organization, Role, User
from core import clock, events
from core.drafts import new_receipt
from core.notices import Message, tell
from core.templatetags.portal import closing
from core.templatetags.portal import day as day_words
from obligations import services as obligations
from obligations.calendar import add_working_days
from obligations.closing import people_of
from obligations.models import Obligation, ObligationKind
from obligations.services.rights import require
from schools import permissions
from schools.models import Objection, ResultList

events.register(
    objection_received="收到公示异议",
    objection_answered="答复公示异议",
    objection_kept="异议成立而名单不变",
    objector_revealed="查看异议人信息",
)

PREFIX = "YY"
ANSWER_WORKING_DAYS = 5
ANSWER_TIME = dt.time(18)
RESENT_WITHIN = dt.timedelta(minutes=10)
PUBLIC = "公众（公示页面）"
ONLY_OFFICE = "公示异议由省推进办受理、答复。"


def listed_schools(result_list: ResultList) -> list[tuple[str, str]]:
    """(code, name) of the schools on the list, in its order, each once."""
    return list({row["code"]: row["school"] for row in result_list.rows}.items())


@transaction.atomic
def receive_objection(
    *,
    result_list: ResultList,
    name: str,
    contact: str,
    text: str,
    at: dt.datetime,
    school_code: str = "",
    by: User | None = None,
    received_at: dt.datetime | None = None,
) -> Objection:
    """Keep an objection and owe its answer; its receipt is how the objector follows it.

    `by` null: handed in on the public page at `at`. An officer takes down what came by phone or letter
    at `received_at`. Raises ValidationError outside the days of the 公示, PermissionDenied.
    """
    require(by is None or permissions.may_publish(by), ONLY_OFFICE)
    received_at = received_at or at if by else at
    # A double click is two requests at once: the second finds what the first has kept.
    result_list = ResultList.objects.select_for_update().get(pk=result_list.pk)
    _check_window(result_list, received_at, at)
    if not by and (same := _sent_before(result_list, name, contact, text, at)):
        return same
    objection = Objection(
        result_list=result_list,
        receipt=new_receipt(Objection, PREFIX, at),
        about=_listed(result_list, school_code),
        name=_required(name, "name", "请写明姓名或单位。"),
        contact=_required(contact, "contact", "请写明联系方式。"),
        text=_required(text, "text", "请写明异议的内容。"),
        received_at=received_at,
        taken_by=by,
    )
    objection.save()
    owed = _owe_answer(objection)
    events.record(
        "objection_received",
        objection,
        by=by or PUBLIC,
        at=at,
        changes={"名单": result_list.title, "答复期限": owed.due_at.isoformat()},
    )
    words = f"收到对“{result_list}”的异议（{objection.receipt}），请在{closing(owed.due_at)}前答复。"
    _tell_office(objection, "received", words, at=at)
    return objection


def _check_window(result_list: ResultList, received_at: dt.datetime, at: dt.datetime) -> None:
    if received_at > at:
        raise ValidationError({"received_at": "收到时间不能晚于现在。"})
    if result_list.kind != ResultList.Kind.PROPOSED:
        raise ValidationError("已公布的名单不再受理公示异议。")
    if received_at < result_list.opens_at:
        raise ValidationError(f"公示自{day_words(result_list.starts_on)}开始，此前不受理异议。")
    if not result_list.is_open(received_at):
        raise ValidationError(f"公示已于{closing(result_list.closes_at)}结束，不再受理异议。")


def _sent_before(
    result_list: ResultList, name: str, contact: str, text: str, at: dt.datetime
) -> Objection | None:
    """The same form sent twice (a double click, a resent request) is one objection."""
    recent = result_list.objections.filter(text=text.strip(), received_at__gt=at - RESENT_WITHIN)
    given = (_plain(name), _plain(contact))
    return next((o for o in recent if (_plain(o.name), _plain(o.contact)) == given), None)


def _listed(result_list: ResultList, code: str) -> Organization | None:
    if not code:
        return None
    if code not in dict(listed_schools(result_list)):
        raise ValidationError({"school": "这所学校不在名单上，请重新选择。"})
    return Organization.objects.get(kind=Organization.Kind.SCHOOL, code=code)


def _required(text: str, field: str, message: str) -> str:
    text = text.strip()
    if not text:
        raise ValidationError({field: message})
    return text


def _owe_answer(objection: Objection) -> Obligation:
    """The office that published the list answers within five working days of the day of receipt."""
    office = objection.result_list.published_by.organization
    if office is None:
        raise ValueError("a list is published by an officer of the province")
    last_day = add_working_days(clock.local(objection.received_at).date(), ANSWER_WORKING_DAYS)
    return obligations.owe(
        organization=office,
        kind=ObligationKind.OBJECTION,
        key=objection.receipt,
        title=f"答复公示异议 {objection.receipt}",
        opens_at=objection.received_at,
        due_at=clock.at(last_day, ANSWER_TIME),
        link=reverse("publications:objection", args=[objection.pk]),
    )


def owed_answer(objection: Objection) -> Obligation:
    return Obligation.objects.get(kind=ObligationKind.OBJECTION, key=objection.receipt)


def _tell_office(objection: Objection, step: str, words: str, *, at: dt.datetime) -> None:
    office = objection.result_list.published_by.organization_id or 0
    people = people_of({office}, Role.OFFICE)[office]
    link = reverse("publications:objection", args=[objection.pk])
    tell([Message(pk, f"objection:{objection.pk}:{step}", words, link) for pk in people], at=at)


@transaction.atomic
def answer_objection(
    objection: Objection, *, is_upheld: bool, answer: str, by: User, at: dt.datetime
) -> Objection:
    """The office's answer with its reason, which the objector reads; once. Raises PermissionDenied,
    ValidationError."""
    require(permissions.may_publish(by), ONLY_OFFICE)
    fresh = _locked(objection)
    if fresh.answered_at:
        raise ValidationError("这件异议已经答复，请刷新页面查看。")
    fresh.answer = _required(answer, "answer", "请写明答复的理由。")
    fresh.is_upheld, fresh.answered_by, fresh.answered_at = is_upheld, by, at
    fresh.save(update_fields=["is_upheld", "answer", "answered_by", "answered_at"])
    obligations.fulfil(owed_answer(fresh), received_at=at)
    events.record(
        "objection_answered",
        fresh,
        by=by,
        at=at,
        from_state="open",
        to_state=fresh.state,
        reason=fresh.answer,
    )
    return fresh


@transaction.atomic
def keep_listed(objection: Objection, *, reason: str, by: User, at: dt.datetime) -> Objection:
    """Why the list stands although the objection was upheld. Raises PermissionDenied, ValidationError."""
    require(permissions.may_publish(by), ONLY_OFFICE)
    fresh = _locked(objection)
    if not fresh.is_upheld:
        raise ValidationError("只有成立的异议需要说明名单不变的理由。")
    before, fresh.kept_reason = fresh.kept_reason, _required(reason, "reason", "请写明名单不变的理由。")
    fresh.save(update_fields=["kept_reason"])
    events.record(
        "objection_kept",
        fresh,
        by=by,
        at=at,
        changes={"原理由": before} if before else {},
        reason=fresh.kept_reason,
    )
    return fresh


@transaction.atomic
def reveal_objector(objection: Objection, *, reason: str, by: User, at: dt.datetime) -> tuple[str, str]:
    """(name, contact) in clear; that they were looked at, and why, goes on record."""
    require(permissions.may_reveal_objector(by), "异议人的信息只供省推进办核实异议时查看。")
    reason = _required(reason, "reason", "请写明查看的原因。")
    events.record("objector_revealed", objection, by=by, at=at, reason=reason)
    return objection.name, objection.contact


def find_objection(*, receipt: str, contact: str) -> Objection | None:
    """The objection with that receipt, for who knows the contact given with it; else None, whichever is
    wrong."""
    found = Objection.objects.filter(receipt=_plain(receipt).upper()).select_related("result_list", "about")
    objection = found.defer("result_list__rows").first()
    known = _plain(objection.contact) if objection else ""
    matches = hmac.compare_digest(known.encode(), _plain(contact).encode())
    return objection if objection and matches else None


def _plain(text: str) -> str:
    """Without spaces, width and case: how people type the same thing twice."""
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


def _locked(objection: Objection) -> Objection:
    return (
        Objection.objects.select_for_update(of=("self",)).select_related("result_list").get(pk=objection.pk)
    )
