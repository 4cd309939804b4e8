"""Verbs on weekly reports, monthly reports and half-year summaries. Instants are aware (UTC)."""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.urls import reverse

from accounts.models import Role, User
from core import clock, draft_files, drafts, events, notices
from obligations import services as obligations
from obligations.calendar import add_working_days
from obligations.models import Obligation, ObligationKind, Period
from reporting import content as shape
from reporting import permissions
from reporting.models import ProgrammeFigures, ReportVersion, Summary, SummaryVersion, WeeklyReport
from reporting.sheet import Filing, corrections, filing

events.register(
    report_submitted="提交周报",
    report_corrected="提交更正后的周报",
    report_returned="退回更正",
    summary_submitted="提交月报或总结",
    summary_corrected="提交更正后的月报或总结",
)

# Who files what, as refusals say it.
FILED_BY = {
    ObligationKind.WEEKLY_REPORT: "周报由本校联系人或其代理人填报。",
    ObligationKind.MONTHLY_REPORT: "月报由评价组织填报。",
    ObligationKind.HALF_YEAR_SUMMARY: "半年总结由院校联系人或其代理人、评价组织填报。",
}
PREFIXES = {
    ObligationKind.WEEKLY_REPORT: "ZB",
    ObligationKind.MONTHLY_REPORT: "YB",
    ObligationKind.HALF_YEAR_SUMMARY: "BN",
}


def records_of(obligation: Obligation) -> Any:
    """The model that holds what is filed for it."""
    return WeeklyReport if obligation.kind == ObligationKind.WEEKLY_REPORT else Summary


@transaction.atomic
def save_draft(
    *,
    obligation: Obligation,
    typed: shape.Typed,
    revision: int,
    by: User,
    at: dt.datetime,
    uploads: Iterable[Any] = (),
) -> Any:
    """Keep what was typed, valid or not, and the uploaded files of a summary with it; the record.

    Raises DraftConflict (nothing is kept then), PermissionDenied, ValidationError for a file.
    """
    _may_fill_now(obligation, by, at)
    report, _ = records_of(obligation).objects.get_or_create(obligation=obligation)
    if draft_files.FIELD in typed:
        typed = draft_files.taken_in(report, typed, uploads, by=by, at=at)
    # What the form no longer asks, because its programme has become dormant, stays in the draft.
    report.save_draft(typed={**(report.draft or {}), **typed}, revision=revision, by=by, at=at)
    if draft_files.FIELD in typed:
        draft_files.forget_loose(report, by=by, at=at)
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
    sent, is_new = receive(
        obligation=obligation, content=content, token=token, by=by, at=at, draft_revision=draft_revision
    )
    version: ReportVersion = sent
    if is_new:
        _store_figures(version, content)
    return version


@transaction.atomic
def submit_summary(
    *,
    obligation: Obligation,
    content: shape.Content,
    token: str,
    by: User,
    at: dt.datetime,
    draft_revision: int | None = None,
) -> SummaryVersion:
    """Accept a monthly report or half-year summary, as `submit_report` accepts a weekly one.

    `content` is valid (summaries.forms.SummaryForm.content)."""
    version: SummaryVersion
    version, _ = receive(
        obligation=obligation, content=content, token=token, by=by, at=at, draft_revision=draft_revision
    )
    return version


def receive(
    *,
    obligation: Obligation,
    content: shape.Content,
    token: str,
    by: User,
    at: dt.datetime,
    draft_revision: int | None,
) -> tuple[Any, bool]:
    """(the version, whether it is a new one). What is owed is fulfilled, late or not."""
    _may_fill_now(obligation, by, at)
    records = records_of(obligation)
    records.objects.get_or_create(obligation=obligation)
    report = records.objects.select_for_update().get(pk=obligation.pk)
    if sent := report.versions.filter(token=token).first():
        return sent, False
    content_hash = drafts.content_hash(content)
    if report.current and report.current.content_hash == content_hash:
        report.drop_draft(draft_revision)
        return report.current, False
    version = report.versions.create(
        number=report.versions.count() + 1,
        receipt=drafts.new_receipt(report.versions.model, PREFIXES[ObligationKind(obligation.kind)], at),
        token=token,
        received_at=at,
        submitted_by=by,
        is_zero=content["is_zero"],
        content=content,
        content_hash=content_hash,
    )
    report.current = version
    report.save(update_fields=["current"])
    report.drop_draft(draft_revision)
    obligations.fulfil(obligation, received_at=at)
    for correction in corrections(obligation):
        obligations.fulfil(correction, received_at=at)
    noun = "report" if records is WeeklyReport else "summary"
    events.record(
        f"{noun}_submitted" if version.number == 1 else f"{noun}_corrected",
        obligation,
        by=by,
        at=at,
        organization_id=obligation.organization_id,
        to_state=obligation.state,
        changes={"回执": version.receipt, "版本": version.number, "内容摘要": content_hash},
    )
    return version, True


def _may_fill_now(obligation: Obligation, by: User, at: dt.datetime) -> None:
    if not permissions.may_fill(by, obligation):
        raise PermissionDenied(FILED_BY[ObligationKind(obligation.kind)])
    now, noun = filing(obligation, at), ObligationKind(obligation.kind).label
    if now == Filing.NOT_OPEN:
        raise PermissionDenied(f"本期{noun}尚未开始填报。")
    if now == Filing.LEFT:
        raise PermissionDenied(f"学校已退出试点，本期已关闭，不再接收{noun}。")


def _store_figures(version: ReportVersion, content: shape.Content) -> None:
    ProgrammeFigures.objects.bulk_create(
        ProgrammeFigures(
            version=version,
            programme_id=int(pk),
            **{**row, "training_hours": Decimal(row["training_hours"])},
        )
        for pk, row in content["programmes"].items()
    )


@transaction.atomic
def return_for_correction(*, obligation: Obligation, reason: str, by: User, at: dt.datetime) -> Obligation:
    """Send a filed report back: opens a `correction` obligation, and leaves the outcome as it is.

    Due some working days on (the policy's), at the policy's time, and open until done. Each version is
    returned once. Raises ValidationError, PermissionDenied.
    """
    if not permissions.may_return(by, obligation):
        raise PermissionDenied("只有省推进办和学校的主管部门可以退回更正。")
    reason = reason.strip()
    if not reason:
        raise ValidationError({"reason": "请写明要更正什么。"})
    report = records_of(obligation).objects.select_for_update().filter(pk=obligation.pk).first()
    if report is None or report.current is None:
        raise ValidationError(f"本期还没有收到{ObligationKind(obligation.kind).label}，无可退回。")
    period = Period.objects.select_related("policy").get(obligations=obligation)
    key = f"{obligation.key}-v{report.current.number}"
    if Obligation.objects.filter(
        organization=obligation.organization_id, kind=ObligationKind.CORRECTION, key=key
    ).exists():
        raise ValidationError("这一版已经退回，正等待更正。")
    due_day = add_working_days(clock.local(at).date(), period.policy.correction_working_days)
    correction = obligations.owe(
        organization=obligation.organization,
        kind=ObligationKind.CORRECTION,
        key=key,
        title=f"更正{period}",
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
        organization=obligation.organization_id, role__in=Role.of_an_organization()
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
