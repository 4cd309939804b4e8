"""The school's side of its filing: fill in, check your answers, receipt, the paper, its stamped scan."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import typed as kept_typed
from accounts.models import Role
from accounts.typed import keeps_typed
from core import clock, draft_files, draft_pages, links
from core.drafts import DraftConflict, content_hash, token_of
from core.models import Attachment
from schools import filing_content as shape
from schools import permissions
from schools.forms.filings import FilingForm, PlanFilesForm, ScanForm
from schools.models import School, SchoolFiling, SchoolFilingVersion
from schools.services import filings

form_methods = require_http_methods(["GET", "HEAD", "POST"])


def _own_school(request: HttpRequest) -> School:
    if request.user.role not in Role.of_a_school():
        raise PermissionDenied("备案由试点院校填写、提交（晋教职成〔2020〕9号 三.1）。")
    schools = School.objects.visible_to(request.user).select_related("organization")
    return get_object_or_404(schools, pk=request.user.organization_id)


def _to_fill(request: HttpRequest, at: dt.datetime) -> School:
    school = _own_school(request)
    if refusal := filings.why_not_file(request.user, school, at):
        raise PermissionDenied(refusal)
    return school


def _record_of(school: School) -> SchoolFiling | None:
    rows = SchoolFiling.objects.select_related("current", "draft_saved_by")
    return rows.filter(pk=school.pk).first()


def start(school: School, record: SchoolFiling | None) -> shape.Typed:
    """What the form shows first: the draft, else the filed version, else what the portal knows."""
    if record and record.draft is not None:
        return record.draft
    if record and record.current:
        return shape.typed_of(record.current.content)
    people = list(school.organization.users.active().filter(role__in=Role.of_a_school()))
    contact = next((u for u in people if u.role == Role.SCHOOL_CONTACT and not u.is_stand_in), None)
    leader = next((u for u in people if u.role == Role.SCHOOL_LEADER), None)
    return {
        "leader_name": leader.name if leader else "",
        "leader_phone": leader.mobile if leader else "",
        "contact_name": school.contact_name or (contact.name if contact else ""),
        "contact_mobile": school.contact_mobile or (contact.mobile if contact else ""),
        "contact_email": school.contact_email or (contact.email if contact else ""),
    }


def page_context(request: HttpRequest, school: School, record: SchoolFiling | None) -> dict[str, Any]:
    owed = list(filings.duties(school.pk).pending())
    return {
        "school": school,
        "record": record,
        "duty": owed[-1] if owed else None,
        "is_late": any(duty.due_at <= clock.now() for duty in owed),
        "storage_key": f"filing:{school.pk}:{request.user.pk}",
    }


@keeps_typed
@form_methods
def edit(request: HttpRequest) -> HttpResponse:
    """The form. POST saves the draft and its files first, then goes where `action` says."""
    at = clock.now()
    if request.user.role == Role.SCHOOL_LEADER and request.method != "POST":
        return redirect("filings:detail", _own_school(request).pk)
    school = _to_fill(request, at)
    if request.method == "POST":
        return _save(request, school, at)
    record = _record_of(school)
    if restored := kept_typed.kept(request):
        messages.info(request, "已恢复登录失效前填写的内容，请保存或继续；选过的文件要重新选。")
        typed, revision = shape.typed_from(restored), restored.get("revision", "0")
        return _show(request, school, record, typed, revision=revision)
    return _show(request, school, record, start(school, record), check="check" in request.GET)


def _show(
    request: HttpRequest,
    school: School,
    record: SchoolFiling | None,
    typed: shape.Typed,
    *,
    check: bool = False,
    revision: str = "",
    upload: PlanFilesForm | None = None,
) -> HttpResponse:
    rows = request.GET.get("rows", "")
    form = FilingForm(
        typed,
        files=draft_files.files_of(record, typed),
        rows=int(rows) if rows.isdecimal() and len(rows) < 4 else shape.ROWS_SHOWN,
        check=check,
    )
    context = page_context(request, school, record) | {
        "form": form,
        "upload": upload or PlanFilesForm(),
        "typed_files": typed.get(shape.FILES, ""),
        "revision": revision or (record.draft_revision if record else 0),
        "is_prefilled": record is None or (record.draft is None and record.current is None),
    }
    wrong = (check and form.errors) or (upload and upload.errors)
    return render(request, "schools/filings/edit.html", context, status=422 if wrong else 200)


def _save(request: HttpRequest, school: School, at: dt.datetime) -> HttpResponse:
    typed, action = shape.typed_from(request.POST), request.POST.get("action", "")
    record = _record_of(school)
    if action == "merge":
        typed = shape.take(typed, start(school, record), _chosen(request))
    if action.startswith("remove:"):
        kept = [pk for pk in draft_files.ids_of(typed) if pk != action.removeprefix("remove:")]
        typed[shape.FILES] = " ".join(kept)
    upload = PlanFilesForm(request.POST, request.FILES)
    uploads = upload.cleaned_data["plan"] if upload.is_valid() else []
    draft = {
        "school": school,
        "revision": draft_pages.revision_of(request.POST),
        "by": request.user,
        "at": at,
    }
    try:
        record = filings.save_draft(typed=typed, uploads=uploads, **draft)
    except DraftConflict as conflict:
        return _show_conflict(request, school, typed, conflict.record)
    except ValidationError as refusal:
        upload.add_error("plan", refusal)
        record = filings.save_draft(typed=typed, **draft)
    kept_typed.forget(request)
    typed = record.draft or typed
    if upload.errors:
        return _show(request, school, record, typed, upload=upload)
    if action == "check":
        return _checked(request, school, record, typed)
    return _saved(request, typed, action, at)


def _checked(request: HttpRequest, school: School, record: SchoolFiling, typed: shape.Typed) -> HttpResponse:
    if FilingForm(typed, files=draft_files.files_of(record, typed), check=True).is_valid():
        return redirect("filings:check")
    return _show(request, school, record, typed, check=True)


def _saved(request: HttpRequest, typed: shape.Typed, action: str, at: dt.datetime) -> HttpResponse:
    messages.success(request, f"草稿已保存 {clock.local(at):%H:%M:%S}，尚未提交。")
    if action == "add":
        rows = max(len(shape.members_of(typed)), shape.ROWS_SHOWN) + shape.ROWS_SHOWN
        return redirect(f"{reverse('filings:edit')}?rows={rows}#members")
    at_files = action == "upload" or action.startswith("remove:")
    return redirect(f"{reverse('filings:edit')}{'#plan' if at_files else ''}")


def _chosen(request: HttpRequest) -> dict[str, str]:
    names = [*shape.LABELS, shape.IS_HEAD, shape.MEMBERS, shape.FILES]
    whole = request.POST.get("whole")
    return {name: whole or request.POST.get(f"take-{name}", "") for name in names}


def _show_conflict(
    request: HttpRequest, school: School, mine: shape.Typed, record: SchoolFiling
) -> HttpResponse:
    """Both versions side by side; nothing is written until one has chosen."""
    names = {str(file.pk): file.name for file in Attachment.objects.of(record)}
    context = page_context(request, school, record) | {
        "differences": shape.differences(mine, start(school, record), names, plain=True),
        "mine": mine,
        "form_url": reverse("filings:edit"),
    }
    return render(request, "schools/filings/conflict.html", context, status=409)


@require_POST
def draft(request: HttpRequest) -> HttpResponse:
    """Autosave: 200 {revision, saved_at}; 409 {message} when the stored draft is another one; 403 {message}."""
    at = clock.now()
    try:
        record = filings.save_draft(
            school=_own_school(request),
            typed=shape.typed_from(request.POST),
            revision=draft_pages.revision_of(request.POST),
            by=request.user,
            at=at,
        )
    except DraftConflict as conflict:
        return draft_pages.changed_elsewhere(conflict.record, "备案")
    except PermissionDenied as refusal:
        return JsonResponse({"message": str(refusal)}, status=403)
    kept_typed.forget(request, reverse("filings:edit"))
    return draft_pages.saved(record, at)


@form_methods
def check(request: HttpRequest) -> HttpResponse:
    """Check your answers; POST sends. The token names draft and content, so resending finds the receipt."""
    at = clock.now()
    school = _to_fill(request, at)
    record = _record_of(school)
    sent = record and record.versions.filter(token=request.POST.get("token", "")).first()
    if sent:
        return redirect("filings:receipt", sent.receipt)
    if record is None or record.draft is None:
        return redirect("filings:edit")
    form = FilingForm(record.draft, files=draft_files.files_of(record, record.draft), check=True)
    if not form.is_valid():
        return redirect(f"{reverse('filings:edit')}?check")
    content = form.content(school)
    token = token_of(record, content)
    if request.method == "POST":
        return _send(request, record, content, token, at)
    unchanged = bool(record.current) and record.current.content_hash == content_hash(content)
    context = page_context(request, school, record) | {
        "content": content,
        "token": token,
        "unchanged": unchanged,
    }
    return render(request, "schools/filings/check.html", context)


def _send(
    request: HttpRequest, record: SchoolFiling, content: shape.Content, token: str, at: dt.datetime
) -> HttpResponse:
    if request.POST.get("token") != token:
        messages.warning(request, "您检查之后草稿又被修改过，尚未提交。请再检查一次。")
        return redirect("filings:check")
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
        return redirect("filings:edit")
    kept_typed.forget(request, reverse("filings:edit"))
    return redirect("filings:receipt", version.receipt)


def _version(request: HttpRequest, receipt: str) -> SchoolFilingVersion:
    versions = SchoolFilingVersion.objects.visible_to(request.user).select_related(
        "filing__school__organization__supervisor", "filing__current", "submitted_by"
    )
    return get_object_or_404(versions, receipt=receipt)


@require_safe
def receipt(request: HttpRequest, receipt: str) -> HttpResponse:
    version = _version(request, receipt)
    context = page_context(request, version.filing.school, version.filing)
    return render(request, "schools/filings/receipt.html", context | {"version": version})


@require_safe
def version(request: HttpRequest, receipt: str) -> HttpResponse:
    """One version on paper, in a layout modelled on 附件3, with its stamped scans."""
    return _show_version(request, _version(request, receipt), ScanForm())


def _show_version(request: HttpRequest, found: SchoolFilingVersion, form: ScanForm) -> HttpResponse:
    user, school = request.user, found.filing.school
    address = request.build_absolute_uri(reverse("filings:version", args=[found.receipt]))
    context = {
        "version": found,
        "filing": found.filing,
        "school": school,
        "content": shape.shown(found.content, plain=permissions.may_see_mobile(user, school)),
        "is_replaced": found.filing.current_id != found.pk,
        "qr": links.qr(address),
        "address": address,
        "scan_form": form,
        "may_scan": permissions.may_file(user, school) or permissions.may_review_filings(user),
    }
    status = 422 if form.errors else 200
    return render(request, "schools/filings/version.html", context, status=status)


@require_POST
def scan(request: HttpRequest, receipt: str) -> HttpResponse:
    found = _version(request, receipt)
    user, school = request.user, found.filing.school
    if not (permissions.may_file(user, school) or permissions.may_review_filings(user)):
        raise PermissionDenied("盖章扫描件由本校联系人或省推进办上传。")
    form = ScanForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            filings.attach_scan(found, upload=form.cleaned_data["scan"], by=user, at=clock.now())
            messages.success(request, "盖章扫描件已上传。")
            return redirect("filings:version", found.receipt)
        except ValidationError as refusal:
            form.add_error("scan", refusal)
    return _show_version(request, found, form)
