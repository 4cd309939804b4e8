"""The shape of a weekly report, and what is asked about its figures.

*Typed* is what a person has entered so far, valid or not: {field name: text}; a draft keeps it as it is.
*Content* is what a version keeps, as JSON::

    {"period": "2020-W47", "organization": "140100…", "is_zero": false,
     "programmes": {"<programme id>": {"in_training": 12, "training_hours": "36.5", …, "explanation": ""}},
     "teachers_trained": 0, "money_spent": "0.00",
     "work_done": "", "problems": "", "suggestions": "", "next_week": ""}

Figures of programmes are cumulative for the year of the period's label; teachers and money are this
period's own. No field list was ever published: this one is the province's default, after 四.3 of
晋教职成〔2020〕9号 and 一(三) of 教职成厅函〔2019〕19号.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from core.draft_pages import Difference


class Figure(NamedTuple):
    """One cumulative figure; a rise to more than double and by at least `jump` asks for a reason."""

    name: str
    label: str
    unit: str
    places: int = 0
    jump: int = 50


FIGURES = (
    Figure("in_training", "在训人数", "人"),
    Figure("training_hours", "培训学时", "学时", places=1, jump=500),
    Figure("registered", "报考人数", "人"),
    Figure("examined", "参考人数", "人"),
    Figure("passed", "合格人数", "人"),
    Figure("certified", "发证人数", "人"),
)
LABELS = {figure.name: figure.label for figure in FIGURES}
# Last year's examinations may be passed and certified this year: asked about, never forbidden.
ORDERED = (("examined", "registered"), ("passed", "examined"), ("certified", "passed"))
TEXTS = {
    "work_done": "本周工作",
    "problems": "存在问题",
    "suggestions": "意见建议",
    "next_week": "下周计划",
}
WEEK_FIGURES = {"teachers_trained": "本周培训教师", "money_spent": "本周支出经费"}
JUMP_FACTOR = 2
MAX_MONEY = 100_000_000
MAX_TEXT = 5_000
MAX_EXPLANATION = 200

Typed = dict[str, str]
Content = dict[str, Any]
Row = Mapping[str, Any]


def field_name(programme_id: int | str, name: str) -> str:
    return f"p{programme_id}-{name}"


def field_names(programme_ids: Iterable[int | str]) -> Iterator[str]:
    """Every field of a report on these programmes, in the order of the page."""
    yield "is_zero"
    for pk in programme_ids:
        for figure in FIGURES:
            yield field_name(pk, figure.name)
        yield field_name(pk, "explanation")
    yield from WEEK_FIGURES
    yield from TEXTS


def typed_from(data: Mapping[str, Any], programme_ids: Iterable[int | str]) -> Typed:
    """The typed texts of a request, with nothing else that came along.

    Browsers send line ends as CRLF; PostgreSQL's JSON refuses NUL.
    """
    return {
        name: str(data.get(name) or "").replace("\r\n", "\n").replace("\x00", "")
        for name in field_names(programme_ids)
    }


def typed_of(content: Content) -> Typed:
    """An accepted report as if typed again."""
    typed = {"is_zero": "on" if content["is_zero"] else ""}
    for pk, row in content["programmes"].items():
        typed |= {field_name(pk, name): str(value) for name, value in row.items()}
    return typed | {name: str(content[name]) for name in (*WEEK_FIGURES, *TEXTS)}


def stored(value: Decimal, places: int) -> int | str:
    """As kept in JSON: whole numbers as numbers, decimals as text with all their places."""
    return f"{value:.{places}f}" if places else int(value)


def change(row: Row, before: Row | None, name: str) -> Decimal | None:
    """The figure's change against `before`; None where there is nothing to compare with."""
    if before is None or name not in before:
        return None
    return Decimal(str(row[name])) - Decimal(str(before[name]))


def questions(row: Row, before: Row | None) -> list[str]:
    """What about this row needs a word of explanation; nothing when it only repeats `before`.

    `before` is None for a new programme and in the first report of a year, when figures start again.
    """
    value = {figure.name: Decimal(str(row[figure.name])) for figure in FIGURES}
    changes = {figure.name: change(row, before, figure.name) for figure in FIGURES}
    if before is not None and not any(changes.values()):
        return []
    asked = []
    for figure in FIGURES:
        delta = changes[figure.name]
        if delta is None:
            continue
        was = value[figure.name] - delta
        if delta < 0:
            asked.append(f"{figure.label}比上次少 {-delta.normalize():f}")
        elif value[figure.name] > JUMP_FACTOR * was and delta >= figure.jump:
            asked.append(f"{figure.label}由 {was.normalize():f} 增至 {value[figure.name].normalize():f}")
    for more, less in ORDERED:
        if value[more] > value[less]:
            asked.append(f"{LABELS[more]}多于{LABELS[less]}")
    return asked


def zero_row() -> dict[str, Any]:
    return {figure.name: stored(Decimal(0), figure.places) for figure in FIGURES}


def says_nothing(content: Content, before: Mapping[str, Row]) -> bool:
    """True for an empty report: no figure moved, nothing trained, spent or written, and not a zero report."""
    if content["is_zero"]:
        return False
    moved = any(
        Decimal(str(row[figure.name])) != Decimal(str(before.get(pk, zero_row())[figure.name]))
        for pk, row in content["programmes"].items()
        for figure in FIGURES
    )
    spent = content["teachers_trained"] or Decimal(content["money_spent"])
    written = any(content[name] for name in TEXTS)
    return not (moved or spent or written)


def label_of(name: str, programmes: Mapping[str, str]) -> str:
    """The Chinese name of a field; `programmes` gives each id's name."""
    if name == "is_zero":
        return "无新进展"
    if found := re.fullmatch(r"p(\d+)-(\w+)", name):
        pk, part = found.groups()
        return f"{programmes.get(pk, '试点项目')} · {LABELS.get(part, '变动说明')}"
    return (WEEK_FIGURES | TEXTS)[name]


def differences(before: Typed, after: Typed, programmes: Mapping[str, str]) -> list[Difference]:
    """Fields that differ between two typed reports, in the order of the page."""
    return [
        Difference(name, label_of(name, programmes), before.get(name, ""), after.get(name, ""))
        for name in field_names(programmes)
        if before.get(name, "") != after.get(name, "")
    ]
