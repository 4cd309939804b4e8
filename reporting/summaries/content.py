"""The shape of monthly reports and half-year summaries, and what is asked about their figures.

*Typed* is {field name: text}. *Content* is what a version keeps, as JSON::

    {"period": "2020-10", "organization": "E1", "is_zero": false,
     "rows": {"<certificate or programme id>": {"name": "…", "given": {"schools": 3, …},
              "said": {"exams": 1, "said_examined": 20, "issued": 15, "fees": "4000.00"}, "explanation": ""}},
     "sums": {"teachers_trained": 12, …}, "problems": "", …, "files": [{"id": …, "name": …, "sha256": …}]}

`given` and `sums` are what the portal knew when it was filed; they are never typed (SX 四.3). `said` is the
evaluator's own, in monthly reports only. Schools' weeklies and evaluators' months may rightly differ (an
examination of last month entered in this one): a difference asks for a word, it forbids nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from accounts.models import Organization
from core import draft_files
from core.draft_pages import Difference
from obligations.models import Obligation, ObligationKind

Typed = dict[str, str]
Content = dict[str, Any]
Row = Mapping[str, Any]
MAX_TEXT = 5_000
MAX_EXPLANATION = 200


class Figure(NamedTuple):
    name: str
    label: str
    unit: str = "人"
    places: int = 0


_ADDED = (
    Figure("registered_added", "新增报考"),
    Figure("examined_added", "新增参考"),
    Figure("passed_added", "新增合格"),
    Figure("certified_added", "新增发证"),
)
_RUNNING = (Figure("schools", "开展院校", "所"), Figure("planned", "本年计划"), Figure("in_training", "在训"))
_ACTIVITIES = (Figure("activities_filed", "备案活动", "次"), Figure("activities_held", "已办活动", "次"))
SAID = (
    Figure("exams", "考核场次", "场"),
    Figure("said_examined", "考核人数"),
    Figure("issued", "发证数", "本"),
    Figure("fees", "收取考核费用", "元", 2),
)
_TEXTS_OF_HALF = {
    "progress": "工作进展",
    "problems": "存在问题",
    "suggestions": "意见建议",
    "next_half": "下一步打算",
}


@dataclass(frozen=True)
class Shape:
    """One form: what is given, what is typed. `row_noun` names what a row stands for."""

    row_noun: str
    given: tuple[Figure, ...]
    said: tuple[Figure, ...]
    sums: tuple[Figure, ...]
    texts: Mapping[str, str]
    required: tuple[str, ...] = ()
    has_files: bool = False

    def fields(self, row_ids: Iterable[str]) -> Iterator[str]:
        """Every typed field, in the order of the page."""
        if self.said:
            yield "is_zero"
            for pk in row_ids:
                for figure in self.said:
                    yield field_name(pk, figure.name)
                yield field_name(pk, "explanation")
        yield from self.texts
        if self.has_files:
            yield draft_files.FIELD

    def typed_from(self, data: Mapping[str, Any], row_ids: Iterable[str]) -> Typed:
        """Browsers send line ends as CRLF; PostgreSQL's JSON refuses NUL."""
        return {
            name: str(data.get(name) or "").replace("\r\n", "\n").replace("\x00", "")
            for name in self.fields(row_ids)
        }

    def typed_of(self, content: Content) -> Typed:
        """An accepted one as if typed again."""
        typed = {name: content[name] for name in self.texts}
        if self.said:
            typed["is_zero"] = "on" if content["is_zero"] else ""
            for pk, row in content["rows"].items():
                typed |= {field_name(pk, name): str(value) for name, value in row["said"].items()}
                typed[field_name(pk, "explanation")] = row["explanation"]
        if self.has_files:
            typed[draft_files.FIELD] = " ".join(file["id"] for file in content[draft_files.FIELD])
        return typed

    def label_of(self, name: str, names: Mapping[str, str]) -> str:
        if name == "is_zero":
            return "本月无新进展"
        if name == draft_files.FIELD:
            return "附件"
        if name in self.texts:
            return self.texts[name]
        pk, _, part = name.removeprefix("r").partition("-")
        labels = {figure.name: figure.label for figure in self.said}
        return f"{names.get(pk, self.row_noun)} · {labels.get(part, '说明')}"

    def differences(self, before: Typed, after: Typed, names: Mapping[str, str]) -> list[Difference]:
        """Fields that differ between two typed ones, in the order of the page."""
        return [
            Difference(name, self.label_of(name, names), before.get(name, ""), after.get(name, ""))
            for name in self.fields(names)
            if before.get(name, "") != after.get(name, "")
        ]


MONTH = Shape(
    row_noun="证书",
    given=(*_RUNNING, *_ADDED, Figure("certified", "本年累计发证"), *_ACTIVITIES),
    said=SAID,
    sums=(),
    texts={"problems": "存在问题", "plans": "下月计划"},
)
HALF_OF_SCHOOL = Shape(
    row_noun="试点项目",
    given=(*_RUNNING[1:], *_ADDED, Figure("certified", "本年累计发证")),
    said=(),
    sums=(
        Figure("teachers_trained", "培训教师", "人次"),
        Figure("money_spent", "支出经费", "元", 2),
        Figure("owed", "应报周报", "份"),
        Figure("filed", "已报周报", "份"),
    ),
    texts=_TEXTS_OF_HALF,
    required=("progress",),
    has_files=True,
)
HALF_OF_EVALUATOR = Shape(
    row_noun="证书",
    given=(*_RUNNING, *SAID, *_ACTIVITIES),
    said=(),
    sums=(Figure("owed", "应报月报", "份"), Figure("filed", "已报月报", "份")),
    texts=_TEXTS_OF_HALF,
    required=("progress",),
    has_files=True,
)


def shape_of(obligation: Obligation) -> Shape:
    if obligation.kind == ObligationKind.MONTHLY_REPORT:
        return MONTH
    of_school = obligation.organization.kind == Organization.Kind.SCHOOL
    return HALF_OF_SCHOOL if of_school else HALF_OF_EVALUATOR


def field_name(pk: int | str, name: str) -> str:
    return f"r{pk}-{name}"


def stored(value: Decimal | int, places: int) -> int | str:
    """As kept in JSON: whole numbers as numbers, decimals as text with all their places."""
    return f"{value:.{places}f}" if places else int(value)


def questions(said: Row, given: Row) -> list[str]:
    """What about an evaluator's figures differs from what the portal knows, and needs a word."""
    asked = []
    for name, against, words in (
        ("said_examined", "examined_added", "考核人数 {}，院校周报本月新增参考 {}"),
        ("issued", "certified_added", "发证数 {}，院校周报本月新增发证 {}"),
        ("exams", "exams_held", "考核场次 {}，本月已备案并举行的考核 {}"),
    ):
        if said[name] != given[against]:
            asked.append(words.format(said[name], given[against]))
    if Decimal(said["fees"]) and not said["said_examined"]:
        asked.append("没有考核人数而有收费")
    return asked
