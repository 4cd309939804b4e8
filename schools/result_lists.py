"""A published list as it is read: searched, counted by city, as Excel and as Word. All from its frozen rows."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.conf import settings
from openpyxl import Workbook

from core import clock, exports
from core.documents import Paper
from core.templatetags.portal import day as day_words
from schools.models import ResultList
from schools.results import Row

HEADINGS = ["序号", "市", "院校", "办学类型", "证书", "等级", "计划人数"]
_WIDTHS_MM = [14, 26, 60, 34, 66, 16, 24]
_DEMONSTRATION = "演示数据"


def matching(rows: list[Row], text: str, city: str) -> list[Row]:
    """Rows whose school, code or certificate has the text, in that city; empty ones ask for all."""
    text = text.strip().casefold()
    return [
        row
        for row in rows
        if (not city or row["city"] == city)
        and (not text or any(text in row[name].casefold() for name in ("school", "code", "certificate")))
    ]


@dataclass
class CityCount:
    name: str
    schools: set[str] = field(default_factory=set)
    items: int = 0
    planned: int = 0


def by_city(rows: Iterable[Row]) -> list[CityCount]:
    """In the order of the rows, which is that of the cities' codes."""
    counts: dict[str, CityCount] = {}
    for row in rows:
        count = counts.setdefault(row["city"], CityCount(row["city"]))
        count.schools.add(row["code"])
        count.items += 1
        count.planned += row["planned"]
    return list(counts.values())


def span_words(result_list: ResultList) -> str:
    return f"{day_words(result_list.starts_on)}至{day_words(result_list.ends_on)}（含当日）"


def _lines(result_list: ResultList) -> list[list[object]]:
    names = ("city", "school", "kind", "certificate", "level", "planned")
    return [[number, *(row[name] for name in names)] for number, row in enumerate(result_list.rows, 1)]


def excel(result_list: ResultList) -> bytes:
    """.xlsx: the list, and what it is."""
    book = Workbook(write_only=True)
    exports.add_sheet(book, "名单", [HEADINGS, *_lines(result_list)], widths=[6, 12, 32, 16, 36, 8, 10])
    notes = [["项目", "内容"], ["标题", result_list.title], ["文号", result_list.document]]
    if result_list.kind == ResultList.Kind.PROPOSED:
        notes.append(["公示", span_words(result_list)])
    notes += [
        ["发布时间", f"{clock.local(result_list.published_at):%Y-%m-%d %H:%M}"],
        ["来源", settings.PORTAL_NAME],
    ]
    if clock.is_demonstration():
        notes.append(["注意", _DEMONSTRATION])
    exports.add_sheet(book, "说明", notes, widths=[12, 80])
    return exports.saved(book)


def word(result_list: ResultList) -> bytes:
    """.docx: the text with the place for the seal, and the list as its annex."""
    paper = Paper()
    if clock.is_demonstration():
        paper.mark(_DEMONSTRATION)
    if result_list.document:
        paper.number(result_list.document)
    paper.title(result_list.title)
    if result_list.text:
        paper.paragraph(result_list.text)
    if result_list.kind == ResultList.Kind.PROPOSED:
        paper.paragraph(f"公示时间：{span_words(result_list)}。公示期内对名单有异议的，可向省推进办提出。")
    counts = by_city(result_list.rows)
    schools = sum(len(count.schools) for count in counts)
    items = sum(count.items for count in counts)
    paper.paragraph(f"名单共 {schools} 所院校、{items} 个证书等级试点项目，见附件。")
    issuer = result_list.published_by.organization
    paper.seal(issuer.name if issuer else "", clock.local(result_list.published_at).date())
    paper.annex("附件", result_list.title)
    paper.table(HEADINGS, _lines(result_list), widths=_WIDTHS_MM, size=10)
    return paper.content()
