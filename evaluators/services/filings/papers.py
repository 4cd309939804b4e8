"""What is kept with, and shown of, one version of an evaluator's filing: its stamped scan, its personal data."""

import datetime as dt
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from accounts.models import User
from core import events
from core.attachments import attach, check
from core.models import Attachment
from evaluators import filing_content as shape
from evaluators.models import EvaluatorFilingVersion
from evaluators.permissions import may_reveal

events.register(evaluator_filing_revealed="查看身份证号和现住址")

SCANS = {"application/pdf", "image/png", "image/jpeg"}
ONLY_SCAN = "盖章扫描件由该评价组织或省推进办上传。"
ONLY_REVEAL = "身份证号和现住址只有省推进办（审核时）和填报的评价组织可以查看。"


@transaction.atomic
def attach_scan(version: EvaluatorFilingVersion, *, upload: Any, by: User, at: dt.datetime) -> Attachment:
    """Keep the stamped and scanned print with the version that was printed. Raises ValidationError."""
    if not may_reveal(by, version.filing.certificate):
        raise PermissionDenied(ONLY_SCAN)
    if check(upload).content_type not in SCANS:
        raise ValidationError("扫描件请用 pdf、png 或 jpg。")
    return attach(target=version, upload=upload, by=by, at=at)


@transaction.atomic
def reveal(version: EvaluatorFilingVersion, *, reason: str, by: User, at: dt.datetime) -> shape.Content:
    """The content with ID number and home address in full; who looked and why stays recorded.

    Raises PermissionDenied, ValidationError.
    """
    if not may_reveal(by, version.filing.certificate):
        raise PermissionDenied(ONLY_REVEAL)
    if not reason.strip():
        raise ValidationError({"reason": "请写明为什么要查看。"})
    events.record(
        "evaluator_filing_revealed",
        version.filing,
        by=by,
        at=at,
        organization_id=version.organization_id,
        changes={"回执": version.receipt},
        reason=reason.strip(),
    )
    content: Any = version.content
    return content
