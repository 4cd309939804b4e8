"""Official papers as Word files: A4 laid out as offices are used to (GB/T 9704-2012), ready for the seal.

paper = Paper()
paper.number("晋1+X办通〔2020〕3号")
paper.title("关于周报填报情况的通报")
paper.addressee("各市教育局：")
paper.paragraph("……")
paper.table(["市", "应报"], [["太原市", 12]], widths=[60, 30])
paper.seal("山西省推进办", dt.date(2020, 11, 20))
content = paper.content()
"""

import datetime as dt
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any
from xml.sax.saxutils import escape

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from docx import Document
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
BODY, HEADING, TITLE, SONG = "仿宋_GB2312", "黑体", "方正小标宋简体", "宋体"
LATIN = "Times New Roman"
LINE = Pt(28)
# What a machine without these fonts takes instead.
FALLBACKS = {
    BODY: "仿宋,FangSong,FandolFang,Noto Serif CJK SC",
    HEADING: "SimHei,Noto Sans CJK SC",
    TITLE: "小标宋,宋体,SimSun,Noto Serif CJK SC",
    SONG: "SimSun,Noto Serif CJK SC",
}
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]")


class Paper:
    """One document, written from top to bottom. `landscape` is for wide tables."""

    def __init__(self, *, landscape: bool = False) -> None:
        self.document = Document()
        _declare_fallbacks(self.document)
        section = self.document.sections[0]
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.top_margin, section.bottom_margin = Mm(37), Mm(35)
        section.left_margin, section.right_margin = Mm(28), Mm(26)
        if landscape:
            _turn(section)
        style = self.document.styles["Normal"]
        style.font.size = Pt(16)
        style.paragraph_format.space_after = Pt(0)
        _set_font(style, BODY)
        _speak_chinese(style)
        _page_number(section.footer.paragraphs[0])

    def number(self, text: str) -> None:
        """The document's number, centred above the title: 晋1+X办〔2020〕3号."""
        self._line(text, align=WD_ALIGN_PARAGRAPH.CENTER)

    def title(self, text: str) -> None:
        paragraph = self._line(text, align=WD_ALIGN_PARAGRAPH.CENTER, font=TITLE, size=22, line=Pt(34))
        paragraph.paragraph_format.space_before = Pt(14)
        paragraph.paragraph_format.space_after = Pt(14)
        self.document.core_properties.title = text

    def addressee(self, text: str) -> None:
        """Whom it is for, flush left: 某校："""
        self._line(text)

    def heading(self, text: str) -> None:
        """一、……"""
        self._line(text, font=HEADING, indent=True).paragraph_format.keep_with_next = True

    def paragraph(self, text: str) -> None:
        """Running text; each line of `text` becomes a paragraph of its own."""
        for line in text.splitlines() or [""]:
            self._line(line, indent=True)

    def label(self, text: str) -> None:
        """A word in the top corner, such as 演示."""
        self._line(text, font=HEADING)

    def mark(self, text: str) -> None:
        """At the top of every page, such as 演示数据."""
        paragraph = self.document.sections[0].header.paragraphs[0]
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        run = paragraph.add_run(text)
        run.font.size, run.font.color.rgb = Pt(14), RGBColor(0xA3, 0x18, 0x2A)
        _set_font(run, HEADING)

    def annex(self, label: str, title: str) -> None:
        """Begins a landscape page: 附件1 in its corner, the title in its middle."""
        _turn(self.document.add_section(WD_SECTION.NEW_PAGE))
        self._line(label, font=HEADING)
        paragraph = self._line(title, align=WD_ALIGN_PARAGRAPH.CENTER, font=TITLE, size=18)
        paragraph.paragraph_format.space_after = Pt(10)

    def table(
        self,
        headings: Sequence[str],
        rows: Iterable[Sequence[Any]],
        *,
        widths: Sequence[float],
        size: int = 12,
    ) -> None:
        """`widths` in mm, one per column, at most 156 together (244 in landscape). Numbers stand right.
        The heading row repeats on every page, and no row is torn in two."""
        table = self.document.add_table(rows=0, cols=len(headings))
        table.style = "Table Grid"
        table.alignment = WD_TABLE_ALIGNMENT.CENTER
        table.autofit = False
        for column, width in zip(table.columns, widths, strict=True):
            column.width = Mm(width)
        for index, values in enumerate([headings, *rows]):
            table._tbl.append(_row(values, widths, size=size, is_heading=index == 0))
        self._line("", line=Pt(14))

    def seal(self, organization: str, day: dt.date) -> None:
        """Signature line and date at the right, with room above them for the seal; kept on one page."""
        for text in ["", "", organization, f"{day.year}年{day.month}月{day.day}日"]:
            paragraph = self._line(text, align=WD_ALIGN_PARAGRAPH.RIGHT)
            paragraph.paragraph_format.right_indent = Pt(16 * 4)
            paragraph.paragraph_format.keep_with_next = True
        note = self._line("（此处盖章）", align=WD_ALIGN_PARAGRAPH.RIGHT, size=12)
        note.paragraph_format.right_indent = Pt(16 * 4)

    def content(self) -> bytes:
        buffer = io.BytesIO()
        self.document.save(buffer)
        return buffer.getvalue()

    def _line(
        self,
        text: str,
        *,
        align: Any = None,
        font: str = BODY,
        size: int = 16,
        line: Any = LINE,
        indent: bool = False,
    ) -> Any:
        paragraph = self.document.add_paragraph()
        layout = paragraph.paragraph_format
        layout.line_spacing_rule, layout.line_spacing = WD_LINE_SPACING.EXACTLY, line
        if align is not None:
            paragraph.alignment = align
        if indent:
            layout.first_line_indent = Pt(size * 2)
        run = paragraph.add_run(_UNPRINTABLE.sub("", text))
        run.font.size = Pt(size)
        _set_font(run, font)
        return paragraph


def year_number(prefix: str, year: int, number: int) -> str:
    """晋1+X办告〔2020〕3号."""
    return f"{prefix}〔{year}〕{number}号"


def download(content: bytes, filename: str) -> HttpResponse:
    return HttpResponse(
        content,
        content_type=DOCX,
        headers={"Content-Disposition": content_disposition_header(True, filename)},
    )


def _turn(section: Any) -> None:
    """To landscape."""
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Mm(297), Mm(210)
    section.top_margin, section.bottom_margin = Mm(28), Mm(26)


def _set_font(styled: Any, name: str) -> None:
    styled.font.name = LATIN
    properties = styled.element.get_or_add_rPr()
    fonts = properties.get_or_add_rFonts()
    fonts.set(qn("w:eastAsia"), name)
    # Quotation marks and dashes are Chinese ones, as wide as a character.
    fonts.set(qn("w:hint"), "eastAsia")


def _speak_chinese(style: Any) -> None:
    """Else a substitute font may show the punctuation of another region."""
    language = OxmlElement("w:lang")
    language.set(qn("w:val"), "en-US")
    language.set(qn("w:eastAsia"), "zh-CN")
    style.element.get_or_add_rPr().append(language)


def _declare_fallbacks(document: Any) -> None:
    """Adds each font with its substitutes to the file's font table, which Word and LibreOffice read."""
    entries = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{other}"/><w:charset w:val="86"/></w:font>'
        for name, other in FALLBACKS.items()
    )
    for relation in document.part.rels.values():
        if relation.reltype.endswith("/fontTable"):
            part = relation.target_part
            part._blob = part.blob.replace(b"</w:fonts>", entries.encode() + b"</w:fonts>")


def _page_number(paragraph: Any) -> None:
    """— 1 — in the middle of the footer."""
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    for text, kind in [("— ", ""), ("", "begin"), ("PAGE", "code"), ("", "end"), (" —", "")]:
        run = paragraph.add_run(text if not kind else "")
        run.font.size = Pt(14)
        _set_font(run, SONG)
        if kind == "code":
            code = OxmlElement("w:instrText")
            code.set(qn("xml:space"), "preserve")
            code.text = text
            run._r.append(code)
        elif kind:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
            run._r.append(mark)


def _row(values: Sequence[Any], widths: Sequence[float], *, size: int, is_heading: bool) -> Any:
    """Written as text: cell by cell through the library, a table of 2,000 rows would take half a minute."""
    cells = "".join(
        _cell(value, Mm(width).twips, size=size, is_heading=is_heading)
        for value, width in zip(values, widths, strict=True)
    )
    heading = "<w:tblHeader/>" if is_heading else ""
    return parse_xml(f"<w:tr {nsdecls('w')}><w:trPr><w:cantSplit/>{heading}</w:trPr>{cells}</w:tr>")


def _cell(value: Any, width: int, *, size: int, is_heading: bool) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    align = "center" if is_heading else "right" if is_number else "left"
    lines = _UNPRINTABLE.sub("", "" if value is None else str(value)).split("\n")
    text = "<w:br/>".join(f'<w:t xml:space="preserve">{escape(line)}</w:t>' for line in lines)
    return (
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/><w:vAlign w:val="center"/></w:tcPr>'
        f'<w:p><w:pPr><w:jc w:val="{align}"/></w:pPr><w:r><w:rPr>'
        f'<w:rFonts w:ascii="{LATIN}" w:hAnsi="{LATIN}" w:eastAsia="{HEADING if is_heading else BODY}"'
        f' w:hint="eastAsia"/><w:sz w:val="{size * 2}"/></w:rPr>{text}</w:r></w:p></w:tc>'
    )
