"""A circular as a Word file ready for the seal, and the Excel file behind it."""

from openpyxl import Workbook

from accounts.models import Organization
from core import clock, exports
from core.documents import Paper
from core.templatetags.portal import when
from reporting.circular import columns, wording
from reporting.circular.figures import Circular

TABLE_SIZE = 10
# Characters of a spreadsheet's column to a mm of paper.
CHARACTERS = 0.6


def word(circular: Circular, *, issuer: Organization, authority: Organization | None, number: str) -> bytes:
    """.docx: text, place for the seal, its tables as annexes.

    `authority` is given where only its schools are meant; an empty `number` leaves its line to the office.
    """
    paper = Paper()
    if circular.is_demonstration:
        paper.mark(wording.DEMONSTRATION)
    paper.number(number or f"〔{clock.local(circular.at).year}〕　　号")
    paper.title(wording.title(circular))
    paper.addressee(wording.addressee(circular, issuer))
    paper.paragraph(wording.opening(circular))
    for heading, paragraphs in wording.sections(circular, authority):
        paper.heading(heading)
        for text in paragraphs:
            paper.paragraph(text)
    tables = columns.tables(circular)
    titles = [f"{circular.label}{table.name}填报情况表" for table in tables]
    paper.paragraph(_listed([f"{table.name}填报情况表" for table in tables]))
    paper.seal(issuer.name, clock.local(circular.at).date())
    for index, (title, table) in enumerate(zip(titles, tables, strict=True), 1):
        paper.annex(f"附件{index}" if len(tables) > 1 else "附件", title)
        paper.table(
            [column.heading for column in table.columns],
            [["—" if value is None else value for value in row] for row in table.rows],
            widths=[column.width for column in table.columns],
            size=TABLE_SIZE,
        )
    return paper.content()


def _listed(annexes: list[str]) -> str:
    """The line that names the annexes, numbered where there are several."""
    if len(annexes) == 1:
        return f"附件：{annexes[0]}"
    return "附件：" + "\n　　　".join(f"{number}. {name}" for number, name in enumerate(annexes, 1))


def excel(circular: Circular, *, issuer: Organization, authority: Organization | None) -> bytes:
    """.xlsx: the tables (分市, 分校), 说明; the same columns and figures as on the page and in Word."""
    book = Workbook(write_only=True)
    for name, table, rows in columns.tables(circular):
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
        ["范围", f"{wording.scope(circular, authority)}{circular.who.in_full}"],
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
