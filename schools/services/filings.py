"""Verbs on school filings (SX 三.1). Instants are aware (UTC).

Phone numbers stand only in the encrypted draft and content: no event, notice or obligation names one.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.urls import reverse

from accounts.models import PilotMembership, Role, User
from core import clock, draft_files, drafts, events, notices
from core.attachments import attach, check
from core.models import Attachment
from core.templatetags.portal import closing
from obligations import services as obligations
from obligations.calendar import add_working_days
from obligations.models import Obligation, ObligationKind, ObligationQuerySet
from schools import filing_content as shape
from schools.models import School, SchoolFiling, SchoolFilingVersion
from schools.permissions import may_file, may_review_filings
from schools.services.schools import lock
from schools.workflow import filing as lifecycle

# Recorded until core.draft_files told of it; the history still names it.
events.register(filing_file_removed="移除未提交的文件")

# The duty of the first filing, one month after the list is published; a return opens `filing-v<n>`.
DUTY_KEY = "filing"
MEND_WORKING_DAYS = 5
MEND_TIME = dt.time(18)
SCANS = {"application/pdf", "image/png", "image/jpeg"}


def duties(school_id: int) -> ObligationQuerySet:
    """What the school owes or owed of its filing: the first one, and one for each return; oldest first."""
    rows = Obligation.objects.filter(organization=school_id, kind=ObligationKind.SCHOOL_FILING)
    return rows.order_by("opens_at", "pk")


def why_not_file(user: User, school: School, at: dt.datetime) -> str:
    """The reason why the user may not fill in the school's filing now; "" when he or she may."""
    if not may_file(user, school):
        return "备案由本校联系人或其代理人填写、提交。"
    in_pilot = PilotMembership.objects.as_of(at).filter(organization=school.pk).exists()
    if not in_pilot and not duties(school.pk).pending().exists():
        return (
            "本校现在不在试点院校名单中，不需要备案。名单公布后一个月内备案（晋教职成〔2020〕9号 三.1）；"
            "如有误，请与省推进办联系。"
        )
    return ""


@transaction.atomic
def save_draft(
    *,
    school: School,
    typed: shape.Typed,
    revision: int,
    by: User,
    at: dt.datetime,
    uploads: Iterable[Any] = (),
) -> SchoolFiling:
    """Keep what was typed, valid or not, and the uploaded files with it.

    Raises DraftConflict (nothing is kept then), PermissionDenied, ValidationError for a file.
    """
    if refusal := why_not_file(by, school, at):
        raise PermissionDenied(refusal)
    record, _ = SchoolFiling.objects.get_or_create(school=school)
    typed = draft_files.taken_in(record, typed, uploads, by=by, at=at)
    record.save_draft(typed=typed, revision=revision, by=by, at=at)
    draft_files.forget_loose(record, by=by, at=at)
    return record


@lifecycle.verb("filing_submit")
@transaction.atomic
def submit_filing(
    record: SchoolFiling,
    *,
    content: shape.Content,
    token: str,
    by: User,
    at: dt.datetime,
    draft_revision: int | None = None,
) -> SchoolFilingVersion:
    """One more immutable version with its receipt; fulfils what is owed, late or not.

    `content` is valid (forms.FilingForm.content). The same token, or the same content as the current
    version, gives the version that is there; what was returned has to be mended first. Raises
    PermissionDenied, ValidationError.
    """
    lock([record.pk])
    if refusal := why_not_file(by, record.school, max(at, clock.now())):
        raise PermissionDenied(refusal)
    record = SchoolFiling.objects.select_for_update(of=("self",)).select_related("current").get(pk=record.pk)
    if sent := record.versions.filter(token=token).first():
        return sent
    content_hash = drafts.content_hash(content)
    if record.current and record.current.content_hash == content_hash:
        if record.state == SchoolFiling.State.RETURNED:
            raise ValidationError(
                f"内容与退回的第{record.current.number}版相同，没有提交。请按退回意见修改后再提交。"
            )
        record.drop_draft(draft_revision)
        return record.current
    _require_files(record, content)
    version = _version(record, content, content_hash, token=token, by=by, at=at)
    for duty in duties(record.pk).pending():
        obligations.fulfil(duty, received_at=at)
    lifecycle.perform(
        "filing_submit",
        record,
        by=by,
        at=at,
        organization_id=record.organization_id,
        changes={"回执": version.receipt, "版本": version.number, "内容摘要": content_hash},
        values={"current": version, "review_comment": "", "reviewed_at": None, "reviewed_by": None},
    )
    record.drop_draft(draft_revision)
    return version


def _version(
    record: SchoolFiling, content: Any, content_hash: str, *, token: str, by: User, at: dt.datetime
) -> SchoolFilingVersion:
    version: SchoolFilingVersion = SchoolFilingVersion.objects.create(
        filing=record,
        number=record.versions.count() + 1,
        receipt=drafts.new_receipt(SchoolFilingVersion, "BA", at),
        token=token,
        received_at=at,
        submitted_by=by,
        content=content,
        content_hash=content_hash,
    )
    return version


def _require_files(record: SchoolFiling, content: shape.Content) -> None:
    ids = [file["id"] for file in content[shape.FILES]]
    if not ids or Attachment.objects.of(record).filter(pk__in=ids).count() != len(ids):
        raise ValidationError("试点工作方案刚刚被移除，请重新上传后再提交（晋教职成〔2020〕9号 三.1）。")


@lifecycle.verb("filing_accept")
@transaction.atomic
def accept_filing(
    record: SchoolFiling, *, by: User, at: dt.datetime, comment: str = "", version: int | None = None
) -> SchoolFiling:
    """The province takes it on file; `version`, here and below, is the number of the one that was read:
    another one is not answered. Raises NotNow, PermissionDenied."""
    fresh = _review("filing_accept", record, comment.strip(), version, by=by, at=at)
    _tell(fresh, f"本校备案（第{fresh.versions.count()}版）已予以备案。", at=at)
    return fresh


@lifecycle.verb("filing_return")
@transaction.atomic
def return_filing(
    record: SchoolFiling, *, comment: str, by: User, at: dt.datetime, version: int | None = None
) -> SchoolFiling:
    """To be mended within MEND_WORKING_DAYS; what was on time stays so. Raises ValidationError, NotNow."""
    comment = comment.strip()
    if may_review_filings(by) and not comment:
        raise ValidationError({"comment": "请写明要修改什么。"})
    fresh = _review("filing_return", record, comment, version, by=by, at=at)
    due_at = clock.at(add_working_days(clock.local(at).date(), MEND_WORKING_DAYS), MEND_TIME)
    duty = obligations.owe(
        organization=fresh.school.organization,
        kind=ObligationKind.SCHOOL_FILING,
        key=f"{DUTY_KEY}-v{fresh.versions.count()}",
        title="修改院校备案",
        opens_at=at,
        due_at=due_at,
        link=reverse("filings:edit"),
    )
    _tell(fresh, f"本校备案已退回修改，请于{closing(duty.due_at)}前重新提交：{comment}", at=at)
    return fresh


def _review(
    action: str, record: SchoolFiling, comment: str, version: int | None, *, by: User, at: dt.datetime
) -> SchoolFiling:
    locked = SchoolFiling.objects.select_for_update(of=("self",)).get(pk=record.pk)
    drafts.require_read(locked, version, of="学校")
    fresh: SchoolFiling = lifecycle.perform(
        action,
        record,
        by=by,
        at=at,
        comment=comment,
        organization_id=record.organization_id,
        values={"review_comment": comment, "reviewed_at": at, "reviewed_by": by},
    )
    return fresh


def _tell(record: SchoolFiling, text: str, *, at: dt.datetime) -> None:
    people = User.objects.active().filter(organization=record.pk, role__in=Role.of_a_school())
    key = f"filing:{record.pk}:{record.state}:{record.versions.count()}"
    link = reverse("filings:detail", args=[record.pk])
    notices.tell([notices.Message(user.pk, key, text, link) for user in people], at=at)


@transaction.atomic
def attach_scan(version: SchoolFilingVersion, *, upload: Any, by: User, at: dt.datetime) -> Attachment:
    """Keep the stamped and scanned print with the version that was printed. Raises ValidationError."""
    if not (may_file(by, version.filing.school) or may_review_filings(by)):
        raise PermissionDenied("盖章扫描件由本校联系人或省推进办上传。")
    if check(upload).content_type not in SCANS:
        raise ValidationError("扫描件请用 pdf、png 或 jpg。")
    return attach(target=version, upload=upload, by=by, at=at)
