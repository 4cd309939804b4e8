"""Every fault of real spreadsheets has its own refusal; what only looks odd is read."""

import datetime as dt
import io
import time
import zipfile

import pytest
from openpyxl import Workbook, load_workbook

from core.imports import faults
from core.imports.faults import FileRefused
from core.imports.reading import NOTES_SHEET, VERSION_LABEL, Layout, read_table

LAYOUT = Layout("名册", "名册 2", ["代码", "名称", "人数"])
HEADINGS = ["代码*", "名称", "人数"]


def book(*rows, headings=HEADINGS, sheet="名册"):
    made = Workbook()
    made.active.title = sheet
    if headings:
        made.active.append(headings)
    for row in rows:
        made.active.append(row)
    return made


def content(made):
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def read(made, name="名册.xlsx"):
    return read_table(made if isinstance(made, bytes) else content(made), name, LAYOUT)


def refusal(made, name="名册.xlsx"):
    with pytest.raises(FileRefused) as caught:
        read(made, name)
    return str(caught.value)


def with_sheet_xml(made, change):
    """The workbook with the XML of its first sheet changed."""
    source, out = zipfile.ZipFile(io.BytesIO(content(made))), io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            part = source.read(name)
            target.writestr(name, change(part) if name.endswith("sheet1.xml") else part)
    return out.getvalue()


def test_rows_keep_their_numbers_and_columns_may_change_places():
    table = read(
        book(["甲", "1", 3], [None, None, None], ["乙", "2", 4], headings=["名称", " 代 码*", "人数"])
    )
    assert table.numbers == [2, 4]
    assert table.rows[1] == {"名称": "乙", "代码": "2", "人数": 4.0}
    assert table.letters == {"名称": "A", "代码": "B", "人数": "C"}


def test_wrong_extension():
    assert "只接收 .xlsx" in refusal(book(["1", "甲", 3]), "名册.xls")


def test_empty_file():
    assert refusal(b"") == faults.EMPTY_FILE


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("lines", [1, 2000])
def test_renamed_csv(encoding, lines):
    assert refusal(("代码,名称,人数\r\n1,甲学校,3\r\n" * lines).encode(encoding)) == faults.CSV_RENAMED


def test_renamed_xls():
    assert refusal(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600) == faults.XLS_RENAMED


def test_password():
    locked = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600 + "EncryptedPackage".encode("utf-16-le")
    assert refusal(locked) == faults.LOCKED


@pytest.mark.parametrize("junk", [b"\x01\x02\x03\x00junk", b"PK\x03\x04junk", b"PK\x05\x06" + b"\x00" * 18])
def test_corrupt(junk):
    assert refusal(junk) == faults.CORRUPT


def test_cut_off():
    assert refusal(content(book(["1", "甲", 3]))[:-400]) == faults.CORRUPT


def test_flipped_bytes():
    whole = bytearray(content(book(*[[str(n), "甲", 3] for n in range(200)])))
    place = whole.find(b"xl/worksheets/sheet1.xml") + 60
    whole[place : place + 40] = b"\xff" * 40
    assert refusal(bytes(whole)) == faults.CORRUPT


def test_word_document():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    assert refusal(buffer.getvalue()) == faults.CORRUPT


def test_bomb():
    bomb = with_sheet_xml(book(["1", "甲", 3]), lambda xml: xml + b" " * 60_000_000)
    assert len(bomb) < 1_000_000
    assert "大得异常" in refusal(bomb)


def test_part_larger_than_it_says():
    whole = content(book(["1", "甲", 3]))
    archive = zipfile.ZipFile(io.BytesIO(whole))
    size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    lying = whole.replace(size.to_bytes(4, "little"), (size - 100).to_bytes(4, "little"))
    assert refusal(lying) == faults.CORRUPT


def test_entities_are_not_expanded():
    entity = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>'
    assert refusal(with_sheet_xml(book(["1", "甲", 3]), lambda xml: entity + xml)) == faults.CORRUPT


def test_too_large(settings):
    settings.UPLOAD_MAX_BYTES = 1000
    assert "超过上限" in refusal(book(["1", "甲", 3]))


def test_empty_template():
    assert refusal(book()) == faults.EMPTY_TEMPLATE
    assert refusal(book(headings=None)) == faults.EMPTY_TEMPLATE
    assert refusal(book([" ", "\u3000", None])) == faults.EMPTY_TEMPLATE


def test_old_template():
    made = book(["1", "甲", 3])
    made.create_sheet(NOTES_SHEET).append([VERSION_LABEL, "名册 1"])
    message = refusal(made)
    assert "旧模板" in message
    assert "名册 1" in message
    assert "名册 2" in message


def test_another_tables_template_is_not_called_old():
    made = book(["1", "甲", 3])
    made.create_sheet(NOTES_SHEET).append([VERSION_LABEL, "工作人员 2"])
    message = refusal(made)
    assert "另一张表的模板（工作人员 2）" in message
    assert "旧模板" not in message


def test_formulas_are_named():
    message = refusal(book(["1", "甲", "=1+2"], ["2", "乙", '=CONCAT("a")']))
    assert "C2、C3" in message
    assert "选择性粘贴" in message


def test_error_values_are_named():
    made = book(["1", "甲", 3])
    made.active["B2"] = "#N/A"
    made.active["B2"].data_type = "e"
    assert "B2" in refusal(made)


def test_merged_headings():
    made = book(["1", "甲", 3])
    made.active.merge_cells("A1:B1")
    assert "标题行有合并单元格（A1:B1）" in refusal(made)


def test_merged_cells():
    made = book(["1", "甲", 3], ["1", "乙", 3])
    made.active.merge_cells("A2:A3")
    assert "数据区有合并单元格（A2:A3）" in refusal(made)


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_hidden_sheet_with_content(state):
    made = book(["1", "甲", 3])
    made.create_sheet("旧数据").append(["x"])
    made["旧数据"].sheet_state = state
    assert "旧数据" in refusal(made)


def test_hidden_empty_sheet_is_no_matter():
    made = book(["1", "甲", 3])
    made.create_sheet("空").sheet_state = "hidden"
    assert len(read(made).rows) == 1


def test_hidden_data_sheet():
    made = book(["1", "甲", 3])
    made.create_sheet("别的")
    made.active.sheet_state = "hidden"
    assert "是隐藏的" in refusal(made)


def test_several_sheets_to_choose_from():
    made = book(["1", "甲", 3], sheet="Sheet1")
    made.create_sheet("Sheet2").append(HEADINGS)
    assert "Sheet1、Sheet2" in refusal(made)


def test_one_sheet_of_another_name_is_read():
    assert read(book(["1", "甲", 3], sheet="Sheet1")).sheet == "Sheet1"


def test_headings():
    assert "缺少这些列：人数" in refusal(book(["1", "甲"], headings=["代码", "名称"]))
    assert "模板之外的列：备注" in refusal(book(["1", "甲", 3, 4], headings=[*HEADINGS, "备注"]))
    assert "标题重复：名称" in refusal(book(["1", "甲", 3, 4], headings=[*HEADINGS, "名称"]))
    assert refusal(book([None], ["1", "甲", 3], headings=[None, None, None])) == faults.NO_HEADINGS
    assert "D2" in refusal(book(["1", "甲", 3, "外"]))


def test_million_formatted_rows_are_quick():
    rows = b"".join(
        b'<row r="%d" s="1" customFormat="1"><c r="A%d" s="1"/><c r="C%d" s="1"/></row>' % (n, n, n)
        for n in range(4, 1_048_577)
    )
    made = with_sheet_xml(
        book(["1", "甲", 3]), lambda xml: xml.replace(b"</sheetData>", rows + b"</sheetData>")
    )
    started = time.monotonic()
    table = read(made)
    assert len(table.rows) == 1
    assert time.monotonic() - started < 30


def test_far_cell_is_refused_before_it_takes_memory():
    made = book(["1", "甲", 3])
    made.active["XFD1048576"] = "x"
    assert "XFD1048576" in refusal(made)


def test_cells_without_places_are_refused():
    assert refusal(with_sheet_xml(book(["1", "甲", 3]), lambda xml: xml.replace(b' r="A2"', b""))) == (
        faults.NO_REFERENCES
    )


def test_dates_and_truths_are_handed_on():
    row = read(book([dt.date(2020, 1, 2), True, 2.5])).rows[0]
    assert row == {"代码": dt.date(2020, 1, 2), "名称": True, "人数": 2.5}


def test_error_file_is_the_users_own():
    from core.imports.resource import CellError
    from core.imports.template import mark_errors

    made = book(["1", "甲", "三"])
    made.active["E9"] = None
    made.active.column_dimensions["B"].width = 44
    own = content(made)
    marked = load_workbook(io.BytesIO(mark_errors(own, read(own), [CellError(2, "人数", "C", "不是整数")])))
    sheet = marked["名册"]
    assert sheet["C2"].comment.text == "不是整数"
    assert sheet["C2"].fill.fgColor.rgb.endswith("FFC7CE")
    assert sheet.column_dimensions["B"].width == 44
    assert sheet["A2"].comment is None
