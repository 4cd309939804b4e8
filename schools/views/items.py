"""One item of an application: its form, autosave, files, and taking it back."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import typed as kept_typed
from accounts.typed import keeps_typed
from certificates.models import Major
from core import clock, draft_pages
from core.drafts import DraftConflict
from core.workflow import NotNow
from schools import content as shape
from schools import eligibility, queue
from schools.eligibility import Standing
from schools.forms.applications import FilesForm, ItemForm, agreement_choices
from schools.models import ApplicationItem, ApplicationRound
from schools.permissions import NOT_THE_APPLICANT, may_apply
from schools.services import applications as services
from schools.services import filling_in
from schools.views.applications import content_of, is_of_the_school

MOST_FOUND = 30


def item_or_404(request: HttpRequest, pk: int) -> ApplicationItem:
    rows = ApplicationItem.objects.visible_to(request.user).select_related(
        "application__round",
        "application__school__organization",
        "application__current",
        "certificate_level__certificate__owner",
        "draft_saved_by",
    )
    return get_object_or_404(rows, pk=pk)


def own_item(request: HttpRequest, pk: int) -> ApplicationItem:
    item = item_or_404(request, pk)
    if not may_apply(request.user, item.application.school):
        raise PermissionDenied(NOT_THE_APPLICANT)
    return item


def standing_of(item: ApplicationItem, at: dt.datetime) -> Standing:
    return eligibility.standings([item], at)[0]


@keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
def item(request: HttpRequest, pk: int) -> HttpResponse:
    """The form, or the item to be read. POST saves the draft first, whatever it holds, then the files."""
    at = clock.now()
    found = item_or_404(request, pk)
    own = may_apply(request.user, found.application.school)
    reasons = filling_in.locked(found, at) if own else []
    if request.method == "POST" and not own:
        raise PermissionDenied(NOT_THE_APPLICANT)
    if request.method == "POST" and reasons:
        # It closed while the form was open: what was typed stays before one's eyes.
        typed = shape.typed_from(request.POST, found)
        return _show(
            request, found, at, typed=typed, revision=request.POST.get("revision", "0"), refused=reasons
        )
    if not own or reasons:
        return _read(request, found, reasons, at)
    if request.method == "POST":
        return _save(request, found, at)
    if restored := kept_typed.kept(request):
        messages.info(request, "已恢复登录失效前填写的内容，请保存或继续。")
        typed = shape.typed_from(restored, found)
        return _show(request, found, at, typed=typed, revision=restored.get("revision", "0"))
    return _show(request, found, at)


def _read(request: HttpRequest, found: ApplicationItem, reasons: list[str], at: dt.datetime) -> HttpResponse:
    [standing] = eligibility.standings([found], at, drafts=is_of_the_school(request))
    context = {
        **page_context(request, standing),
        "returned_at": queue.past_returns([found]).get(found.pk),
        "told": shape.told(content_of(standing)),
        "reasons": reasons,
        "may_apply": may_apply(request.user, found.application.school),
    }
    return render(request, "schools/applications/item_read.html", context)


def page_context(request: HttpRequest, standing: Standing) -> dict[str, Any]:
    """What every page of an item shows."""
    found = standing.item
    return {
        "item": found,
        "application": found.application,
        "round": found.application.round,
        "school": found.application.school,
        "level": found.certificate_level,
        "standing": standing,
        "files": found.kept_files,
        "until": eligibility.deadline(found),
        "storage_key": f"item:{found.pk}:{request.user.pk}",
    }


def _show(
    request: HttpRequest,
    found: ApplicationItem,
    at: dt.datetime,
    *,
    typed: shape.Typed | None = None,
    revision: str = "",
    errors: list[str] | None = None,
    refused: list[str] | None = None,
) -> HttpResponse:
    standing = standing_of(found, at)
    context = {
        **page_context(request, standing),
        "form": ItemForm(standing, typed=typed or standing.typed),
        "files_form": FilesForm(),
        "revision": revision or found.draft_revision,
        "last_year": found.application.round.year - 1,
        "errors": errors or [],
        "refused": refused or [],
    }
    status = 409 if refused else 422 if errors else 200
    return render(request, "schools/applications/item.html", context, status=status)


def _save(request: HttpRequest, found: ApplicationItem, at: dt.datetime) -> HttpResponse:
    typed = shape.typed_from(request.POST, found)
    if request.POST.get("action") == "merge":
        typed = draft_pages.merged(request, typed, shape.typed_of(found))
    revision = draft_pages.revision_of(request.POST)
    try:
        filling_in.save_item_draft(item=found, typed=typed, revision=revision, by=request.user, at=at)
    except DraftConflict:
        return _show_conflict(request, item_or_404(request, found.pk), typed, at)
    kept_typed.forget(request)
    if errors := _keep_files(request, found, at):
        return _show(request, item_or_404(request, found.pk), at, errors=errors)
    if request.POST.get("action") == "done":
        return redirect("applications:detail", found.application_id)
    messages.success(request, f"草稿已保存 {clock.local(at):%H:%M:%S}，尚未提交。")
    return redirect("applications:item", found.pk)


def _keep_files(request: HttpRequest, found: ApplicationItem, at: dt.datetime) -> list[str]:
    """Takes off and takes in what the request says; what was refused, in words."""
    remove = request.POST.get("remove", "")
    if remove.isdecimal() and (file := found.files.filter(pk=remove).first()):
        filling_in.remove_item_file(file=file, by=request.user, at=at)
    errors = []
    for kind, upload in FilesForm.uploads(request.FILES):
        try:
            filling_in.attach_item_file(item=found, upload=upload, kind=kind, by=request.user, at=at)
        except ValidationError as refusal:
            errors += refusal.messages
    return errors


def _show_conflict(
    request: HttpRequest, found: ApplicationItem, mine: shape.Typed, at: dt.datetime
) -> HttpResponse:
    """Both versions side by side; nothing is written until one has chosen."""
    standing = standing_of(found, at)
    names = dict(agreement_choices(standing))
    context = {
        **page_context(request, standing),
        "differences": shape.differences(mine, standing.typed, found, names),
        "mine": mine,
        "record": found,
        "form_url": reverse("applications:item", args=[found.pk]),
    }
    return render(request, "schools/applications/conflict.html", context, status=409)


# --- What the scripts ask


def _lists(request: HttpRequest, found: ApplicationItem, at: dt.datetime) -> dict[str, str]:
    """The parts of the page that change as one types and uploads, as markup."""
    context = page_context(request, standing_of(item_or_404(request, found.pk), at))
    return {
        name: render_to_string(f"schools/applications/_{name}.html", context, request=request)
        for name in ("missing", "files")
    }


@require_POST
def draft(request: HttpRequest, pk: int) -> HttpResponse:
    """Autosave: 200 {revision, saved_at, missing, files}; 409 {message}; 403 {message}."""
    at = clock.now()
    found = own_item(request, pk)
    typed = shape.typed_from(request.POST, found)
    revision = draft_pages.revision_of(request.POST)
    try:
        filling_in.save_item_draft(item=found, typed=typed, revision=revision, by=request.user, at=at)
    except DraftConflict as conflict:
        return draft_pages.changed_elsewhere(conflict.record, "申报")
    except PermissionDenied as refusal:
        return JsonResponse({"message": str(refusal)}, status=403)
    kept_typed.forget(request, reverse("applications:item", args=[pk]))
    return draft_pages.saved(found, at, **_lists(request, found, at))


@require_POST
def files(request: HttpRequest, pk: int) -> HttpResponse:
    """Files taken in or off beside the form: 200 {missing, files, errors: [text]}; 403 {message}."""
    at = clock.now()
    found = own_item(request, pk)
    try:
        errors = _keep_files(request, found, at)
    except PermissionDenied as refusal:
        return JsonResponse({"message": str(refusal)}, status=403)
    return JsonResponse({"errors": errors, **_lists(request, found, at)})


@require_safe
def majors(request: HttpRequest, round: int) -> HttpResponse:
    """Majors of the round's catalogue by code or name: [{code, name, category}], at most MOST_FOUND."""
    found = get_object_or_404(ApplicationRound.objects.visible_to(request.user), pk=round)
    text = request.GET.get("q", "").strip()[:60]
    rows = Major.objects.filter(Q(code__startswith=text) | Q(name__icontains=text))
    if found.catalogue:
        rows = rows.filter(catalogue=found.catalogue)
    names = ("code", "name", "category")
    result = list(rows.values(*names).distinct().order_by("code")[:MOST_FOUND]) if text else []
    return JsonResponse({"majors": result})


# --- Take back


@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    found = own_item(request, pk)
    try:
        filling_in.remove_item(item=found, by=request.user, at=clock.now())
        messages.success(request, f"已移除“{found}”。")
    except NotNow as refusal:
        messages.error(request, str(refusal))
    return redirect("applications:detail", found.application_id)


@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    found = own_item(request, pk)
    try:
        services.withdraw_item(found, by=request.user, at=clock.now())
        messages.success(request, f"已撤回“{found}”的申报。")
    except NotNow as refusal:
        messages.error(request, str(refusal))
    return redirect("applications:detail", found.application_id)
