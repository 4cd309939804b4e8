"""What every step of an exam site's lifecycle shares. Instants are aware (UTC)."""

import datetime as dt
from typing import Any

from django.core.exceptions import ValidationError

from accounts.models import User
from evaluators.models import ExamSite
from evaluators.workflow import site as lifecycle


def perform(
    action: str,
    site: ExamSite,
    *,
    by: User,
    at: dt.datetime,
    comment: str = "",
    changes: dict[str, Any] | None = None,
    values: dict[str, Any] | None = None,
) -> ExamSite:
    comment = comment.strip()
    done: ExamSite = lifecycle.perform(
        action,
        site,
        by=by,
        at=at,
        comment=comment,
        changes=changes,
        values={"review_comment": comment, **(values or {})},
        organization_id=site.school_id,
    )
    return done


def required(comment: str) -> str:
    if not comment.strip():
        raise ValidationError({"comment": "请写明原因。"})
    return comment.strip()
