"""The evaluator's side of its filing: fill in 附件3, check your answers, receipt, the paper, its stamped scan."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import typed as kept_typed
from accounts.typed import keeps_typed
from certificates.models import Certificate
from core import clock, draft_pages, exports, links
from core.drafts import DraftConflict, content_hash, token_of
from core.imports.faults import FileRefused
from core.models import Attachment
from evaluators import filing_content as shape
from evaluators import permissions, staff_sheet
from evaluators.forms.filings import FilesForm, FilingForm, RevealForm, ScanForm, StaffFileForm
from evaluators.models import EvaluatorFiling, EvaluatorFilingVersion
from evaluators.services import filings
from evaluators.views.filing_reviews import certificate_of

# What becomes of the rows that stand there when a sheet is read.
REPLACE, APPEND = "staff-replace", "staff-append"

form_methods = require_http_methods(["GET", "HEAD", "POST"])


def _to_fill(request: HttpRequest, pk: int) -> Certificate:
    certificate = certificate_of(request.user, pk)
    if not permissions.may_file(request.user, certificate):
        raise PermissionDenied(filings.ONLY_OWNER)
    return certificate


def _record_of(certificate: Certificate) -> EvaluatorFiling | None:
    rows = EvaluatorFiling.objects.select_related("current", "draft_saved_by", "certificate__owner")
    return rows.filter(pk=certificate.pk).first()


def start(record: EvaluatorFiling | None) -> shape.Typed:
    """What the form shows first: the draft, else the filed version, else nothing."""
    if record and record.draft is not None:
        return record.draft
    if record and record.current:
        return shape.typed_of(record.current.content)
    return {}


def _files(record: EvaluatorFiling | None, typed: shape.Typed) -> dict[str, list[Attachment]]:
    if record is None or not shape.all_file_ids(typed):
        return {}
    found = {str(file.pk): file for file in Attachment.objects.of(record)}
    return {kind: [found[pk] for pk in shape.file_ids(typed, kind) if pk in found] for kind in shape.FILES}


def page_context(
    request: HttpRequest, certificate: Certificate, record: EvaluatorFiling | None
) -> dict[str, Any]:
    owed = list(filings.duties(certificate).pending())
    return {
        "certificate": certificate,
        "record": record,
        "duty": owed[-1] if owed else None,
        "is_late": any(duty.due_at <= clock.now() for duty in owed),
        "storage_key": f"evaluator-filing:{certificate.pk}:{request.user.pk}",
    }


@keeps_typed
@form_methods
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The form. POST saves the draft and its files first, then goes where `action` says."""
    certificate = _to_fill(request, pk)
    if request.method == "POST":
        return _save(request, certificate, clock.now())
    record = _record_of(certificate)
    if restored := kept_typed.kept(request):
        messages.info(request, "已恢复登录失效前填写的内容，请保存或继续；选过的文件要重新选。")
        typed, revision = shape.typed_from(restored), restored.get("revision", "0")
        return _show(request, certificate, record, typed, revision=revision)
    return _show(request, certificate, record, start(record), check="check" in request.GET)


def _show(
    request: HttpRequest,
    certificate: Certificate,
    record: EvaluatorFiling | None,
    typed: shape.Typed,
    *,
    check: bool = False,
    revision: str = "",
    upload: FilesForm | None = None,
    sheet: StaffFileForm | None = None,
) -> HttpResponse:
    rows = request.GET.get("rows", "")
    files = _files(record, typed)
    upload, sheet = upload or FilesForm(), sheet or StaffFileForm()
    form = FilingForm(
        typed,
        files=files,
        refused=upload.refused(),
        rows=int(rows) if rows.isdecimal() and len(rows) < 4 else shape.ROWS_SHOWN,
        check=check,
    )
    context = page_context(request, certificate, record) | {
        "form": form,
        "upload": upload,
        "sheet": sheet,
        "kinds": [
            {
                "name": kind,
                "label": label,
                "is_required": kind in shape.REQUIRED_FILES,
                "files": files.get(kind, []),
                "field": upload[f"upload_{kind}"],
                "typed": typed.get(kind, ""),
            }
            for kind, label in shape.FILES.items()
        ],
        "revision": revision or (record.draft_revision if record else 0),
    }
    wrong = (check and form.errors) or upload.errors or sheet.errors
    return _private(render(request, "evaluators/filings/edit.html", context, status=422 if wrong else 200))


def _private(response: HttpResponse) -> HttpResponse:
    """No copy of the page stays in a browser that others may use."""
    response["Cache-Control"] = "private, no-store"
    return response


def _save(request: HttpRequest, certificate: Certificate, at: dt.datetime) -> HttpResponse:
    typed, action = shape.typed_from(request.POST), request.POST.get("action", "")
    if action == "merge":
        typed = shape.take(typed, start(_record_of(certificate)), _chosen(request))
    if action.startswith("remove:"):
        gone = action.removeprefix("remove:")
        for kind in shape.FILES:
            typed[kind] = " ".join(pk for pk in shape.file_ids(typed, kind) if pk != gone)
    typed, sheet = _with_sheet(request, typed, action)
    upload = FilesForm(request.POST, request.FILES)
    upload.is_valid()
    draft: dict[str, Any] = {
        "certificate": certificate,
        "revision": draft_pages.revision_of(request.POST),
        "by": request.user,
        "at": at,
    }
    try:
        record = filings.save_draft(typed=typed, uploads=upload.uploads(), **draft)
    except DraftConflict as conflict:
        return _show_conflict(request, certificate, typed, conflict.record)
    except ValidationError as refusal:
        upload.add_error(None, refusal)
        record = filings.save_draft(typed=typed, **draft)
    kept_typed.forget(request)
    typed = record.draft or typed
    if upload.errors or sheet.errors:
        check = action == "check"
        return _show(request, certificate, record, typed, check=check, upload=upload, sheet=sheet)
    if action == "check":
        if FilingForm(typed, files=_files(record, typed), check=True).is_valid():
            return redirect("evaluator-filings:check", certificate.pk)
        return _show(request, certificate, record, typed, check=True)
    return _saved(request, certificate, typed, action, at)


def _with_sheet(request: HttpRequest, typed: shape.Typed, action: str) -> tuple[shape.Typed, StaffFileForm]:
    """The text with the staff of an uploaded sheet; unchanged where the sheet has errors."""
    sheet = StaffFileForm(request.POST, request.FILES)
    chosen = action in {REPLACE, APPEND}
    if not sheet.is_valid():
        return typed, sheet
    file = sheet.cleaned_data["staff_file"]
    if not file or not chosen:
        if chosen:
            sheet.add_error("staff_file", "请选择要上传的文件。")
        elif file:
            sheet.add_error("staff_file", "表格还没有读入。请重新选择，再按“替换现有人员”或“追加到后面”。")
        return typed, sheet
    try:
        staff, wrong = staff_sheet.read_staff(file, beside=shape.staff_of(typed) if action == APPEND else ())
    except FileRefused as refusal:
        sheet.add_error("staff_file", str(refusal))
        return typed, sheet
    for message in wrong:
        sheet.add_error("staff_file", message)
    return typed if wrong else shape.with_staff(typed, staff), sheet


def _saved(
    request: HttpRequest, certificate: Certificate, typed: shape.Typed, action: str, at: dt.datetime
) -> HttpResponse:
    if action in {REPLACE, APPEND}:
        count = len(shape.staff_of(typed))
        messages.info(request, f"表格已读入，现有工作人员 {count} 人。请核对“工作人员情况”。")
    messages.success(request, f"草稿已保存 {clock.local(at):%H:%M:%S}，尚未提交。")
    address = reverse("evaluator-filings:edit", args=[certificate.pk])
    if action == "add":
        rows = max(len(shape.staff_of(typed)), shape.ROWS_SHOWN) + shape.ROWS_SHOWN
        return redirect(f"{address}?rows={rows}#staff")
    if action in {REPLACE, APPEND}:
        return redirect(f"{address}#staff")
    at_files = action == "upload" or action.startswith("remove:")
    return redirect(f"{address}{'#files' if at_files else ''}")


def _chosen(request: HttpRequest) -> dict[str, str]:
    names = [*shape.LABELS, shape.PROMISE, shape.STAFF, *shape.FILES]
    whole = request.POST.get("whole")
    return {name: whole or request.POST.get(f"take-{name}", "") for name in names}


def _show_conflict(
    request: HttpRequest, certificate: Certificate, mine: shape.Typed, record: Any
) -> HttpResponse:
    """Both versions side by side; nothing is written until one has chosen."""
    names = {str(file.pk): file.name for file in Attachment.objects.of(record)}
    context = page_context(request, certificate, record) | {
        "differences": shape.differences(mine, start(record), names, phones=True),
        "mine": mine,
        "form_url": reverse("evaluator-filings:edit", args=[certificate.pk]),
    }
    return _private(render(request, "evaluators/filings/conflict.html", context, status=409))


@require_POST
def draft(request: HttpRequest, pk: int) -> HttpResponse:
    """Autosave: 200 {revision, saved_at}; 409 {message} when the stored draft is another one; 403 {message}."""
    at = clock.now()
    try:
        record = filings.save_draft(
            certificate=certificate_of(request.user, pk),
            typed=shape.typed_from(request.POST),
            revision=draft_pages.revision_of(request.POST),
            by=request.user,
            at=at,
        )
    except DraftConflict as conflict:
        return draft_pages.changed_elsewhere(conflict.record, "备案")
    except PermissionDenied as refusal:
        return JsonResponse({"message": str(refusal)}, status=403)
    kept_typed.forget(request, reverse("evaluator-filings:edit", args=[pk]))
    return draft_pages.saved(record, at)


@require_safe
def staff_template(request: HttpRequest, pk: int) -> HttpResponse:
    _to_fill(request, pk)
    return exports.download(staff_sheet.template(), "工作人员模板.xlsx")


@form_methods
def check(request: HttpRequest, pk: int) -> HttpResponse:
    """Check your answers; POST sends. The token names draft and content, so resending finds the receipt."""
    certificate = _to_fill(request, pk)
    record = _record_of(certificate)
    sent = record and record.versions.filter(token=request.POST.get("token", "")).first()
    if sent:
        return redirect("evaluator-filings:receipt", sent.receipt)
    if record is None or record.draft is None:
        return redirect("evaluator-filings:edit", pk)
    form = FilingForm(record.draft, files=_files(record, record.draft), check=True)
    if not form.is_valid():
        return redirect(f"{reverse('evaluator-filings:edit', args=[pk])}?check")
    content = form.content(certificate)
    token = token_of(record, content)
    if request.method == "POST":
        return _send(request, record, content, token, clock.now())
    current: Any = record.current
    context = page_context(request, certificate, record) | {
        "content": shape.shown(content, phones=True),
        "file_rows": shape.file_rows(content),
        "may_reveal": True,
        "token": token,
        "unchanged": current is not None and current.content_hash == content_hash(content),
    }
    return _private(render(request, "evaluators/filings/check.html", context))


def _send(
    request: HttpRequest, record: EvaluatorFiling, content: shape.Content, token: str, at: dt.datetime
) -> HttpResponse:
    if request.POST.get("token") != token:
        messages.warning(request, "您检查之后草稿又被修改过，尚未提交。请再检查一次。")
        return redirect("evaluator-filings:check", record.pk)
    try:
        version = filings.submit_filing(
            record,
            content=content,
            token=token,
            by=request.user,
            at=at,
            draft_revision=record.draft_revision,
        )
    except ValidationError as refusal:
        messages.error(request, " ".join(refusal.messages))
        return redirect("evaluator-filings:edit", record.pk)
    kept_typed.forget(request, reverse("evaluator-filings:edit", args=[record.pk]))
    return redirect("evaluator-filings:receipt", version.receipt)


def _version(request: HttpRequest, receipt: str) -> EvaluatorFilingVersion:
    versions = EvaluatorFilingVersion.objects.visible_to(request.user).select_related(
        "filing__certificate__owner", "filing__current", "filing__accepted", "submitted_by"
    )
    return get_object_or_404(versions, receipt=receipt)


@require_safe
def receipt(request: HttpRequest, receipt: str) -> HttpResponse:
    version = _version(request, receipt)
    context = page_context(request, version.filing.certificate, version.filing)
    return render(request, "evaluators/filings/receipt.html", context | {"version": version})


@require_safe
def version(request: HttpRequest, receipt: str) -> HttpResponse:
    """One version on paper, in the layout of 附件3, with its stamped scans; person's numbers hidden."""
    return _show_version(request, _version(request, receipt))


def _show_version(
    request: HttpRequest,
    found: EvaluatorFilingVersion,
    *,
    scan_form: ScanForm | None = None,
    reveal_form: RevealForm | None = None,
    revealed: shape.Content | None = None,
) -> HttpResponse:
    user, certificate = request.user, found.filing.certificate
    address = request.build_absolute_uri(reverse("evaluator-filings:version", args=[found.receipt]))
    phones = permissions.may_see_phones(user, certificate)
    content = shape.shown(revealed or found.content, phones=phones, secrets=revealed is not None)
    blank = dict.fromkeys(shape.PARTS, "")
    context = {
        "version": found,
        "filing": found.filing,
        "certificate": certificate,
        "content": content,
        "staff": content["staff"] + [blank] * max(0, shape.ROWS_SHOWN - len(content["staff"])),
        "also": [row for row in shape.file_rows(content) if row[0] != "letter"],
        "is_replaced": found.filing.current_id != found.pk,
        "qr": links.qr(address),
        "address": address,
        "scan_form": scan_form or ScanForm(),
        "reveal_form": reveal_form or RevealForm(),
        "is_revealed": revealed is not None,
        "may_reveal": permissions.may_reveal(user, certificate),
    }
    wrong = any(form and form.errors for form in (scan_form, reveal_form))
    page = render(request, "evaluators/filings/version.html", context, status=422 if wrong else 200)
    return _private(page)


@require_POST
def reveal(request: HttpRequest, receipt: str) -> HttpResponse:
    """The same paper with ID number and home address in full; recorded first."""
    found = _version(request, receipt)
    if not permissions.may_reveal(request.user, found.filing.certificate):
        raise PermissionDenied(filings.ONLY_REVEAL)
    form = RevealForm(request.POST)
    if not form.is_valid():
        return _show_version(request, found, reveal_form=form)
    content = filings.reveal(found, **form.cleaned_data, by=request.user, at=clock.now())
    return _show_version(request, found, revealed=content)


@require_POST
def scan(request: HttpRequest, receipt: str) -> HttpResponse:
    found = _version(request, receipt)
    if not permissions.may_reveal(request.user, found.filing.certificate):
        raise PermissionDenied(filings.ONLY_SCAN)
    form = ScanForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            filings.attach_scan(found, upload=form.cleaned_data["scan"], by=request.user, at=clock.now())
            messages.success(request, "盖章扫描件已上传。")
            return redirect("evaluator-filings:version", found.receipt)
        except ValidationError as refusal:
            form.add_error("scan", refusal)
    return _show_version(request, found, scan_form=form)
