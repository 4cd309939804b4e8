"""From the bytes of an upload to rows: every fault of real spreadsheets has its own refusal."""

import datetime as dt
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import python_calamine
from import_export.formats.base_formats import XLSX
from openpyxl.utils import get_column_letter
from tablib import Dataset

from core.imports import faults
from core.imports.columns import tidy
from core.imports.container import open_container, unpacked_size
from core.imports.faults import FileRefused, cells_named
from core.imports.scan import COLUMNS_MAX, ROWS_MAX, SheetScan, scan_sheets
from core.reference import normalised

NOTES_SHEET = "填写说明"
OPTIONS_SHEET = "可选值"
VERSION_LABEL = "模板版本"

Cell = str | float | bool | dt.date | dt.datetime | dt.time | dt.timedelta
Merge = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Layout:
    """What a sheet must look like: its name, its template's version, its headings (required or not).

    `may_be_empty`: that it has no rows says something too.
    """

    sheet: str
    version: str
    headings: Sequence[str]
    may_be_empty: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of one sheet. `numbers` are the sheet's own row numbers, `letters` the column of each heading."""

    sheet: str
    letters: dict[str, str]
    numbers: list[int]
    rows: list[dict[str, Cell | None]]
    unpacked: int


class CalamineXLSX(XLSX):
    """django-import-export's XLSX format, read by calamine after the checks of a layout.

    The library's own reads formulas' last results, hidden sheets and formatted rows without a word, and
    takes twenty times as long.
    """

    read: Table

    def __init__(self, layout: Layout, name: str) -> None:
        super().__init__()
        self.layout, self.name = layout, name

    def create_dataset(self, in_stream: bytes) -> Dataset:
        """Raises FileRefused."""
        self.read = read_table(in_stream, self.name, self.layout)
        dataset = Dataset(headers=list(self.layout.headings))
        for row in self.read.rows:
            dataset.append([row[heading] for heading in self.layout.headings])
        return dataset


def read_table(content: bytes, name: str, layout: Layout) -> Table:
    """The rows of the workbook's data sheet. Raises FileRefused."""
    archive = open_container(content, name)
    scans = scan_sheets(archive)
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        _check_version(book, scans, layout)
        scan = _data_sheet(scans, layout)
        _check_cells(scan)
        sheet = book.get_sheet_by_name(scan.name)
        values = sheet.to_python(skip_empty_area=False)
        merges = sheet.merged_cell_ranges or []
    except python_calamine.CalamineError as error:
        raise FileRefused(faults.CORRUPT) from error
    letters = _headings(values, merges, layout)
    _check_merges(merges, len(values))
    numbers, rows = _rows(values, letters)
    if not rows and not layout.may_be_empty:
        raise FileRefused(faults.EMPTY_TEMPLATE)
    named = {heading: get_column_letter(column + 1) for heading, column in letters.items()}
    return Table(scan.name, named, numbers, rows, unpacked_size(archive))


def _data_sheet(scans: list[SheetScan], layout: Layout) -> SheetScan:
    """The template's data sheet by name, else the only other visible sheet with content."""
    ours = {layout.sheet, NOTES_SHEET, OPTIONS_SHEET}
    for scan in scans:
        if scan.hidden and scan.cells and scan.name not in ours:
            raise FileRefused(faults.HIDDEN_SHEET.format(name=scan.name, data=layout.sheet))
    named = next((scan for scan in scans if scan.name == layout.sheet), None)
    filled = [scan for scan in scans if scan.cells and scan.name not in ours and not scan.hidden]
    if named is None and len(filled) > 1:
        names = "、".join(scan.name for scan in filled[:5])
        raise FileRefused(faults.SEVERAL_SHEETS.format(data=layout.sheet, names=names))
    chosen = named or (filled[0] if filled else None)
    if chosen is None:
        raise FileRefused(faults.NO_SHEET.format(data=layout.sheet))
    if chosen.hidden:
        raise FileRefused(faults.HIDDEN_DATA.format(name=chosen.name))
    if not chosen.cells:
        raise FileRefused(faults.EMPTY_TEMPLATE)
    return chosen


def _check_cells(scan: SheetScan) -> None:
    if scan.far:
        raise FileRefused(faults.TOO_MANY_ROWS.format(cell=scan.far, rows=ROWS_MAX, columns=COLUMNS_MAX))
    if scan.formulas:
        raise FileRefused(faults.FORMULAS.format(cells=cells_named(scan.formulas)))
    if scan.errors:
        raise FileRefused(faults.ERROR_VALUES.format(cells=cells_named(scan.errors)))


def _check_version(book: Any, scans: list[SheetScan], layout: Layout) -> None:
    """A workbook that carries a marker must carry today's; one without is judged by its headings."""
    notes = next((scan for scan in scans if scan.name == NOTES_SHEET and scan.cells and not scan.far), None)
    if notes is None:
        return
    for row in book.get_sheet_by_name(NOTES_SHEET).to_python(nrows=20):
        if len(row) > 1 and row[0] == VERSION_LABEL and str(row[1]) != layout.version:
            found = tidy(str(row[1]))
            is_older = _table_of(found) == _table_of(layout.version)
            words = faults.OLD_TEMPLATE if is_older else faults.OTHER_TEMPLATE
            raise FileRefused(words.format(found=found[:40], current=layout.version))


def _table_of(version: str) -> str:
    """`院校名册` of `院校名册 2020-1`."""
    return version.rpartition(" ")[0]


def _headings(values: list[list[Cell]], merges: list[Merge], layout: Layout) -> dict[str, int]:
    """Column (from 0) of each heading of the layout; the sheet's order is free."""
    if merged := [_range(m) for m in merges if m[0][0] == 0]:
        raise FileRefused(faults.MERGED_HEADINGS.format(cells=cells_named(merged)))
    known = {normalised(heading): heading for heading in layout.headings}
    found: dict[str, int] = {}
    shown = [tidy(str(value)) for value in values[0]] if values else []
    names = [normalised(text).rstrip("*") for text in shown]
    if not any(names):
        raise FileRefused(faults.NO_HEADINGS)
    if repeated := [shown[names.index(name)] for name, n in Counter(names).items() if name and n > 1]:
        raise FileRefused(faults.REPEATED_HEADINGS.format(names="、".join(repeated)))
    for column, name in enumerate(names):
        if name in known:
            found[known[name]] = column
    if missing := [heading for heading in layout.headings if heading not in found]:
        raise FileRefused(faults.MISSING_HEADINGS.format(names="、".join(missing)))
    if extra := [text[:20] for text, name in zip(shown, names, strict=True) if name and name not in known]:
        raise FileRefused(faults.EXTRA_HEADINGS.format(names="、".join(extra)))
    return found


def _rows(
    values: list[list[Cell]], columns: dict[str, int]
) -> tuple[list[int], list[dict[str, Cell | None]]]:
    """Rows with content, with their numbers in the sheet; blank ones between are passed over."""
    numbers, rows, stray = [], [], []
    headed = set(columns.values())
    for number, cells in enumerate(values[1:], 2):
        filled = [i for i, value in enumerate(cells) if not _blank(value)]
        if not filled:
            continue
        stray += [f"{get_column_letter(i + 1)}{number}" for i in filled if i not in headed]
        numbers.append(number)
        rows.append({heading: cells[i] if i < len(cells) else None for heading, i in columns.items()})
    if stray:
        raise FileRefused(faults.UNHEADED_VALUES.format(cells=cells_named(stray)))
    return numbers, rows


def _check_merges(merges: list[Merge], height: int) -> None:
    if merged := [_range(m) for m in merges if m[0][0] < height]:
        raise FileRefused(faults.MERGED_CELLS.format(cells=cells_named(merged)))


def _blank(value: Cell) -> bool:
    return isinstance(value, str) and not tidy(value)


def _range(merge: Merge) -> str:
    (top, left), (bottom, right) = merge
    return f"{get_column_letter(left + 1)}{top + 1}:{get_column_letter(right + 1)}{bottom + 1}"
