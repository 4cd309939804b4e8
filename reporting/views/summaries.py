"""Monthly reports and half-year summaries: fill in, check, send, receipt, read, send back."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts import typed as kept_typed
from accounts.typed import keeps_typed
from core import clock, draft_files, draft_pages
from core.drafts import DraftConflict, content_hash, token_of
from core.models import Attachment
from obligations.models import Obligation, ObligationKind
from obligations.permissions import may_excuse
from reporting import permissions, services
from reporting.actions import Action, why_not_fill, why_not_return
from reporting.forms import ReturnForm
from reporting.models import Summary, SummaryVersion
from reporting.sheet import filing, open_corrections, until_words
from reporting.summaries import content as shapes
from reporting.summaries.forms import SummaryForm, UploadForm, told, told_sums, told_texts
from reporting.summaries.scope import summaries_visible_to
from reporting.summaries.sheet import Sheet, sheet_for
from reporting.views.weekly import form_methods, return_reason


def summary_or_404(request: HttpRequest, pk: int) -> Obligation:
    rows = summaries_visible_to(request.user)
    return get_object_or_404(rows.select_related("organization", "period__policy", "excused_by"), pk=pk)


def _to_fill(request: HttpRequest, pk: int) -> Obligation:
    obligation = summary_or_404(request, pk)
    if not permissions.may_fill(request.user, obligation):
        raise PermissionDenied(f"{services.FILED_BY[ObligationKind(obligation.kind)]}您可以查看，不能填报。")
    return obligation


def report_of(obligation: Obligation) -> Summary | None:
    rows = Summary.objects.select_related("current", "draft_saved_by", "obligation")
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
        "storage_key": f"summary:{obligation.pk}:{request.user.pk}",
        "sheet": None,
        **more,
    }


@keeps_typed
@form_methods
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The form. POST saves the draft first, whatever it holds, then goes where `action` says."""
    at = clock.now()
    obligation = _to_fill(request, pk)
    if filing(obligation, at).locked:
        context = page_context(request, obligation, at)
        return render(request, "reporting/summaries/locked.html", context, status=403)
    sheet = sheet_for(obligation)
    if request.method == "POST":
        return _save(request, sheet, at)
    report = report_of(obligation)
    if restored := kept_typed.kept(request):
        typed = sheet.shape.typed_from(restored, sheet.names)
        messages.info(request, "已恢复登录失效前填写的内容，请保存或继续。")
        return _show(request, sheet, report, at, typed=typed, revision=restored.get("revision", "0"))
    typed = sheet.start(report, copy="copy" in request.GET)
    return _show(request, sheet, report, at, typed=typed, checked="check" in request.GET)


def _show(
    request: HttpRequest,
    sheet: Sheet,
    report: Summary | None,
    at: dt.datetime,
    *,
    typed: shapes.Typed,
    checked: bool = False,
    revision: str = "",
    refused: list[str] | None = None,
) -> HttpResponse:
    files = sheet.files(report, typed)
    form = SummaryForm(sheet, typed, files=files) if checked else SummaryForm(sheet, initial=typed)
    if checked:
        form.is_valid()
    context = page_context(
        request,
        sheet.obligation,
        at,
        form=form,
        rows=form.rows(),
        sums=told_sums(sheet.shape, sheet.given_sums),
        previous=sheet.previous,
        has_said=bool(sheet.shape.said),
        has_files=sheet.shape.has_files,
        files=files,
        typed_files=typed.get(draft_files.FIELD, ""),
        upload=UploadForm(),
        refused=refused or [],
        report=report,
        row_noun=sheet.shape.row_noun,
        revision=revision or (report.draft_revision if report else 0),
    )
    status = 422 if refused or (checked and form.errors) else 200
    return render(request, "reporting/summaries/edit.html", context, status=status)


def _save(request: HttpRequest, sheet: Sheet, at: dt.datetime) -> HttpResponse:
    obligation, action = sheet.obligation, request.POST.get("action", "")
    typed = sheet.shape.typed_from(request.POST, sheet.names)
    if action == "merge":
        typed = draft_pages.merged(request, typed, sheet.start(report_of(obligation)))
    if action.startswith("remove:") and draft_files.FIELD in typed:
        kept = [pk for pk in draft_files.ids_of(typed) if pk != action.removeprefix("remove:")]
        typed[draft_files.FIELD] = " ".join(kept)
    try:
        report = services.save_draft(
            obligation=obligation,
            typed=typed,
            revision=draft_pages.revision_of(request.POST),
            by=request.user,
            at=at,
            uploads=request.FILES.getlist("attachments"),
        )
    except DraftConflict as conflict:
        return _show_conflict(request, sheet, typed, conflict.record, at)
    except ValidationError as error:
        record = report_of(obligation)
        return _show(request, sheet, record, at, typed=typed, refused=error.messages)
    kept_typed.forget(request)
    if action != "check":
        messages.success(request, f"草稿已保存 {clock.local(at):%H:%M:%S}，尚未报送。")
        return redirect("summaries:edit", obligation.pk)
    typed = {name: report.draft.get(name, "") for name in typed}
    if SummaryForm(sheet, typed).is_valid():
        return redirect("summaries:check", obligation.pk)
    return _show(request, sheet, report, at, typed=typed, checked=True)


def _show_conflict(
    request: HttpRequest, sheet: Sheet, mine: shapes.Typed, record: Any, at: dt.datetime
) -> HttpResponse:
    """Both versions side by side; nothing is written until one has chosen."""
    context = page_context(
        request,
        sheet.obligation,
        at,
        differences=sheet.shape.differences(mine, sheet.start(record), sheet.names),
        mine=mine,
        record=record,
        form_url=reverse("summaries:edit", args=[sheet.obligation.pk]),
    )
    return render(request, "reporting/summaries/conflict.html", context, status=409)


@require_POST
def draft(request: HttpRequest, pk: int) -> HttpResponse:
    """Autosave: 200 {revision, saved_at}; 409 {message} when the stored draft is another one; 403 {message}."""
    at = clock.now()
    obligation = summary_or_404(request, pk)
    sheet = sheet_for(obligation)
    try:
        report = services.save_draft(
            obligation=obligation,
            typed=sheet.shape.typed_from(request.POST, sheet.names),
            revision=draft_pages.revision_of(request.POST),
            by=request.user,
            at=at,
        )
    except DraftConflict as conflict:
        return draft_pages.changed_elsewhere(conflict.record, str(obligation.period))
    except PermissionDenied as refusal:
        return JsonResponse({"message": str(refusal)}, status=403)
    kept_typed.forget(request, reverse("summaries:edit", args=[pk]))
    return draft_pages.saved(report, at)


@form_methods
def check(request: HttpRequest, pk: int) -> HttpResponse:
    """Check your answers; POST sends. The token names draft and content, so resending finds the receipt."""
    at = clock.now()
    obligation = _to_fill(request, pk)
    report = report_of(obligation)
    sent = report and report.versions.filter(token=request.POST.get("token", "")).first()
    if sent:
        return redirect("summaries:receipt", sent.receipt)
    if report is None or report.draft is None:
        return redirect("summaries:detail" if report and report.current else "summaries:edit", pk)
    sheet = sheet_for(obligation)
    form = SummaryForm(sheet, report.draft, files=sheet.files(report, report.draft))
    if filing(obligation, at).locked or not form.is_valid():
        return redirect(f"{reverse('summaries:edit', args=[pk])}?check")
    content = form.content
    token = token_of(report, content)
    if request.method == "POST":
        return _send(request, report, content, token, at)
    context = page_context(
        request,
        obligation,
        at,
        report=report,
        token=token,
        unchanged=bool(report.current) and report.current.content_hash == content_hash(content),
        files=form.files,
        **_told(sheet.shape, content),
    )
    return render(request, "reporting/summaries/check.html", context)


def _told(shape: shapes.Shape, content: shapes.Content | None) -> dict[str, Any]:
    """What _told.html reads."""
    return {
        "content": content,
        "rows": told(shape, content) if content else [],
        "sums": told_sums(shape, content["sums"]) if content else [],
        "texts": told_texts(shape, content) if content else [],
    }


def _send(
    request: HttpRequest, report: Summary, content: shapes.Content, token: str, at: dt.datetime
) -> HttpResponse:
    if request.POST.get("token") != token:
        messages.warning(request, "您检查之后草稿又被修改过，或各项合计已有变化，尚未报送。请再检查一次。")
        return redirect("summaries:check", report.pk)
    version = services.submit_summary(
        obligation=report.obligation,
        content=content,
        token=token,
        by=request.user,
        at=at,
        draft_revision=report.draft_revision,
    )
    if version.token != token:
        messages.info(request, "内容与已收到的版本相同，没有产生新版本。")
    kept_typed.forget(request, reverse("summaries:edit", args=[report.pk]))
    return redirect("summaries:receipt", version.receipt)


@require_safe
def receipt(request: HttpRequest, receipt: str) -> HttpResponse:
    version = get_object_or_404(
        SummaryVersion.objects.visible_to(request.user).select_related(
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
        "storage_key": f"summary:{obligation.pk}:{request.user.pk}",
    }
    return render(request, "reporting/summaries/receipt.html", context)


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """To be read and printed: current version, older ones, receipts, timeline, actions."""
    at = clock.now()
    obligation = summary_or_404(request, pk)
    found = report_of(obligation)
    versions = list(found.versions.select_related("submitted_by__organization")) if found else []
    current = versions[-1] if versions else None
    shape = shapes.shape_of(obligation)
    context = page_context(
        request,
        obligation,
        at,
        current=current,
        files=_files_of(found, current),
        history=_with_differences(shape, versions),
        actions=_actions(request, obligation, current, at),
        **_told(shape, current.content if current else None),
    )
    return render(request, "reporting/summaries/detail.html", context)


def _files_of(report: Summary | None, version: SummaryVersion | None) -> list[Attachment]:
    if report is None or version is None:
        return []
    return draft_files.files_of(
        report, {draft_files.FIELD: " ".join(f["id"] for f in version.content.get(draft_files.FIELD, []))}
    )


def _with_differences(shape: shapes.Shape, versions: list[SummaryVersion]) -> list[tuple[Any, list[Any]]]:
    """Newest first, each with what it changed of the one before."""
    typed = [shape.typed_of(version.content) for version in versions]
    names = {pk: row["name"] for v in versions for pk, row in v.content["rows"].items()}
    return [
        (version, shape.differences(typed[i - 1], typed[i], names) if i else [])
        for i, version in enumerate(versions)
    ][::-1]


def _actions(
    request: HttpRequest, obligation: Obligation, current: SummaryVersion | None, at: dt.datetime
) -> list[Action]:
    actions, user = [], request.user
    noun = ObligationKind(obligation.kind).label
    if user.organization_id == obligation.organization_id:
        label = f"更正{noun}" if current else f"填写{noun}"
        url = reverse("summaries:edit", args=[obligation.pk])
        actions.append(Action(label, url, why_not_fill(user, obligation, at)))
    if permissions.may_return(user, obligation):
        url = reverse("summaries:return", args=[obligation.pk])
        actions.append(Action("退回更正", url, why_not_return(obligation, current)))
    if may_excuse(user, obligation):
        label, name = ("撤销谅解", "withdraw-excuse") if obligation.excused_at else ("谅解未报", "excuse")
        actions.append(Action(label, reverse(f"reporting:{name}", args=[obligation.pk])))
    return actions


@keeps_typed
@form_methods
def return_summary(request: HttpRequest, pk: int) -> HttpResponse:
    """Send it back, with the reason."""
    obligation = summary_or_404(request, pk)
    if not permissions.may_return(request.user, obligation):
        raise PermissionDenied("只有省推进办和学校的主管部门可以退回更正。")
    form = ReturnForm(request.POST or kept_typed.take(request) or None)
    if request.method == "POST" and form.is_valid():
        try:
            correction = services.return_for_correction(
                obligation=obligation, reason=form.cleaned_data["reason"], by=request.user, at=clock.now()
            )
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            messages.success(request, f"已退回并发出通知，{until_words(correction)}。")
            return redirect("summaries:detail", obligation.pk)
    context = {"form": form, "obligation": obligation, "period": obligation.period}
    return render(request, "reporting/summaries/return.html", context)
