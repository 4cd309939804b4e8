"""The weekly form and what follows it: check your answers, receipt."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import typed as kept_typed
from accounts.typed import keeps_typed
from core import clock, draft_pages
from core.drafts import DraftConflict, content_hash, token_of
from core.models import Event
from obligations.models import Obligation
from reporting import content as shape
from reporting import permissions, services
from reporting.forms import WeeklyForm, told
from reporting.models import ReportVersion, WeeklyReport
from reporting.sheet import Sheet, filing, open_corrections, sheet_for
from reporting.summaries.scope import summaries_visible_to

form_methods = require_http_methods(["GET", "HEAD", "POST"])


def weekly_or_404(request: HttpRequest, pk: int) -> Obligation:
    weeks = Obligation.objects.visible_to(request.user).weekly()
    return get_object_or_404(weeks.select_related("organization", "period__policy", "excused_by"), pk=pk)


def page_of_summary(request: HttpRequest, pk: int, name: str) -> HttpResponse | None:
    """To the page of a monthly report or half-year summary; None for a weekly report.

    The matrix, the lists and what is sent from them know obligations, and lead here whatever their kind."""
    found = summaries_visible_to(request.user).filter(pk=pk).exists()
    return redirect(f"summaries:{name}", pk) if found else None


def _to_fill(request: HttpRequest, pk: int) -> Obligation:
    obligation = weekly_or_404(request, pk)
    if not permissions.may_fill(request.user, obligation):
        raise PermissionDenied("周报由院校联系人或其代理人填报，您可以查看，不能填报。")
    return obligation


def report_of(obligation: Obligation) -> WeeklyReport | None:
    rows = WeeklyReport.objects.select_related("current", "draft_saved_by", "obligation")
    return rows.filter(pk=obligation.pk).first()


def page_context(
    request: HttpRequest, obligation: Obligation, at: dt.datetime, **more: Any
) -> dict[str, Any]:
    """What every page of the form shows at its top."""
    returned = open_corrections(obligation).last()
    return {
        "obligation": obligation,
        "period": obligation.period,
        "organization": obligation.organization,
        "filing": filing(obligation, at),
        "correction": returned,
        "return_reason": return_reason(obligation) if returned else "",
        "storage_key": f"weekly:{obligation.pk}:{request.user.pk}",
        **more,
    }


def return_reason(obligation: Obligation) -> str:
    event = Event.objects.about(obligation).filter(action="report_returned").last()
    return event.reason if event else ""


@keeps_typed
@form_methods
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The form. POST saves the draft first, whatever it holds, then goes where `action` says."""
    at = clock.now()
    if page := page_of_summary(request, pk, "edit"):
        return page
    obligation = _to_fill(request, pk)
    if filing(obligation, at).locked:
        return render(
            request, "reporting/weekly/locked.html", page_context(request, obligation, at), status=403
        )
    sheet = sheet_for(obligation)
    if request.method == "POST":
        return _save(request, sheet, at)
    report = report_of(obligation)
    if restored := kept_typed.kept(request):
        typed = shape.typed_from(restored, sheet.names)
        messages.info(request, "已恢复登录失效前填写的内容，请保存或继续。")
        return _show(request, sheet, report, at, typed=typed, revision=restored.get("revision", "0"))
    return _show(request, sheet, report, at, typed=sheet.start(report), checked="check" in request.GET)


def _show(
    request: HttpRequest,
    sheet: Sheet,
    report: WeeklyReport | None,
    at: dt.datetime,
    *,
    typed: shape.Typed,
    checked: bool = False,
    revision: str = "",
) -> HttpResponse:
    form = WeeklyForm(sheet, typed) if checked else WeeklyForm(sheet, initial=typed)
    if checked:
        form.is_valid()
    context = page_context(
        request,
        sheet.obligation,
        at,
        form=form,
        rows=form.rows(),
        sheet=sheet,
        kept=sheet.kept(report),
        year=sheet.year,
        report=report,
        revision=revision or (report.draft_revision if report else 0),
        jump_factor=shape.JUMP_FACTOR,
        ordered=shape.ORDERED,
    )
    status = 422 if checked and form.errors else 200
    return render(request, "reporting/weekly/edit.html", context, status=status)


def _save(request: HttpRequest, sheet: Sheet, at: dt.datetime) -> HttpResponse:
    obligation = sheet.obligation
    typed = shape.typed_from(request.POST, sheet.names)
    if request.POST.get("action") == "merge":
        typed = draft_pages.merged(request, typed, sheet.start(report_of(obligation)))
    try:
        report = services.save_draft(
            obligation=obligation,
            typed=typed,
            revision=draft_pages.revision_of(request.POST),
            by=request.user,
            at=at,
        )
    except DraftConflict as conflict:
        return _show_conflict(request, sheet, typed, conflict.record, at)
    kept_typed.forget(request)
    if request.POST.get("action") != "check":
        messages.success(request, f"草稿已保存 {clock.local(at):%H:%M:%S}，尚未报送。")
        return redirect("reporting:edit", obligation.pk)
    if WeeklyForm(sheet, typed).is_valid():
        return redirect("reporting:check", obligation.pk)
    return _show(request, sheet, report, at, typed=typed, checked=True)


def _show_conflict(
    request: HttpRequest, sheet: Sheet, mine: shape.Typed, report: WeeklyReport, at: dt.datetime
) -> HttpResponse:
    """Both versions side by side; nothing is written until one has chosen."""
    context = page_context(
        request,
        sheet.obligation,
        at,
        differences=shape.differences(mine, sheet.start(report), sheet.names),
        mine=mine,
        record=report,
        form_url=reverse("reporting:edit", args=[sheet.obligation.pk]),
    )
    return render(request, "reporting/weekly/conflict.html", context, status=409)


@require_POST
def draft(request: HttpRequest, pk: int) -> HttpResponse:
    """Autosave: 200 {revision, saved_at}; 409 {message} when the stored draft is another one; 403 {message}."""
    at = clock.now()
    obligation = weekly_or_404(request, pk)
    typed = shape.typed_from(request.POST, sheet_for(obligation).names)
    try:
        report = services.save_draft(
            obligation=obligation,
            typed=typed,
            revision=draft_pages.revision_of(request.POST),
            by=request.user,
            at=at,
        )
    except DraftConflict as conflict:
        return draft_pages.changed_elsewhere(conflict.record, "周报")
    except PermissionDenied as refusal:
        return JsonResponse({"message": str(refusal)}, status=403)
    kept_typed.forget(request, reverse("reporting:edit", args=[pk]))
    return draft_pages.saved(report, at)


@form_methods
def check(request: HttpRequest, pk: int) -> HttpResponse:
    """Check your answers; POST sends. The token names draft and content, so resending finds the receipt."""
    at = clock.now()
    obligation = _to_fill(request, pk)
    report = report_of(obligation)
    sent = report and report.versions.filter(token=request.POST.get("token", "")).first()
    if sent:
        return redirect("reporting:receipt", sent.receipt)
    if report is None or report.draft is None:
        return redirect("reporting:report" if report and report.current else "reporting:edit", pk)
    sheet = sheet_for(obligation)
    form = WeeklyForm(sheet, report.draft)
    if filing(obligation, at).locked or not form.is_valid():
        return redirect(f"{reverse('reporting:edit', args=[pk])}?check")
    content = form.content
    token = token_of(report, content)
    if request.method == "POST":
        return _send(request, report, content, token, at)
    context = page_context(
        request,
        obligation,
        at,
        sheet=sheet,
        kept=sheet.kept(report),
        report=report,
        token=token,
        content=content,
        rows=told(content, sheet.before, sheet.names),
        previous=sheet.previous,
        texts=texts_of(content),
        unused=form.has_unused_figures,
        unchanged=bool(report.current) and report.current.content_hash == content_hash(content),
    )
    return render(request, "reporting/weekly/check.html", context)


def _send(
    request: HttpRequest, report: WeeklyReport, content: shape.Content, token: str, at: dt.datetime
) -> HttpResponse:
    if request.POST.get("token") != token:
        messages.warning(request, "您检查之后草稿又被修改过，尚未报送。请再检查一次。")
        return redirect("reporting:check", report.pk)
    version = services.submit_report(
        obligation=report.obligation,
        content=content,
        token=token,
        by=request.user,
        at=at,
        draft_revision=report.draft_revision,
    )
    if version.token != token:
        messages.info(request, "内容与已收到的版本相同，没有产生新版本。")
    kept_typed.forget(request, reverse("reporting:edit", args=[report.pk]))
    return redirect("reporting:receipt", version.receipt)


def texts_of(content: shape.Content) -> list[tuple[str, str]]:
    return [(label, content[name]) for name, label in shape.TEXTS.items()]


@require_safe
def receipt(request: HttpRequest, receipt: str) -> HttpResponse:
    version = get_object_or_404(
        ReportVersion.objects.visible_to(request.user).select_related(
            "report__current",
            "report__obligation__organization",
            "report__obligation__period",
            "submitted_by__organization",
        ),
        receipt=receipt,
    )
    obligation = version.report.obligation
    context = {
        "version": version,
        "obligation": obligation,
        "period": obligation.period,
        "organization": obligation.organization,
        "replaced": version.report.current_id != version.pk,
        "storage_key": f"weekly:{obligation.pk}:{request.user.pk}",
    }
    return render(request, "reporting/weekly/receipt.html", context)
