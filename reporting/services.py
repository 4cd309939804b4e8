"""Verbs on weekly reports. Instants are aware (UTC)."""

import datetime as dt
from decimal import Decimal

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.urls import reverse

from accounts.models import Role, User
from core import clock, drafts, events, notices
from obligations import services as obligations
from obligations.calendar import add_working_days
from obligations.models import Obligation, ObligationKind, Period
from reporting import content as shape
from reporting import permissions
from reporting.models import ProgrammeFigures, ReportVersion, WeeklyReport
from reporting.sheet import Filing, filing, open_corrections

events.register(
    report_submitted="提交周报",
    report_corrected="提交更正后的周报",
    report_returned="退回更正",
)


@transaction.atomic
def save_draft(
    *, obligation: Obligation, typed: shape.Typed, revision: int, by: User, at: dt.datetime
) -> WeeklyReport:
    """Keep what was typed, valid or not. Raises DraftConflict, PermissionDenied."""
    _may_fill_now(obligation, by, at)
    report, _ = WeeklyReport.objects.get_or_create(obligation=obligation)
    # What the form no longer asks, because its programme has become dormant, stays in the draft.
    report.save_draft(typed={**(report.draft or {}), **typed}, revision=revision, by=by, at=at)
    return report


@transaction.atomic
def submit_report(
    *,
    obligation: Obligation,
    content: shape.Content,
    token: str,
    by: User,
    at: dt.datetime,
    draft_revision: int | None = None,
) -> ReportVersion:
    """Accept a report: one more immutable version with its receipt, whatever the clock does meanwhile.

    `content` is valid (forms.WeeklyForm.content). `at` was taken when the request arrived, before any
    lock. The same token, or the same content as the current version, gives the version that is there.
    The draft goes, unless somebody has saved a newer one than `draft_revision`. Raises PermissionDenied.
    """
    _may_fill_now(obligation, by, at)
    WeeklyReport.objects.get_or_create(obligation=obligation)
    report = WeeklyReport.objects.select_for_update().get(pk=obligation.pk)
    if sent := report.versions.filter(token=token).first():
        return sent
    content_hash = drafts.content_hash(content)
    if report.current and report.current.content_hash == content_hash:
        report.drop_draft(draft_revision)
        return report.current
    version = _store(report, content, content_hash, token=token, by=by, at=at)
    report.drop_draft(draft_revision)
    obligations.fulfil(obligation, received_at=at)
    for correction in open_corrections(obligation):
        obligations.fulfil(correction, received_at=at)
    events.record(
        "report_submitted" if version.number == 1 else "report_corrected",
        obligation,
        by=by,
        at=at,
        organization_id=obligation.organization_id,
        to_state=obligation.state,
        changes={"回执": version.receipt, "版本": version.number, "内容摘要": content_hash},
    )
    return version


def _may_fill_now(obligation: Obligation, by: User, at: dt.datetime) -> None:
    if not permissions.may_fill(by, obligation):
        raise PermissionDenied("周报由本校联系人或其代理人填报。")
    now = filing(obligation, at)
    if now == Filing.NOT_OPEN:
        raise PermissionDenied("本期周报尚未开始填报。")
    if now == Filing.LEFT:
        raise PermissionDenied("学校已退出试点，本期已关闭，不再接收周报。")


def _store(
    report: WeeklyReport, content: shape.Content, content_hash: str, *, token: str, by: User, at: dt.datetime
) -> ReportVersion:
    version = ReportVersion.objects.create(
        report=report,
        number=report.versions.count() + 1,
        receipt=drafts.new_receipt(ReportVersion, "ZB", at),
        token=token,
        received_at=at,
        submitted_by=by,
        is_zero=content["is_zero"],
        content=content,
        content_hash=content_hash,
    )
    ProgrammeFigures.objects.bulk_create(
        ProgrammeFigures(
            version=version,
            programme_id=int(pk),
            **{**row, "training_hours": Decimal(row["training_hours"])},
        )
        for pk, row in content["programmes"].items()
    )
    report.current = version
    report.save(update_fields=["current"])
    return version


@transaction.atomic
def return_for_correction(*, obligation: Obligation, reason: str, by: User, at: dt.datetime) -> Obligation:
    """Send a filed report back: opens a `correction` obligation, and leaves the outcome as it is.

    Due some working days on (the policy's), at the policy's time, and open until done. Each version is
    returned once. Raises ValidationError, PermissionDenied.
    """
    if not permissions.may_return(by, obligation):
        raise PermissionDenied("只有省推进办和学校的主管部门可以退回周报。")
    reason = reason.strip()
    if not reason:
        raise ValidationError({"reason": "请写明要更正什么。"})
    report = WeeklyReport.objects.select_for_update().filter(pk=obligation.pk).first()
    if report is None or report.current is None:
        raise ValidationError("本期还没有收到周报，无可退回。")
    period = Period.objects.select_related("policy").get(obligations=obligation)
    key = f"{obligation.key}-v{report.current.number}"
    if Obligation.objects.filter(
        organization=obligation.organization_id, kind=ObligationKind.CORRECTION, key=key
    ).exists():
        raise ValidationError("这一版已经退回，正等待学校更正。")
    due_day = add_working_days(clock.local(at).date(), period.policy.correction_working_days)
    correction = obligations.owe(
        organization=obligation.organization,
        kind=ObligationKind.CORRECTION,
        key=key,
        title=f"更正{period.label}周报",
        opens_at=at,
        due_at=clock.at(due_day, period.policy.due_time),
        link=reverse("reporting:edit", args=[obligation.pk]),
    )
    _record_return(obligation, correction, reason, by=by, at=at)
    return correction


def _record_return(
    obligation: Obligation, correction: Obligation, reason: str, *, by: User, at: dt.datetime
) -> None:
    events.record(
        "report_returned",
        obligation,
        by=by,
        at=at,
        organization_id=obligation.organization_id,
        changes={"更正截止": f"{clock.local(correction.due_at):%Y-%m-%d %H:%M}"},
        reason=reason,
    )
    people = User.objects.active().filter(
        organization=obligation.organization_id, role__in=Role.of_a_school()
    )
    notices.tell(
        [
            notices.Message(
                user.pk, f"correction:{correction.pk}", f"{correction.title}：{reason}", correction.link
            )
            for user in people
        ],
        at=at,
    )
