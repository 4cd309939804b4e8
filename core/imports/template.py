"""The workbook that the user fills in, and the user's own workbook with its errors marked."""

import io
import re
from collections.abc import Iterable
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from core.imports.columns import Code, Column, WholeNumber
from core.imports.reading import NOTES_SHEET, OPTIONS_SHEET, VERSION_LABEL, Table
from core.imports.resource import CellError, SheetResource

FILLED_ROWS = 3000
# Above this the user's own workbook, with all its formats, is too much to open again.
OWN_FILE_MAX_UNPACKED = 40 * 1024 * 1024

_BAD = PatternFill("solid", fgColor="FFC7CE")
_HEADING = PatternFill("solid", fgColor="DCE6F1")
_BOLD = Font(bold=True)
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")

NOTES = [
    "从“{sheet}”第二行起填写，每行一条；标题行不要改动，列的次序可以变。",
    "标 * 的列必填。其余留空表示不改动已登记的内容，不会清空。",
    "号码列已设为文本格式，请直接输入或“只粘贴值”，不要用公式，不要合并单元格。",
    "上传后先核对再导入：有一处错误就一行也不导入。同一份文件导入两次，第二次不会改变任何内容。",
]


def build_template(
    resource: type[SheetResource],
    options: dict[str, list[str]],
    notes: Iterable[str] = (),
    general: Iterable[str] = NOTES,
) -> bytes:
    """An empty workbook of `resource`. `options` are the allowed texts of a column, by heading, where only
    the database knows them; `general` are the notes that come first."""
    book = Workbook()
    sheet = book.active
    sheet.title = resource.sheet
    sheet.freeze_panes = "A2"
    lists = book.create_sheet(OPTIONS_SHEET)
    for number, column in enumerate(resource.columns(), 1):
        letter = get_column_letter(number)
        _heading(sheet, letter, column)
        if texts := options.get(column.heading) or column.options:
            _option_list(sheet, lists, letter, column, texts)
    _notes(book.create_sheet(NOTES_SHEET), resource, [*general, *notes])
    return _saved(book)


def _heading(sheet: Any, letter: str, column: Column) -> None:
    cell = sheet[f"{letter}1"]
    cell.value, cell.font, cell.fill = column.shown_heading, _BOLD, _HEADING
    sheet.column_dimensions[letter].width = column.width
    if isinstance(column.widget, WholeNumber):
        rule = DataValidation(
            "whole", operator="between", formula1=column.widget.least, formula2=column.widget.most
        )
        rule.error = f"请填 {column.widget.least} 到 {column.widget.most} 之间的整数。"
        sheet.add_data_validation(rule)
        rule.add(f"{letter}2:{letter}{FILLED_ROWS}")
    if isinstance(column.widget, Code):
        # Only a cell's own format keeps what is typed into it as text.
        sheet.column_dimensions[letter].number_format = "@"
        for row in range(2, FILLED_ROWS + 1):
            sheet[f"{letter}{row}"].number_format = "@"


def _option_list(sheet: Any, lists: Any, letter: str, column: Column, texts: list[str]) -> None:
    """A drop-down that suggests; what else may stand there is for the import to say."""
    at = lists.max_column + 1 if lists["A1"].value else 1
    place = get_column_letter(at)
    lists[f"{place}1"].value, lists[f"{place}1"].font = column.heading, _BOLD
    lists.column_dimensions[place].width = 36
    for row, text in enumerate(texts, 2):
        lists[f"{place}{row}"].value = text
    rule = DataValidation("list", formula1=f"'{OPTIONS_SHEET}'!${place}$2:${place}${len(texts) + 1}")
    rule.errorStyle = "warning"
    rule.error = f"不在“{OPTIONS_SHEET}”表中，请核对。"
    sheet.add_data_validation(rule)
    rule.add(f"{letter}2:{letter}{FILLED_ROWS}")


def _notes(sheet: Any, resource: type[SheetResource], notes: list[str]) -> None:
    sheet.append([VERSION_LABEL, resource.version])
    for text in notes:
        sheet.append(["说明", text.format(sheet=resource.sheet)])
    sheet.append([])
    sheet.append(["列", "填写要求"])
    for cell in (sheet["A1"], sheet.cell(sheet.max_row, 1), sheet.cell(sheet.max_row, 2)):
        cell.font = _BOLD
    for column in resource.columns():
        sheet.append([column.shown_heading, column.note])
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 18, 90
    for row in sheet.iter_rows(min_col=2, max_col=2):
        row[0].alignment = Alignment(wrap_text=True, vertical="top")


def mark_errors(content: bytes, table: Table, errors: Iterable[CellError]) -> bytes:
    """The user's own workbook with the bad cells filled and the reasons as comments.

    A workbook too large or too odd to be written back comes as a plain copy of its values.
    """
    book = None
    if table.unpacked <= OWN_FILE_MAX_UNPACKED:
        try:
            book = load_workbook(io.BytesIO(content))
        except Exception:  # openpyxl fails in many ways on workbooks that other programs wrote
            book = None
    if book is None or table.sheet not in book.sheetnames:
        book = _plain_copy(table)
    sheet = book[table.sheet]
    texts: dict[str, list[str]] = {}
    for error in errors:
        texts.setdefault(f"{error.letter or 'A'}{error.row}", []).append(error.message)
    for place, messages in texts.items():
        cell = sheet[place]
        cell.fill = _BAD
        cell.comment = Comment("\n".join(messages), "平台", height=120, width=320)
    return _saved(book)


def _plain_copy(table: Table) -> Workbook:
    book = Workbook()
    sheet = book.active
    sheet.title = table.sheet
    for heading, letter in table.letters.items():
        sheet[f"{letter}1"].value = heading
        for number, row in zip(table.numbers, table.rows, strict=True):
            cell, value = sheet[f"{letter}{number}"], row[heading]
            cell.value = _ILLEGAL.sub("", value)[:32_767] if isinstance(value, str) else value
            if isinstance(value, str):
                cell.data_type = "s"
    return book


def _saved(book: Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()
