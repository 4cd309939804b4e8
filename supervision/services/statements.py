"""What the school says within a term: a draft, its files, and the sending with a receipt."""

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from accounts.models import User
from core import clock, events
from core.attachments import attach, discard
from core.models import Attachment
from core.templatetags.portal import exact
from core.workflow import NotNow
from obligations import services as obligations
from obligations.models import Obligation
from supervision.models import Case, Statement
from supervision.permissions import may_answer
from supervision.services.telling import tell_of
from supervision.workflow import procedure

events.register(statement_saved="保存陈述草稿", statement_file_removed="删去陈述附件")

ACTIONS = {Case.State.NOTIFIED: "case_respond", Case.State.RECTIFYING: "case_report"}
# Without letters and digits that are read for each other.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


@transaction.atomic
def save_statement(
    case: Case, *, text: str, by: User, at: dt.datetime, files: Iterable[Any] = ()
) -> Statement:
    """The draft for the term that runs now, to be checked before it is sent. Raises NotNow when none runs."""
    term = _open_term(case, by)
    if not text.strip():
        raise ValidationError({"text": "请写明意见；没有不同意见的，也请写明。"})
    statement, _ = Statement.objects.select_for_update().get_or_create(
        term=term, defaults={"case": case, "text": text, "saved_at": at}
    )
    _refuse_sent(statement)
    statement.text, statement.saved_at = text.strip(), at
    statement.save(update_fields=["text", "saved_at"])
    _record("statement_saved", statement, by=by, at=at)
    for upload in files:
        attach(target=statement, upload=upload, by=by, at=at)
    return statement


@transaction.atomic
def discard_file(statement: Statement, attachment: Attachment, *, by: User, at: dt.datetime) -> None:
    """Take a file out of a draft again. Raises NotNow once it was sent."""
    _open_term(statement.case, by)
    fresh = Statement.objects.select_for_update().get(pk=statement.pk)
    _refuse_sent(fresh)
    _record("statement_file_removed", fresh, by=by, at=at, changes={"文件": attachment.name})
    discard(attachment)


@transaction.atomic
def send_statement(case: Case, *, by: User, at: dt.datetime) -> Statement:
    """Hand in the draft: receipt, hash, and the term is met. Sent twice, it is sent once."""
    case.refresh_from_db()
    if sent := _sent_before(case):
        return sent
    procedure.run(ACTIONS.get(Case.State(case.state), "case_respond"), case, by=by, at=at)
    return Statement.objects.get(case=case, sent_at=at)


def _sent_before(case: Case) -> Statement | None:
    """The same form again: the answer that brought the case where it is."""
    term = case.rectification_term if case.state == Case.State.RECTIFYING else case.answer_term
    if case.state in {Case.State.RESPONDED, Case.State.RECTIFYING} and term:
        return Statement.objects.filter(term=term, sent_at__isnull=False).first()
    return None


@procedure.verb("case_respond")
@transaction.atomic
def respond(case: Case, *, by: User, at: dt.datetime) -> Case:
    """The school's answer arrived before the end of its term."""
    return _hand_in("case_respond", case, by=by, at=at)


@procedure.verb("case_report")
@transaction.atomic
def report_rectification(case: Case, *, by: User, at: dt.datetime) -> Case:
    """The school says what it mended; the office accepts it or not."""
    return _hand_in("case_report", case, by=by, at=at)


def _hand_in(action: str, case: Case, *, by: User, at: dt.datetime) -> Case:
    term = Case.objects.get(pk=case.pk).term
    statement = Statement.objects.filter(term=term).first() if term else None
    receipt = f"CS{clock.local(at):%Y%m%d}-{''.join(secrets.choice(_ALPHABET) for _ in range(6))}"
    digest = content_hash(statement) if statement else ""
    changes = {"回执": receipt, "内容摘要": digest}
    fresh = procedure.perform(
        action, case, by=by, at=at, changes=changes, organization_id=case.organization_id
    )
    if statement is None or term is None:
        raise NotNow(["还没有写好的陈述；请先填写，核对后再提交。"])
    sent = Statement.objects.filter(pk=statement.pk, sent_at=None).update(
        sent_at=at, sent_by=by, receipt=receipt, content_hash=digest
    )
    if not sent:
        raise NotNow(["已经提交，不能再次提交。"])
    obligations.fulfil(term, received_at=at)
    tell_of(
        fresh,
        f"statement:{statement.pk}",
        f"已收到{case.organization}的{term.get_kind_display()}（回执 {receipt}，{exact(at)}）。",
        at=at,
    )
    return fresh


def content_hash(statement: Statement) -> str:
    files = Attachment.objects.of(statement).values_list("sha256", flat=True)
    return hashlib.sha256("\n".join([statement.text, *files]).encode()).hexdigest()


def _open_term(case: Case, by: User) -> Obligation:
    if not may_answer(by, case):
        raise PermissionDenied("陈述申辩和整改报告由本案所涉学校的联系人或负责人提交。")
    fresh = Case.objects.select_for_update().get(pk=case.pk)
    term = fresh.term
    if term is None:
        raise NotNow([f"现在是“{fresh.get_state_display()}”，没有正在进行的陈述申辩或整改期限。"])
    return term


def _refuse_sent(statement: Statement) -> None:
    if statement.sent_at:
        raise NotNow([f"已于{exact(statement.sent_at)}提交（回执 {statement.receipt}），不能再改。"])


def _record(action: str, statement: Statement, **kwargs: Any) -> None:
    events.record(action, statement, organization_id=statement.case.organization_id, **kwargs)
