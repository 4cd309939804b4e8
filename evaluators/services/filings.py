"""Verbs on evaluators' filings (SX 三.8, 附件3). Instants are aware (UTC).

ID number, home address and phone numbers stand only in the encrypted draft and content: no event, notice or
obligation names one.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q
from django.db.models.functions import Cast
from django.urls import reverse

from accounts.models import Organization, Role, User
from certificates.models import Certificate
from core import clock, drafts, events, notices
from core.attachments import attach, check, discard
from core.models import Attachment
from core.templatetags.portal import closing
from evaluators import filing_content as shape
from evaluators.models import EvaluatorFiling, EvaluatorFilingVersion
from evaluators.permissions import (
    FILING_CLAUSE,
    may_file,
    may_reveal,
    may_review_filings,
)
from evaluators.workflow import filing as lifecycle
from obligations import services as obligations
from obligations.calendar import add_months, add_working_days
from obligations.closing import JOB, people_of
from obligations.models import NOT_OWED, Obligation, ObligationKind, ObligationQuerySet, Outcome
from obligations.periods import after_standing_outages
from schools.models import Programme

events.register(
    evaluator_filing_file_removed="移除未提交的文件",
    evaluator_filing_not_owed="备案任务免除",
    evaluator_filing_revealed="查看身份证号和现住址",
)

MEND_WORKING_DAYS = 5
MEND_TIME = dt.time(18)
SCANS = {"application/pdf", "image/png", "image/jpeg"}
MOST_FILES = 200
NOT_RUNNING = "本省已没有院校开展这个证书的试点，无需备案"
ONLY_OWNER = f"备案表由该证书的培训评价组织填报（{FILING_CLAUSE}）。"

ONLY_SCAN = "盖章扫描件由该评价组织或省推进办上传。"
ONLY_REVEAL = "身份证号和现住址只有省推进办（审核时）和填报的评价组织可以查看。"


def duties(certificate: Certificate) -> ObligationQuerySet:
    """What is owed or was owed of this filing: the first one (key: the certificate), one for each return."""
    mine = Q(key=str(certificate.pk)) | Q(key__startswith=f"{certificate.pk}-v")
    rows = Obligation.objects.filter(
        mine, organization=certificate.owner_id, kind=ObligationKind.EVALUATOR_FILING
    )
    return rows.order_by("opens_at", "pk")


def owe_filings(*, at: dt.datetime) -> int:
    """Whoever owns a certificate that runs in the province, and has filed nothing, owes the filing; how many
    are new.

    No clause sets a term: due at the end of the day one month after `at`, when the portal first saw that it
    is owed, so that no organisation is late for what nobody had asked of it. A demonstration asks nothing
    of real organisations. What does not run any more is not owed, and owed anew if it runs again.
    """
    _release(at=at)
    running = Programme.objects.running_at(at).filter(certificate_level__certificate=OuterRef("pk"))
    certificates = (
        Certificate.objects.filter(
            Exists(running),
            owner__is_demonstration=Exists(Organization.objects.filter(is_demonstration=True)),
        )
        .exclude(filing__current__isnull=False)
        .select_related("owner")
        .order_by("pk")
    )
    standing = Obligation.objects.filter(kind=ObligationKind.EVALUATOR_FILING).exclude(
        outcome=Outcome.EXEMPT, exempt_reason=NOT_RUNNING
    )
    owed = set(standing.values_list("organization", "key"))
    fresh = [c for c in certificates if (c.owner_id, str(c.pk)) not in owed]
    return sum(_owe(certificate, at=at) for certificate in fresh)


@transaction.atomic
def _release(*, at: dt.datetime) -> None:
    """First duties of certificates that no longer run in the province."""
    running = Programme.objects.running_at(at).alias(
        certificate=Cast("certificate_level__certificate", CharField())
    )
    rows = list(
        Obligation.objects.pending()
        .filter(~Exists(running.filter(certificate=OuterRef("key"))), kind=ObligationKind.EVALUATOR_FILING)
        .exclude(key__contains="-v")
        .select_for_update(of=("self",))
        .order_by("pk")
    )
    Obligation.objects.filter(pk__in=[row.pk for row in rows]).update(
        outcome=Outcome.EXEMPT, exempt_reason=NOT_RUNNING
    )
    events.record_many(
        events.build(
            "evaluator_filing_not_owed",
            row,
            by=JOB,
            at=at,
            organization_id=row.organization_id,
            target_label=row.title,
            from_state=Outcome.PENDING,
            to_state=NOT_OWED,
            reason=NOT_RUNNING,
        )
        for row in rows
    )


@transaction.atomic
def _owe(certificate: Certificate, *, at: dt.datetime) -> bool:
    """Whether it is owed: a filing may have come since the certificate was read."""
    _lock(certificate)
    if EvaluatorFiling.objects.filter(pk=certificate.pk, current__isnull=False).exists():
        return False
    last_day = add_months(clock.local(at).date(), 1)
    due_at = clock.at(last_day + dt.timedelta(days=1))
    duty = obligations.owe(
        organization=certificate.owner,
        kind=ObligationKind.EVALUATOR_FILING,
        key=str(certificate.pk),
        title=f"评价组织备案：{certificate}"[:120],
        opens_at=at,
        due_at=due_at,
        link=reverse("evaluator-filings:edit", args=[certificate.pk]),
    )
    Obligation.objects.filter(pk=duty.pk, outcome=Outcome.EXEMPT, exempt_reason=NOT_RUNNING).update(
        outcome=Outcome.PENDING,
        exempt_reason="",
        opens_at=at,
        due_at=after_standing_outages(due_at),
        reminded_steps=0,
    )
    duty.refresh_from_db()
    text = f"“{certificate}”在本省有院校开展试点，请在{closing(duty.due_at)}前填报负责人备案表（附件3，{FILING_CLAUSE}）。"
    _tell_owner(certificate, f"owed:{certificate.pk}:{due_at:%y%m%d}", text, "edit", at=at)
    return True


def _lock(certificate: Certificate) -> None:
    """Owing a filing and submitting one wait for each other; nobody who only refers to it waits."""
    Certificate.objects.select_for_update(of=("self",), no_key=True).get(pk=certificate.pk)


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
    added = {
        kind: [
            str(attach(target=record, upload=upload, by=by, at=at, most=MOST_FILES).pk) for upload in files
        ]
        for kind, files in (uploads or {}).items()
    }
    known = {str(pk) for pk in Attachment.objects.of(record).values_list("pk", flat=True)}
    kept = {
        kind: " ".join(
            dict.fromkeys(pk for pk in [*shape.file_ids(typed, kind), *added.get(kind, [])] if pk in known)
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
    _lock(certificate)
    record = EvaluatorFiling.objects.select_for_update(of=("self",)).get(pk=record.pk)
    if sent := record.versions.filter(token=token).first():
        return sent
    content_hash = drafts.content_hash(content)
    if record.current and record.current.content_hash == content_hash:
        if record.state in {EvaluatorFiling.State.RETURNED, EvaluatorFiling.State.REFUSED}:
            raise ValidationError(
                f"内容与第{record.current.number}版相同，没有提交。这一版{record.get_state_display()}，"
                "请按审核意见修改后再提交。"
            )
        record.drop_draft(draft_revision)
        return record.current
    _require_files(record, content)
    sealed: Any = content
    version: EvaluatorFilingVersion = EvaluatorFilingVersion.objects.create(
        filing=record,
        number=record.versions.count() + 1,
        receipt=drafts.new_receipt(EvaluatorFilingVersion, "PJ", at),
        token=token,
        received_at=at,
        submitted_by=by,
        content=sealed,
        content_hash=content_hash,
    )
    for duty in duties(certificate).pending():
        obligations.fulfil(duty, received_at=at)
    lifecycle.perform(
        "evaluator_filing_submit",
        record,
        by=by,
        at=at,
        organization_id=certificate.owner_id,
        changes={"回执": version.receipt, "版本": version.number, "内容摘要": content_hash},
        values={"current": version, "review_comment": "", "reviewed_at": None, "reviewed_by": None},
    )
    record.drop_draft(draft_revision)
    words = f"“{certificate}”提交了评价组织备案（第{version.number}版），待省推进办审核。"
    _tell(record, _coordinators(certificate), f"submitted:{version.number}", words, at=at)
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
    people = _officers(record.certificate) | _coordinators(record.certificate)
    _tell(record, people, f"{record.state}:{record.versions.count()}", text, at=at)
    return record


def _officers(certificate: Certificate) -> set[uuid.UUID]:
    return set(people_of({certificate.owner_id}, Role.EVALUATOR)[certificate.owner_id])


def _coordinators(certificate: Certificate) -> set[uuid.UUID]:
    charged = User.objects.active().filter(
        charges__evaluator=certificate.owner_id, charges__ended_at=None, role=Role.COORDINATOR
    )
    return set(charged.values_list("pk", flat=True))


def _tell_owner(certificate: Certificate, key: str, text: str, page: str, *, at: dt.datetime) -> None:
    link = reverse(f"evaluator-filings:{page}", args=[certificate.pk])
    people = _officers(certificate)
    notices.tell([notices.Message(pk, f"evaluator-filing:{key}", text, link) for pk in people], at=at)


def _tell(
    record: EvaluatorFiling, people: Iterable[uuid.UUID], step: str, text: str, *, at: dt.datetime
) -> None:
    link = reverse("evaluator-filings:detail", args=[record.pk])
    key = f"evaluator-filing:{record.pk}:{step}"
    notices.tell([notices.Message(pk, key, text, link) for pk in people], at=at)


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
