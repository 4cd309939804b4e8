"""A circular as a Word file ready for the seal, and the Excel file behind it."""

from openpyxl import Workbook

from accounts.models import Organization
from core import clock, exports
from core.documents import Paper
from core.templatetags.portal import when
from reporting.circular import columns, wording
from reporting.circular.columns import Column
from reporting.circular.figures import Circular

TABLE_SIZE = 10
# Characters of a spreadsheet's column to a mm of paper.
CHARACTERS = 0.6


def word(circular: Circular, *, issuer: Organization, authority: Organization | None, number: str) -> bytes:
    """.docx: text, place for the seal, tables of authorities and schools as annexes.

    `authority` is given where only its schools are meant; an empty `number` leaves its line to the office.
    """
    paper = Paper()
    if circular.is_demonstration:
        paper.mark(wording.DEMONSTRATION)
    paper.number(number or f"〔{clock.local(circular.at).year}〕　　号")
    paper.title(wording.title(circular))
    paper.addressee(wording.addressee(issuer))
    paper.paragraph(wording.opening(circular))
    for heading, paragraphs in wording.sections(circular, authority):
        paper.heading(heading)
        for text in paragraphs:
            paper.paragraph(text)
    paper.paragraph("附件：1. 分市填报情况表\n　　　2. 分校填报情况表")
    paper.seal(issuer.name, clock.local(circular.at).date())
    _annex(
        paper,
        f"附件1　{circular.label}分市填报情况表",
        columns.authority_columns(circular),
        columns.authority_rows(circular),
    )
    _annex(
        paper,
        f"附件2　{circular.label}分校填报情况表",
        columns.school_columns(circular),
        columns.school_rows(circular),
    )
    return paper.content()


def _annex(paper: Paper, title: str, table: list[Column], rows: list[list[object]]) -> None:
    label, _, title = title.partition("　")
    paper.annex(label, title)
    paper.table(
        [column.heading for column in table],
        [["—" if value is None else value for value in row] for row in rows],
        widths=[column.width for column in table],
        size=TABLE_SIZE,
    )


def excel(circular: Circular, *, issuer: Organization, authority: Organization | None) -> bytes:
    """.xlsx: 分市, 分校, 说明; the same columns and figures as on the page and in Word."""
    book = Workbook(write_only=True)
    for name, table, rows in [
        ("分市", columns.authority_columns(circular), columns.authority_rows(circular)),
        ("分校", columns.school_columns(circular), columns.school_rows(circular)),
    ]:
        headings = [column.heading for column in table]
        widths = [max(column.width * CHARACTERS, len(column.heading) * 2 + 1) for column in table]
        exports.add_sheet(book, name, [headings, *rows], widths=widths)
    exports.add_sheet(book, "说明", notes(circular, issuer, authority), widths=[18, 110])
    return exports.saved(book)


def notes(circular: Circular, issuer: Organization, authority: Organization | None) -> list[list[str]]:
    """What the figures are and how they were counted."""
    return [
        ["项目", "内容"],
        *([["注意", wording.DEMONSTRATION]] if circular.is_demonstration else []),
        ["通报", wording.title(circular)],
        ["制表单位", issuer.name],
        ["范围", f"{wording.scope(circular, authority)}{circular.whose}"],
        ["周期", "、".join(period.label for period in circular.periods)],
        ["统计时间", when(circular.at)],
        *([["尚未关闭", "、".join(p.label for p in circular.open_periods)]] if circular.open_periods else []),
        *DEFINITIONS,
        [circular.change_label, _compared(circular)],
        *(_of_weeks(circular) if circular.is_weekly else []),
    ]


def _of_weeks(circular: Circular) -> list[list[str]]:
    return [
        ["连续未报", f"到{when(circular.streaks_at)}为止已关闭的周期中，连续未报且未谅解的周数"],
        ["依据", wording.DUTY],
        ["依据", wording.EXIT],
    ]


def _compared(circular: Circular) -> str:
    if not circular.before:
        return "此前没有应报周期，或本表含有未关闭的周期，不作比较"
    names = "、".join(period.label for period in circular.before)
    return f"本表填报率减去{names}的填报率，单位为百分点；没有可比的为空"


DEFINITIONS = [
    ["应报", "按时、迟报、未报、待报之和；免报不计入"],
    ["按时", "截止前收到"],
    ["迟报", "截止后、关闭前收到"],
    ["待报", "尚未收到，周期尚未关闭"],
    ["未报", "关闭时没有收到；等于后补报、从未补报、已谅解之和"],
    ["后补报", "关闭后才收到，结果仍为未报"],
    ["从未补报", "至统计时仍未收到，且未谅解"],
    ["已谅解", "推进办按证据谅解，仍计入应报和未报，只在计算连续未报时跳过"],
    ["填报率", "（按时＋迟报）÷应报，舍去第二位小数，所以100%就是全部"],
    ["按时率", "按时÷应报"],
]
