"""Files that people hand in: checked by name, size and content, kept under random names.

A file is what its extension says, begins as such a file begins, and really opens as one. Office files
are zip archives: what they would unpack to is added up before anything is unpacked. On disk a file is
encrypted (core.crypto), bound to its attachment's id; `sha256` and `size` are those of the plain content.
"""

import contextlib
import datetime as dt
import hashlib
import itertools
import logging
import re
import unicodedata
import uuid
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from xml.parsers import expat

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import models, transaction

from core import clock, crypto, events, personal
from core.models import Attachment

events.register(file_attached="上传附件", loose_files_deleted="删除没有记录的上传文件")
log = logging.getLogger(__name__)

MOST_FILES = 20
FOLDER = "attachments"
LOOSE_AFTER = dt.timedelta(days=1)
# More loose files than these, and than this share of all there are, are no leftovers of single transactions.
MOST_LOOSE = 10
MOST_LOOSE_SHARE = 1 / 20
ASKED_AT_ONCE = 5000
MOST_UNPACKED_BYTES = 200 * 1024 * 1024
MOST_ARCHIVE_ENTRIES = 5000
PNG = b"\x89PNG\r\n\x1a\n"


class Kind(NamedTuple):
    content_type: str
    magic: bytes


EXTENSIONS = {
    "pdf": Kind("application/pdf", b"%PDF-"),
    "docx": Kind("application/vnd.openxmlformats-officedocument.wordprocessingml.document", b"PK\x03\x04"),
    "xlsx": Kind("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"PK\x03\x04"),
    "png": Kind("image/png", PNG),
    "jpg": Kind("image/jpeg", b"\xff\xd8\xff"),
    "jpeg": Kind("image/jpeg", b"\xff\xd8\xff"),
}
MAIN_PARTS = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml"}
RULES = f"可上传 pdf、docx、xlsx、png、jpg，每个不超过 {settings.UPLOAD_MAX_BYTES // 1024 // 1024} MB。"


def safe_name(name: str) -> str:
    """The file's own name without folders, control or direction-changing characters, at most 120 long; ID and
    mobile numbers in it are masked."""
    name = PurePosixPath(name.replace("\\", "/")).name
    name = "".join(c for c in unicodedata.normalize("NFC", name) if unicodedata.category(c)[0] != "C")
    name = re.sub(r'[<>:"|?*]+', "_", personal.hidden(name)).strip(" .")
    stem, dot, extension = name.rpartition(".")
    return f"{stem[:110]}{dot}{extension[:10]}" if dot else name[:120]


def check(upload: "File[bytes]") -> Kind:
    """What kind of file this is. Raises ValidationError with a plain message naming the file."""
    name = safe_name(upload.name or "")
    extension = name.rpartition(".")[2].lower()
    kind = EXTENSIONS.get(extension)
    if kind is None:
        raise ValidationError(f"“{name}”：不接受这种文件。{RULES}")
    if not upload.size:
        raise ValidationError(f"“{name}”：文件是空的，请检查后重新上传。")
    if upload.size > settings.UPLOAD_MAX_BYTES:
        raise ValidationError(f"“{name}”：文件过大。{RULES}")
    upload.seek(0)
    if upload.read(len(kind.magic)) != kind.magic:
        raise ValidationError(
            f"“{name}”：内容不是 {extension} 文件，可能改过扩展名。请用原来的程序另存后再上传。"
        )
    problem = _problem(upload, extension)
    upload.seek(0)
    if problem:
        raise ValidationError(f"“{name}”：{problem}")
    return kind


def _problem(upload: "File[bytes]", extension: str) -> str:
    if extension in MAIN_PARTS:
        return _archive_problem(upload, extension)
    upload.seek(0)
    content = upload.read()
    opens = {"pdf": _pdf_opens, "png": _png_opens}.get(extension, _jpeg_opens)
    return "" if opens(content) else "文件打不开，可能已损坏。请在本机打开确认后重新上传。"


def _archive_problem(upload: "File[bytes]", extension: str) -> str:
    upload.seek(0)
    try:
        with zipfile.ZipFile(upload) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_ARCHIVE_ENTRIES or sum(e.file_size for e in entries) > MOST_UNPACKED_BYTES:
                return "文件解压后过大，不予接收。请删去多余的内容后另存再上传。"
            names = {entry.filename for entry in entries}
            if any(entry.flag_bits & 1 for entry in entries):
                return "文件设有密码，无法打开。请取消密码后再上传。"
            if MAIN_PARTS[extension] not in names:
                return f"内容不是 {extension} 文件，可能改过扩展名。请用原来的程序另存后再上传。"
            if any(PurePosixPath(filename).name.lower() == "vbaproject.bin" for filename in names):
                return "文件带有宏，不予接收。请另存为不带宏的格式后再上传。"
            _read_through(archive, MAIN_PARTS[extension])
    except (zipfile.BadZipFile, expat.ExpatError, zlib.error, EOFError, OSError, ValueError, RuntimeError):
        return "文件打不开，可能已损坏。请在本机打开确认后重新上传。"
    return ""


def _read_through(archive: zipfile.ZipFile, part: str) -> None:
    """Unpacks the main part piece by piece; its checksum and its XML must hold. Raises what zipfile and
    the parser raise, ValueError for a document type."""
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_document_type
    with archive.open(part) as file:
        while piece := file.read(64 * 1024):
            parser.Parse(piece)
    parser.Parse(b"", True)


def _refuse_document_type(*declaration: Any) -> None:
    raise ValueError("document type")


def _pdf_opens(content: bytes) -> bool:
    return b"%%EOF" in content[-2048:] and b"startxref" in content[-2048:]


def _png_opens(content: bytes) -> bool:
    """Walks the chunks: IHDR first, IEND last, sizes that add up, picture data in between."""
    position, kinds = len(PNG), []
    while position + 12 <= len(content):
        length = int.from_bytes(content[position : position + 4], "big")
        kinds.append(content[position + 4 : position + 8])
        position += 12 + length
        if kinds[-1] == b"IEND":
            break
    return position <= len(content) and kinds[:1] == [b"IHDR"] and b"IDAT" in kinds and kinds[-1] == b"IEND"


def _jpeg_opens(content: bytes) -> bool:
    """Walks the segments to a frame and a scan; the picture ends with its end mark."""
    position, framed = 2, False
    while position + 4 <= len(content) and content[position] == 0xFF:
        marker = content[position + 1]
        framed = framed or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC))
        if marker == 0xDA:
            return framed and b"\xff\xd9" in content[position:]
        position += 2 + int.from_bytes(content[position + 2 : position + 4], "big")
    return False


class _Sealed(File):
    """What is written to the disk for an attachment."""

    def __init__(self, plain: Iterator[bytes], attachment: Attachment) -> None:
        super().__init__(None)
        self._written = crypto.seal_file(plain, row=_row(attachment))

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        return self._written


def _row(attachment: Attachment) -> str:
    return f"core.attachment.{attachment.pk}"


def opened(attachment: Attachment) -> Iterator[bytes]:
    """The plain content, piece by piece, the first one verified before this returns.

    Raises FileNotFoundError, crypto.DecryptionFailed.
    """
    name = attachment.file.name
    pieces = _pieces(attachment)
    try:
        first = next(pieces)
    except FileNotFoundError:
        # `rotate_keys` may have moved it since the row was read.
        attachment.refresh_from_db(fields=["file"])
        if attachment.file.name == name:
            raise
        pieces = _pieces(attachment)
        first = next(pieces)
    return itertools.chain([first], pieces)


def _pieces(attachment: Attachment) -> Iterator[bytes]:
    """A file kept before files were encrypted is read as it is, until `rotate_keys` has sealed it."""
    with attachment.file.storage.open(str(attachment.file.name), "rb") as file:
        is_sealed = crypto.file_key(file) is not None
        file.seek(0)
        yield from crypto.open_file(file, row=_row(attachment)) if is_sealed else file.chunks()


def content_of(attachment: Attachment) -> bytes:
    """The plain content. Raises FileNotFoundError, crypto.DecryptionFailed."""
    return b"".join(opened(attachment))


def key_of(attachment: Attachment) -> str | None:
    """The id of the key that the stored file is under; None for one that was never encrypted.

    Raises FileNotFoundError.
    """
    with attachment.file.storage.open(str(attachment.file.name), "rb") as file:
        return crypto.file_key(file)


def reseal(attachment: Attachment) -> bool:
    """Encrypt the stored file with the newest key under a new name; False when it is so already.

    The row is changed only if it still names the file that was read; the file that is named no more goes.
    Raises FileNotFoundError, crypto.DecryptionFailed, ValueError: not the content that was handed in.
    """
    storage, old = attachment.file.storage, str(attachment.file.name)
    if key_of(attachment) == crypto.newest_key():
        return False
    digest = hashlib.sha256()
    new = storage.save(
        f"{PurePosixPath(old).parent}/{uuid.uuid4().hex}.bin",
        _Sealed(_digested(_pieces(attachment), digest), attachment),
    )
    is_whole = digest.hexdigest() == attachment.sha256
    changed = is_whole and Attachment.objects.filter(pk=attachment.pk, file=old).update(file=new)
    storage.delete(old if changed else new)
    if not is_whole:
        raise ValueError(f"{attachment.pk}: SHA-256")
    return bool(changed)


def _digested(pieces: Iterator[bytes], digest: Any) -> Iterator[bytes]:
    for piece in pieces:
        digest.update(piece)
        yield piece


def discard(attachment: Attachment) -> None:
    """Delete the row now and the file once that is committed."""
    name, storage = str(attachment.file.name), attachment.file.storage
    attachment.delete()
    transaction.on_commit(lambda: storage.delete(name))


def discard_loose(*, at: dt.datetime) -> int:
    """Delete files that no row names: their transaction was rolled back, or `discard` broke off; how many.

    `at`: the machine's time, as files have it. One younger than LOOSE_AFTER may have its row in a transaction
    that still runs. None is deleted, and an error logged, where it looks as if the database were not the one
    that the files belong to.
    """
    stored, loose = 0, []
    for folder, names in _folders(FOLDER):
        stored += len(names)
        loose += _loose_in(folder, names, at)
    if _is_of_another_database(len(loose), stored):
        log.error(
            "%s of %s stored files have no record: none deleted, check DATABASE_URL", len(loose), stored
        )
        return 0
    for name in loose:
        default_storage.delete(name)
    if loose:
        files = ContentType.objects.get_for_model(Attachment)
        told = {"target_label": "上传文件", "changes": {"文件": len(loose)}}
        events.record("loose_files_deleted", files, by=events.JOB, at=clock.now(), **told)
    return len(loose)


def _is_of_another_database(loose: int, stored: int) -> bool:
    """A wrong DATABASE_URL, or a restore that is not complete."""
    if loose > MOST_LOOSE and loose > stored * MOST_LOOSE_SHARE:
        return True
    return loose > 0 and not Attachment.objects.exists()


def _folders(folder: str) -> Iterator[tuple[str, list[str]]]:
    """The folder and all below it, each with the names of its files."""
    folders, names = default_storage.listdir(folder) if default_storage.exists(folder) else ([], [])
    yield folder, names
    for inner in folders:
        yield from _folders(f"{folder}/{inner}")


def _loose_in(folder: str, names: list[str], at: dt.datetime) -> list[str]:
    old = [path for path in (f"{folder}/{name}" for name in names) if _is_older(path, at - LOOSE_AFTER)]
    named: set[str] = set()
    for start in range(0, len(old), ASKED_AT_ONCE):
        rows = Attachment.objects.filter(file__in=old[start : start + ASKED_AT_ONCE])
        named.update(rows.values_list("file", flat=True))
    # `discard` and `reseal` may have deleted it, and its name from the row, since its age was read.
    return [path for path in old if path not in named and default_storage.exists(path)]


def _is_older(path: str, instant: dt.datetime) -> bool:
    # It may have been deleted since the folder was read.
    with contextlib.suppress(FileNotFoundError):
        return default_storage.get_modified_time(path) < instant
    return False


@transaction.atomic
def attach(
    *,
    target: models.Model,
    upload: "File[bytes]",
    by: Any,
    at: dt.datetime,
    most: int | None = None,
    counted: int | None = None,
) -> Attachment:
    """Keep a file with `target`. Raises ValidationError: not acceptable, or there are `most` (MOST_FILES
    where not said) already. `counted`: how many there are where not every one on record counts."""
    most = MOST_FILES if most is None else most
    if (Attachment.objects.of(target).count() if counted is None else counted) >= most:
        raise ValidationError(f"每条记录最多 {most} 个附件。")
    attachment = stored(target=target, upload=upload, by=by, at=at)
    attachment.save(force_insert=True)
    events.record(
        "file_attached",
        target,
        by=by,
        at=at,
        organization_id=getattr(target, "organization_id", None),
        changes={"文件": attachment.name, "SHA-256": attachment.sha256},
    )
    return attachment


def same(upload: "File[bytes]", files: Iterable[Attachment]) -> Attachment | None:
    """The one of `files` that is this upload, by name and content: a browser may send a file twice."""
    alike = [file for file in files if (file.name, file.size) == (safe_name(upload.name or ""), upload.size)]
    if not alike:
        return None
    sha256 = _sha256(upload)
    return next((file for file in alike if file.sha256 == sha256), None)


def _sha256(upload: "File[bytes]") -> str:
    digest = hashlib.sha256()
    for chunk in upload.chunks():
        digest.update(chunk)
    upload.seek(0)
    return digest.hexdigest()


def stored(*, target: models.Model, upload: "File[bytes]", by: Any, at: dt.datetime) -> Attachment:
    """Checked and on the disk; the row is for the caller to save. Raises ValidationError: not acceptable."""
    kind = check(upload)
    attachment = Attachment(
        target_type=ContentType.objects.get_for_model(target),
        target_id=str(target.pk),
        name=safe_name(upload.name or ""),
        content_type=kind.content_type,
        size=upload.size or 0,
        sha256=_sha256(upload),
        uploaded_by=by,
        uploaded_at=at,
    )
    attachment.file.save(f"{uuid.uuid4().hex}.bin", _Sealed(upload.chunks(), attachment), save=False)
    return attachment
