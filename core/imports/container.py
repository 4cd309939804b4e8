"""Is this upload an .xlsx that is safe to open? Asked before any reader of spreadsheets sees it."""

import io
import zipfile

from django.conf import settings

from core import attachments
from core.imports import faults
from core.imports.faults import FileRefused

MEGABYTE = 1024 * 1024
# A sheet of 1,048,576 formatted rows unpacks some ten to thirty times its size; a bomb a thousand times.
UNPACKED_MAX_BYTES = attachments.MOST_UNPACKED_BYTES
RATIO_MAX = 120
RATIO_FROM_BYTES = 8 * MEGABYTE
PARTS_MAX = 2000

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def open_container(content: bytes, name: str) -> zipfile.ZipFile:
    """The checked archive of an .xlsx workbook. Raises FileRefused."""
    if not name.lower().endswith(".xlsx"):
        raise FileRefused(faults.WRONG_EXTENSION.format(name=name[-60:]))
    if not content:
        raise FileRefused(faults.EMPTY_FILE)
    check_size(len(content))
    if content.startswith(_OLE):
        locked = "EncryptedPackage".encode("utf-16-le") in content
        raise FileRefused(faults.LOCKED if locked else faults.XLS_RENAMED)
    if not content.startswith(b"PK"):
        raise FileRefused(faults.CSV_RENAMED if _is_text(content) else faults.CORRUPT)
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        _check_unpacked(archive)
        # Reads every part to its end: one that is not as large as it says, or is damaged, shows here.
        sound = archive.testzip() is None
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise FileRefused(faults.CORRUPT) from error
    except Exception as error:
        if type(error).__module__ not in {"zlib", "_lzma"}:
            raise
        raise FileRefused(faults.CORRUPT) from error
    if not sound or "xl/workbook.xml" not in archive.namelist():
        raise FileRefused(faults.CORRUPT)
    return archive


def check_size(size: int) -> None:
    """Raises FileRefused above settings.UPLOAD_MAX_BYTES; `size` in bytes."""
    limit = settings.UPLOAD_MAX_BYTES
    if size > limit:
        raise FileRefused(faults.TOO_LARGE.format(size=size / MEGABYTE, limit=limit / MEGABYTE))


def unpacked_size(archive: zipfile.ZipFile) -> int:
    return sum(part.file_size for part in archive.infolist())


def _check_unpacked(archive: zipfile.ZipFile) -> None:
    parts = archive.infolist()
    total = unpacked_size(archive)
    packed = sum(part.compress_size for part in parts) or 1
    if len(parts) > PARTS_MAX or total > UNPACKED_MAX_BYTES:
        raise FileRefused(faults.BOMB.format(size=total / MEGABYTE))
    if total > RATIO_FROM_BYTES and total / packed > RATIO_MAX:
        raise FileRefused(faults.BOMB.format(size=total / MEGABYTE))


def _is_text(content: bytes) -> bool:
    sample = content[:4096]
    if b"\x00" in sample and not sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    for encoding in ("utf-8-sig", "gb18030", "utf-16"):
        try:
            # The sample may end in the middle of a character.
            text = (
                sample.decode(encoding, errors="strict") if len(content) <= 4096 else _cut(sample, encoding)
            )
        except UnicodeDecodeError:
            continue
        return all(ch.isprintable() or ch in "\r\n\t" for ch in text)
    return False


def _cut(sample: bytes, encoding: str) -> str:
    for end in range(len(sample), len(sample) - 4, -1):
        try:
            return sample[:end].decode(encoding)
        except UnicodeDecodeError as error:
            last = error
    raise last
