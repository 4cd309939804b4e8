"""From upload to undo. The Job row holds the stage; the file is an attachment of the job."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction

from core import attachments, clock, events, jobs
from core.imports.container import check_size, open_container
from core.imports.faults import FileRefused
from core.imports.reading import Table, read_table
from core.imports.resource import CellError, NotApplied, Outcome, SheetResource
from core.models import Attachment, Job

events.register(import_applied="导入表格", import_undone="撤销导入")

# Below both, an import is done while the user waits.
INLINE_ROWS = 300
INLINE_BYTES = 512 * 1024
ERRORS_KEPT = 5000
CHANGES_KEPT = 300


class CannotUndo(Exception):
    """Something depends on the import, or was changed since; `reasons` say what."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("；".join(reasons))
        self.reasons = reasons


@dataclass(frozen=True)
class Importer:
    """What an app says about a sheet of its own.

    `options()` gives drop-down texts by heading; `undo(data=…, by=…, at=…)` takes back what `write`
    returned, and raises CannotUndo. `form` is the upload form where more than the file is asked for: its
    `said()` reaches the resource. `mend` says how else to put right what cannot be undone.
    """

    kind: str
    resource: type[SheetResource]
    may: Callable[[Any], bool]
    refusal: str
    page: str
    options: Callable[[], dict[str, list[str]]]
    undo: Callable[..., None]
    notes: tuple[str, ...] = ()
    form: Any = None
    mend: str = ""


_importers: dict[str, Importer] = {}


def register(importer: Importer) -> None:
    _importers[importer.kind] = importer
    jobs.register(importer.kind, f"{importer.resource.title}导入", _run)


def importer(kind: str) -> Importer:
    return _importers[kind]


def is_import(job: Job) -> bool:
    return job.kind in _importers


def start(
    *, kind: str, upload: UploadedFile, by: Any, at: dt.datetime, said: dict[str, Any] | None = None
) -> Job:
    """Keep the file and check it: at once when small, else by a worker. Raises FileRefused."""
    check_size(upload.size or 0)
    content = upload.read()
    name = attachments.safe_name(upload.name or "")
    rows = None
    if len(content) <= INLINE_BYTES:
        rows = len(read_table(content, name, importer(kind).resource.layout()).rows)
    else:
        open_container(content, name)
    arguments = {"step": "check", "said": said or {}}
    with transaction.atomic():
        job = jobs.create(kind=kind, arguments=arguments, total_steps=rows or 0, by=by, at=at)
        _keep(job, content, name, by, at)
    _do(job, inline=rows is not None and rows < INLINE_ROWS)
    return job


def apply(*, job: Job) -> None:
    """Write what the check has shown, for whoever started it; a second press does nothing."""
    shown = job.result
    if shown.get("stage") != "checked" or shown["errors"] or not shown["news"]:
        return
    if jobs.again(job, {**job.arguments, "step": "apply"}):
        _do(job, inline=job.total_steps < INLINE_ROWS)


def undo(*, job: Job, by: Any, at: dt.datetime) -> None:
    """Take the whole import back. Raises CannotUndo. A second press does nothing."""
    with transaction.atomic():
        current = Job.objects.select_for_update().get(pk=job.pk)
        if current.result.get("stage") != "applied":
            return
        importer(job.kind).undo(data=current.result["undo"], by=by, at=at)
        current.result = {**current.result, "stage": "undone", "undo": {}}
        current.save(update_fields=["result"])
        _record("import_undone", current, by, at)


def table_of(job: Job) -> tuple[bytes, Table]:
    """The uploaded file and its rows."""
    content, name = _file(job)
    return content, read_table(content, name, importer(job.kind).resource.layout())


def errors_of(job: Job) -> list[CellError]:
    return [CellError(**error) for error in job.result.get("errors", [])]


def _do(job: Job, *, inline: bool) -> None:
    if inline:
        jobs.run(job.pk)
    else:
        jobs.enqueue(job)


def _run(job: Job) -> None:
    """One step of one import; may be repeated."""
    sheet = importer(job.kind).resource(
        by=job.created_by,
        at=clock.now(),
        progress=lambda done, total: jobs.beat(job, done, total),
        said=job.arguments.get("said"),
    )
    content, name = _file(job)
    try:
        if job.arguments["step"] == "check":
            outcome = sheet.check(content, name)
            jobs.beat(job, outcome.rows, outcome.rows)
            jobs.finish(job, _result("checked", outcome), at=clock.now())
        else:
            sheet.progress = None
            _apply(job, sheet, content, name)
    except FileRefused as refusal:
        raise jobs.JobRefused(str(refusal)) from refusal


def _apply(job: Job, sheet: SheetResource, content: bytes, name: str) -> None:
    """The rows, their events, the job's result: one transaction."""
    try:
        with transaction.atomic():
            outcome = sheet.apply(content, name)
            jobs.finish(job, _result("applied", outcome), at=sheet.at)
            _record("import_applied", job, sheet.by, sheet.at, outcome)
    except NotApplied as refused:
        jobs.finish(job, _result("checked", refused.outcome), at=sheet.at)
    except IntegrityError as error:
        raise jobs.JobRefused(
            "导入时，同样的数据刚被别人改动，没有写入任何内容。请重新上传这份文件。"
        ) from error


def _result(stage: str, outcome: Outcome) -> dict[str, Any]:
    return {
        "stage": stage,
        "new": outcome.new,
        "update": outcome.update,
        "same": outcome.same,
        "whole": outcome.whole,
        "news": outcome.new + outcome.update + len(outcome.whole),
        "errors": [asdict(error) for error in outcome.errors[:ERRORS_KEPT]],
        "error_count": len(outcome.errors),
        "error_rows": len({error.row for error in outcome.errors}),
        "changes": outcome.changes[:CHANGES_KEPT],
        "change_count": len(outcome.changes),
        "undo": outcome.undo,
    }


def _keep(job: Job, content: bytes, name: str, by: Any, at: dt.datetime) -> None:
    try:
        attachments.attach(target=job, upload=ContentFile(content, name=name), by=by, at=at)
    except ValidationError as error:
        raise FileRefused("；".join(error.messages)) from error


def _file(job: Job) -> tuple[bytes, str]:
    attachment = Attachment.objects.of(job).get()
    return attachments.content_of(attachment), attachment.name


def _record(action: str, job: Job, by: Any, at: dt.datetime, outcome: Outcome | None = None) -> None:
    attachment = Attachment.objects.of(job).get()
    changes: dict[str, Any] = {"文件": attachment.name, "SHA-256": attachment.sha256}
    if outcome:
        changes |= {"新增行": outcome.new, "更新行": outcome.update, "未变行": outcome.same}
    label = f"{importer(job.kind).resource.title} {attachment.name}"
    events.record(
        action, job, by=by, at=at, organization_id=by.organization_id, target_label=label, changes=changes
    )


def blockers(error: Any) -> Iterable[str]:
    """`3 条周报`: what a ProtectedError says depends on the rows, in the user's words."""
    counts: dict[str, int] = {}
    for obj in error.protected_objects:
        name = str(obj._meta.verbose_name)
        counts[name] = counts.get(name, 0) + 1
    return [f"{count} 条{name}" for name, count in counts.items()]
