"""The province's answers to an evaluator's filing (SX 三.8). Instants are aware (UTC)."""

import datetime as dt
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse

from accounts.models import User
from core import clock, drafts
from core.templatetags.portal import closing
from evaluators.models import EvaluatorFiling
from evaluators.permissions import may_review_filings
from evaluators.services.filings.owing import coordinators, officers, tell
from evaluators.workflow import filing as lifecycle
from obligations import services as obligations
from obligations.calendar import add_working_days
from obligations.models import ObligationKind

MEND_WORKING_DAYS = 5
MEND_TIME = dt.time(18)


@lifecycle.verb("evaluator_filing_accept")
@transaction.atomic
def accept_filing(
    record: EvaluatorFiling, *, by: User, at: dt.datetime, comment: str = "", version: int | None = None
) -> EvaluatorFiling:
    """The province takes the current version on file; `version`, of this and the other answers, is the number
    of the one that was read: another one is not answered. Raises NotNow, PermissionDenied."""
    fresh = _review("evaluator_filing_accept", record, comment, version, by=by, at=at)
    return _answered(fresh, f"（第{fresh.current.number}版）已予以备案。", at=at)


@lifecycle.verb("evaluator_filing_return")
@transaction.atomic
def return_filing(
    record: EvaluatorFiling, *, comment: str, by: User, at: dt.datetime, version: int | None = None
) -> EvaluatorFiling:
    """To be mended within MEND_WORKING_DAYS; what was on time stays so. Raises ValidationError, NotNow."""
    _require_comment(by, comment, "请写明要修改什么。")
    fresh = _review("evaluator_filing_return", record, comment, version, by=by, at=at)
    due_at = clock.at(add_working_days(clock.local(at).date(), MEND_WORKING_DAYS), MEND_TIME)
    duty = obligations.owe(
        organization=fresh.certificate.owner,
        kind=ObligationKind.EVALUATOR_FILING,
        key=f"{fresh.pk}-v{fresh.current.number}",
        title=f"修改评价组织备案：{fresh.certificate}"[:120],
        opens_at=at,
        due_at=due_at,
        link=reverse("evaluator-filings:edit", args=[fresh.pk]),
    )
    return _answered(fresh, f"已退回修改，请于{closing(duty.due_at)}前重新提交：{comment.strip()}", at=at)


@lifecycle.verb("evaluator_filing_refuse")
@transaction.atomic
def refuse_filing(
    record: EvaluatorFiling, *, comment: str, by: User, at: dt.datetime, version: int | None = None
) -> EvaluatorFiling:
    """Not taken on file; what was accepted before stays so. Raises ValidationError, NotNow."""
    _require_comment(by, comment, "请写明不予备案的理由。")
    fresh = _review("evaluator_filing_refuse", record, comment, version, by=by, at=at)
    return _answered(fresh, f"不予备案：{comment.strip()}", at=at)


def _require_comment(by: User, comment: str, words: str) -> None:
    if may_review_filings(by) and not comment.strip():
        raise ValidationError({"comment": words})


def _review(
    action: str, record: EvaluatorFiling, comment: str, version: int | None, *, by: User, at: dt.datetime
) -> Any:
    values: dict[str, Any] = {"review_comment": comment.strip(), "reviewed_at": at, "reviewed_by": by}
    locked = EvaluatorFiling.objects.select_for_update(of=("self",)).get(pk=record.pk)
    drafts.require_read(locked, version, of="评价组织")
    if action == "evaluator_filing_accept":
        values["accepted"] = locked.current
    return lifecycle.perform(
        action,
        record,
        by=by,
        at=at,
        comment=comment.strip(),
        organization_id=record.organization_id,
        values=values,
    )


def _answered(record: EvaluatorFiling, words: str, *, at: dt.datetime) -> EvaluatorFiling:
    text = f"“{record.certificate}”的评价组织备案{words}"
    people = officers(record.certificate) | coordinators(record.certificate)
    tell(record, people, f"{record.state}:{record.versions.count()}", text, at=at)
    return record
