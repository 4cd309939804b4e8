"""Lists as .xlsx files."""

import datetime as dt
import io
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.utils.html import strip_tags
from django.utils.http import content_disposition_header
from django.utils.safestring import SafeString
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties

from core import clock, events

events.register(list_exported="导出列表")

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_CELL_CHARACTERS = 32_767


@transaction.atomic
def export_list(
    *, name: str, rows: Iterable[list[Any]], filters: dict[str, Any], by: Any, at: dt.datetime
) -> bytes:
    """The workbook of `rows`, headings first, and the event that says who took it out with which filters."""
    content, count = workbook(name, rows)
    events.record(
        "list_exported",
        by,
        by=by,
        at=at,
        organization_id=by.organization_id,
        target_label=name,
        changes={"筛选": filters, "行数": count},
    )
    return content


def workbook(title: str, rows: Iterable[list[Any]]) -> tuple[bytes, int]:
    """(.xlsx of one sheet, number of rows below the heading). Texts stay texts, ids of digits too, and
    what begins with = + - @ is never a formula."""
    book = Workbook(write_only=True)
    count = add_sheet(book, title, rows)
    return saved(book), count


def add_sheet(book: Workbook, title: str, rows: Iterable[list[Any]], *, widths: Iterable[float] = ()) -> int:
    """A sheet of a write-only workbook, headings first; `widths` in characters. The rows below the heading."""
    sheet = book.create_sheet(re.sub(r"[\[\]:*?/\\\x00-\x1f]", "", title)[:31])
    sheet.freeze_panes = "A2"
    sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = "1:1"
    for index, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(index)].width = width
    count = -1
    for count, row in enumerate(rows):
        sheet.append([_cell(sheet, value, heading=count == 0) for value in row])
    return max(count, 0)


def saved(book: Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _cell(sheet: Any, value: Any, *, heading: bool) -> Any:
    if isinstance(value, bool):
        value = "是" if value else "否"
    elif isinstance(value, dt.datetime):
        value = f"{clock.local(value):%Y-%m-%d %H:%M}"
    elif isinstance(value, SafeString):
        value = " ".join(strip_tags(value).split())
    is_text = not isinstance(value, int | float | Decimal | dt.date | None)
    if is_text:
        value = ILLEGAL_CHARACTERS_RE.sub("", str(value))[:MOST_CELL_CHARACTERS]
    cell = WriteOnlyCell(sheet, value)
    if is_text:
        cell.data_type = "s"
        cell.quotePrefix = value[:1] in {"=", "+", "-", "@"}
    if isinstance(value, float):
        cell.number_format = "0.0##"
    if heading:
        cell.font = Font(bold=True)
    return cell


def download(content: bytes, filename: str, content_type: str = XLSX) -> HttpResponse:
    return HttpResponse(
        content,
        content_type=content_type,
        headers={"Content-Disposition": content_disposition_header(True, filename)},
    )
