"""A first look at the raw XML of each sheet, as a stream: what the value reader does not tell.

It finds formulas and error values by cell, and how far the content reaches. The reach is asked before
the values are read because the reader makes a dense table: two cells in opposite corners of a sheet would
take all memory, while a million formatted but empty rows cost nothing.
"""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from posixpath import join, normpath
from typing import IO
from xml.etree import ElementTree

from core.imports import faults
from core.imports.faults import FileRefused

ROWS_MAX = 50_000
COLUMNS_MAX = 100

_CHUNK = 1 << 20
# A cell with something inside; `<c r="A1" s="1"/>` is format only.
_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*[^/>])>\s*<(/)?((?:\w+:)?\w+)")
_PLACE = re.compile(rb"""\br=["']([A-Z]{1,3})(\d{1,7})["']""")
_ERROR = re.compile(rb"""\bt=["']e["']""")
_KEEP = 400


@dataclass
class SheetScan:
    """`far` is the first cell found beyond the limits; `cells` counts cells with content."""

    name: str
    hidden: bool
    cells: int = 0
    far: str = ""
    formulas: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def scan_sheets(archive: zipfile.ZipFile) -> list[SheetScan]:
    """One look at each worksheet, in the order of the workbook. Raises FileRefused."""
    try:
        sheets = list(_sheets(archive))
    except (ElementTree.ParseError, KeyError, ValueError) as error:
        raise FileRefused(faults.CORRUPT) from error
    scans = []
    for name, hidden, part in sheets:
        scan = SheetScan(name, hidden)
        with archive.open(part) as stream:
            _scan(stream, scan)
        scans.append(scan)
    return scans


def _scan(stream: IO[bytes], scan: SheetScan) -> None:
    rest = b""
    first = True
    while chunk := stream.read(_CHUNK):
        data = rest + chunk
        if first and (b"\x00" in data[:200] or b"<!DOCTYPE" in data[:2000]):
            raise FileRefused(faults.CORRUPT)
        first = False
        end = 0
        for match in _CELL.finditer(data):
            _note(match, scan)
            end = match.end()
        rest = data[max(end, len(data) - _KEEP) :]


def _note(match: re.Match[bytes], scan: SheetScan) -> None:
    attributes, closing, tag = match.groups()
    if closing:
        return
    place = _PLACE.search(attributes)
    if place is None:
        raise FileRefused(faults.NO_REFERENCES)
    cell = (place[1] + place[2]).decode()
    scan.cells += 1
    if tag.rsplit(b":", 1)[-1] == b"f":
        scan.formulas.append(cell)
    elif _ERROR.search(attributes):
        scan.errors.append(cell)
    if not scan.far and (int(place[2]) > ROWS_MAX or column_number(place[1].decode()) > COLUMNS_MAX):
        scan.far = cell


def column_number(letters: str) -> int:
    """`A` is 1, `AA` is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _sheets(archive: zipfile.ZipFile) -> Iterator[tuple[str, bool, str]]:
    """(name, hidden, part) of the worksheets; chart sheets hold no cells."""
    targets = {}
    for relation in _parse(archive, "xl/_rels/workbook.xml.rels"):
        if relation.get("Type", "").endswith("/worksheet"):
            target = relation.get("Target", "")
            targets[relation.get("Id")] = (
                target.lstrip("/") if target.startswith("/") else normpath(join("xl", target))
            )
    for element in _parse(archive, "xl/workbook.xml").iter():
        if element.tag.rsplit("}", 1)[-1] != "sheet":
            continue
        key = next((value for name, value in element.attrib.items() if name.endswith("}id")), None)
        if key in targets:
            yield element.get("name", ""), element.get("state", "visible") != "visible", targets[key]


def _parse(archive: zipfile.ZipFile, part: str) -> ElementTree.Element:
    text = archive.read(part)
    if b"<!DOCTYPE" in text or len(text) > _CHUNK:
        raise ValueError(part)
    return ElementTree.fromstring(text)  # noqa: S314 — no document type, so no entities
