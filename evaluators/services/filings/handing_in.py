"""Filling in and handing in an evaluator's filing (SX 三.8, 附件3). Instants are aware (UTC).

ID number, home address and phone numbers stand only in the encrypted draft and content: no event, notice or
obligation names one.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from accounts.models import User
from certificates.models import Certificate
from core import draft_files, drafts, events
from core.attachments import discard
from core.models import Attachment
from evaluators import filing_content as shape
from evaluators.models import EvaluatorFiling, EvaluatorFilingVersion
from evaluators.permissions import FILING_CLAUSE, may_file
from evaluators.services.filings.owing import coordinators, duties, lock, tell
from evaluators.workflow import filing as lifecycle
from obligations import services as obligations

events.register(evaluator_filing_file_removed="移除未提交的文件")

MOST_FILES = 200
ONLY_OWNER = f"备案表由该证书的培训评价组织填报（{FILING_CLAUSE}）。"


@transaction.atomic
def save_draft(
    *,
    certificate: Certificate,
    typed: shape.Typed,
    revision: int,
    by: User,
    at: dt.datetime,
    uploads: Mapping[str, Iterable[Any]] | None = None,
) -> EvaluatorFiling:
    """Keep what was typed, valid or not, and the uploaded files by their kind.

    Raises DraftConflict (nothing is kept then), PermissionDenied, ValidationError for a file.
    """
    if not may_file(by, certificate):
        raise PermissionDenied(ONLY_OWNER)
    record, _ = EvaluatorFiling.objects.get_or_create(certificate=certificate)
    sent = uploads or {}
    kept = {
        kind: draft_files.with_uploads(
            record, shape.file_ids(typed, kind), sent.get(kind, ()), by=by, at=at, most=MOST_FILES
        )
        for kind in shape.FILES
    }
    record.save_draft(typed={**typed, **kept}, revision=revision, by=by, at=at)
    _forget_files(record, by=by, at=at)
    return record


def _forget_files(record: EvaluatorFiling, *, by: User, at: dt.datetime) -> None:
    """Files that neither the draft nor a version names were never filed: they go."""
    draft: Any = record.draft
    kept = shape.all_file_ids(draft or {})
    loose = [file for file in Attachment.objects.of(record) if str(file.pk) not in kept]
    if not loose:
        return
    for version in record.versions.all():
        kept |= shape.files_in(version.content)
    for file in loose:
        if str(file.pk) not in kept:
            events.record(
                "evaluator_filing_file_removed",
                record,
                by=by,
                at=at,
                organization_id=record.organization_id,
                changes={"文件": file.name, "SHA-256": file.sha256},
            )
            discard(file)


@lifecycle.verb("evaluator_filing_submit")
@transaction.atomic
def submit_filing(
    record: EvaluatorFiling,
    *,
    content: shape.Content,
    token: str,
    by: User,
    at: dt.datetime,
    draft_revision: int | None = None,
) -> EvaluatorFilingVersion:
    """One more immutable version with its receipt; fulfils what is owed, late or not. What was accepted
    stays on file until the new version is.

    `content` is valid (forms.FilingForm.content). The same token, or the same content as the current
    version, gives the version that is there; what was returned or refused has to be mended first. Raises
    PermissionDenied, ValidationError.
    """
    certificate = record.certificate
    if not may_file(by, certificate):
        raise PermissionDenied(ONLY_OWNER)
    lock(certificate)
    record = EvaluatorFiling.objects.select_for_update(of=("self",)).get(pk=record.pk)
    if sent := record.versions.filter(token=token).first():
        return sent
    if record.current and record.current.content_hash == drafts.content_hash(content):
        _require_mended(record)
        record.drop_draft(draft_revision)
        return record.current
    _require_files(record, content)
    version = _seal(record, content, token, by=by, at=at)
    for duty in duties(certificate).pending():
        obligations.fulfil(duty, received_at=at)
    lifecycle.perform(
        "evaluator_filing_submit",
        record,
        by=by,
        at=at,
        organization_id=certificate.owner_id,
        changes={"回执": version.receipt, "版本": version.number, "内容摘要": version.content_hash},
        values={"current": version, "review_comment": "", "reviewed_at": None, "reviewed_by": None},
    )
    record.drop_draft(draft_revision)
    words = f"“{certificate}”提交了评价组织备案（第{version.number}版），待省推进办审核。"
    tell(record, coordinators(certificate), f"submitted:{version.number}", words, at=at)
    return version


def _require_mended(record: EvaluatorFiling) -> None:
    if record.current and record.state in {EvaluatorFiling.State.RETURNED, EvaluatorFiling.State.REFUSED}:
        raise ValidationError(
            f"内容与第{record.current.number}版相同，没有提交。这一版{record.get_state_display()}，"
            "请按审核意见修改后再提交。"
        )


def _seal(
    record: EvaluatorFiling, content: shape.Content, token: str, *, by: User, at: dt.datetime
) -> EvaluatorFilingVersion:
    sealed: Any = content
    version: EvaluatorFilingVersion = EvaluatorFilingVersion.objects.create(
        filing=record,
        number=record.versions.count() + 1,
        receipt=drafts.new_receipt(EvaluatorFilingVersion, "PJ", at),
        token=token,
        received_at=at,
        submitted_by=by,
        content=sealed,
        content_hash=drafts.content_hash(content),
    )
    return version


def _require_files(record: EvaluatorFiling, content: shape.Content) -> None:
    ids = shape.files_in(content)
    missing = [
        label for kind, label in shape.FILES.items() if kind in shape.REQUIRED_FILES and not content[kind]
    ]
    if missing or Attachment.objects.of(record).filter(pk__in=ids).count() != len(ids):
        raise ValidationError(
            f"{'、'.join(missing) or '附件'}刚刚被移除，请重新上传后再提交（{FILING_CLAUSE}）。"
        )
