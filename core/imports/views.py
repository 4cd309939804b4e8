"""The pages of an import: upload, progress, preview, result, error workbook, undo."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models.fields.json import KT
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views import View
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core import clock, exports, jobs
from core.imports import services
from core.imports.faults import FileRefused
from core.imports.services import Importer
from core.imports.template import build_template, mark_errors
from core.models import Attachment, Job

REFRESH_SECONDS = 2
ERRORS_SHOWN = 500
RECENT = 10


class UploadForm(forms.Form):
    file = forms.FileField(
        label="填好的表格",
        help_text="只接收 .xlsx。上传后先核对，不会立即写入。",
        error_messages={
            "required": "请选择要上传的文件。",
            "empty": "文件是空的，没有任何内容。请重新选择。",
        },
        widget=forms.FileInput(attrs={"accept": ".xlsx"}),
    )

    def said(self) -> dict[str, Any]:
        """What was typed beside the file, as JSON; for forms that ask for more."""
        return {}


class UploadPage(View):
    """Upload of one kind of sheet: `UploadPage.as_view(kind="schools.roster")`."""

    kind = ""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(request, self._form()())

    def post(self, request: HttpRequest) -> HttpResponse:
        guard(request, self.kind)
        form = self._form()(request.POST, request.FILES)
        if form.is_valid():
            try:
                job = services.start(
                    kind=self.kind,
                    upload=form.cleaned_data["file"],
                    by=request.user,
                    at=clock.now(),
                    said=form.said(),
                )
            except FileRefused as refusal:
                form.add_error("file", str(refusal))
            else:
                return redirect("core:job", job.pk)
        return self._page(request, form)

    def _form(self) -> type[UploadForm]:
        return services.importer(self.kind).form or UploadForm

    def _page(self, request: HttpRequest, form: UploadForm) -> HttpResponse:
        importer = guard(request, self.kind)
        mine = Job.objects.visible_to(request.user).filter(kind=self.kind).defer("result")
        mine = mine.annotate(
            stage=KT("result__stage"),
            error_count=KT("result__error_count"),
            news=KT("result__news"),
        )[:RECENT]
        context = {
            "form": form,
            "heading": f"{importer.resource.title}导入",
            "columns": importer.resource.columns(),
            "template_url": reverse("core:import-template", args=[self.kind]),
            "notes": importer.notes,
            "recent": [(found, _ending(found)) for found in with_names(list(mine))],
        }
        return render(request, "core/import_upload.html", context, status=422 if form.errors else 200)


def guard(request: HttpRequest, kind: str) -> Importer:
    importer = services.importer(kind)
    if not importer.may(request.user):
        raise PermissionDenied(importer.refusal)
    return importer


def with_names(found: list[Job]) -> list[Job]:
    """The jobs with `file_name`, in one query."""
    names = dict(
        Attachment.objects.filter(
            target_type__model="job", target_id__in=[str(job.pk) for job in found]
        ).values_list("target_id", "name")
    )
    for job in found:
        job.file_name = names.get(str(job.pk), "")
    return found


def _ending(job: Any) -> tuple[str, str]:
    """(state, words) of a job in the list of recent ones."""
    if job.state != Job.State.DONE:
        return job.state, ""
    if job.stage != "checked":
        return ("done", "已导入") if job.stage == "applied" else ("ended", "已撤销")
    if int(job.error_count):
        return "failed", "有错误，未导入"
    return ("pending", "核对通过，待确认") if int(job.news) else ("ended", "没有变化")


@require_safe
def template(request: HttpRequest, kind: str) -> HttpResponse:
    importer = guard(request, kind)
    content = build_template(importer.resource, importer.options(), importer.notes)
    return exports.download(content, f"{importer.resource.title}导入模板.xlsx")


@require_safe
def job(request: HttpRequest, pk: Any) -> HttpResponse:
    """Progress, preview or result of one's own job; it refreshes itself, without scripts, while work goes on."""
    found = get_object_or_404(Job.objects.visible_to(request.user), pk=pk)
    is_open = found.state in {Job.State.QUEUED, Job.State.RUNNING}
    is_import = services.is_import(found)
    context = {
        "job": found,
        "is_open": is_open,
        "percent": found.done_steps * 100 // found.total_steps if found.total_steps else 0,
        **(_of_import(found) if is_import else _of_files(found)),
    }
    response = render(request, "core/job.html" if is_import else "core/job_files.html", context)
    if is_open:
        response["Refresh"] = str(REFRESH_SECONDS)
    return response


def _of_import(found: Job) -> dict[str, Any]:
    importer = services.importer(found.kind)
    with_names([found])
    return {
        "title": importer.resource.title,
        "upload_url": reverse(importer.page),
        "errors": found.result.get("errors", [])[:ERRORS_SHOWN],
        "errors_shown": ERRORS_SHOWN,
    }


def _of_files(found: Job) -> dict[str, Any]:
    """Of work whose result is files: `title` and `back` (an address) are what its runner left."""
    title = jobs.title(found)
    return {
        "title": title,
        "heading": found.result.get("title", title),
        "back": found.result.get("back", ""),
    }


@require_POST
def apply(request: HttpRequest, pk: Any) -> HttpResponse:
    found = _mine(request, pk)
    guard(request, found.kind)
    services.apply(job=found)
    return redirect("core:job", found.pk)


@require_safe
def errors(request: HttpRequest, pk: Any) -> HttpResponse:
    """One's own file with the bad cells marked."""
    found = _mine(request, pk)
    content, table = services.table_of(found)
    marked = mark_errors(content, table, services.errors_of(found))
    name = with_names([found])[0].file_name.removesuffix(".xlsx")
    return exports.download(marked, f"{name}-错误标注.xlsx")


@require_http_methods(["GET", "HEAD", "POST"])
def undo(request: HttpRequest, pk: Any) -> HttpResponse:
    found = _mine(request, pk)
    importer = guard(request, found.kind)
    context = {
        "heading": f"撤销{importer.resource.title}导入",
        "text": "这次导入的全部内容将一起撤回：新增的删除，改动的恢复原值。若其中任何一项已被使用或再次改动，则一项也不撤回。",
        "dangerous": True,
        "submit_label": "撤销这次导入",
        "cancel_url": reverse("core:job", args=[found.pk]),
        "consequences": [],
    }
    if request.method == "POST":
        try:
            services.undo(job=found, by=request.user, at=clock.now())
        except services.CannotUndo as refusal:
            context |= {"heading": "不能撤销", "consequences": refusal.reasons}
            context["text"] = (
                "这次导入的内容已被使用或再次改动，没有撤回任何一项。请逐条处理下列各项"
                f"{f'，或{importer.mend}' if importer.mend else ''}。"
            )
            return render(request, "core/import_kept.html", context, status=409)
        return redirect("core:job", found.pk)
    return render(request, "core/confirm.html", context)


def _mine(request: HttpRequest, pk: Any) -> Job:
    found = get_object_or_404(Job.objects.visible_to(request.user), pk=pk)
    if not services.is_import(found):
        raise Http404
    return found
