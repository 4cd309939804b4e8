"""Files of a draft: kept with the record at once, named in the draft by their ids, gone with the draft that
names them no more, unless a version does."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from core import events
from core.attachments import attach, discard, same
from core.drafts import Drafted
from core.models import Attachment

events.register(draft_file_removed="移除未提交的文件")

# The name under which typed drafts (ids set apart by blanks) and contents (a list) keep them.
FIELD = "files"


def ids_of(typed: Mapping[str, str]) -> list[str]:
    return typed.get(FIELD, "").split()


def files_of(record: Drafted | None, typed: Mapping[str, str]) -> list[Attachment]:
    """The files that the draft names, in its order."""
    if record is None or not ids_of(typed):
        return []
    known = {str(file.pk): file for file in Attachment.objects.of(record)}
    return [known[pk] for pk in ids_of(typed) if pk in known]


def told(files: Iterable[Attachment]) -> list[dict[str, str]]:
    """As a version's content keeps them."""
    return [{"id": str(file.pk), "name": file.name, "sha256": file.sha256} for file in files]


def taken_in(
    record: Drafted, typed: Mapping[str, str], uploads: Iterable[Any], *, by: Any, at: dt.datetime
) -> dict[str, str]:
    """`typed` with the uploads named in it and no id that is not the record's. Raises ValidationError."""
    return {**typed, FIELD: with_uploads(record, ids_of(typed), uploads, by=by, at=at)}


def with_uploads(
    record: Any,
    ids: Iterable[str],
    uploads: Iterable[Any],
    *,
    by: Any,
    at: dt.datetime,
    most: int | None = None,
) -> str:
    """The files of these ids that are the record's, then the uploads, as a draft names them; what is there
    already is not taken again. Raises ValidationError."""
    known = {str(file.pk): file for file in Attachment.objects.of(record)}
    files = [known[pk] for pk in ids if pk in known]
    for upload in uploads:
        files.append(same(upload, files) or attach(target=record, upload=upload, by=by, at=at, most=most))
    return " ".join(dict.fromkeys(str(file.pk) for file in files))


def forget_loose(record: Any, *, by: Any, at: dt.datetime) -> None:
    """Files that neither the draft nor a version names were never filed: they go."""
    kept = set(ids_of(record.draft or {}))
    loose = [file for file in Attachment.objects.of(record) if str(file.pk) not in kept]
    if not loose:
        return
    for version in record.versions.all():
        kept |= {file["id"] for file in version.content.get(FIELD, [])}
    for file in loose:
        if str(file.pk) not in kept:
            events.record(
                "draft_file_removed",
                record,
                by=by,
                at=at,
                organization_id=record.organization_id,
                changes={"文件": file.name, "SHA-256": file.sha256},
            )
            discard(file)
