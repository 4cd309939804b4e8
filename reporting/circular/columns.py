"""The tables of a circular, with the same columns on the page, in Word and in Excel."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from reporting.circular.figures import AuthorityLine, Circular, SchoolLine


class Column(NamedTuple):
    """`width` in mm of a landscape page."""

    heading: str
    value: Callable[[Any], Any]
    width: float


COUNTS = [
    Column("应报", lambda line: line.rate.owed, 11),
    Column("按时", lambda line: line.rate.on_time, 11),
    Column("迟报", lambda line: line.rate.late, 11),
    Column("待报", lambda line: line.rate.pending, 11),
    Column("未报", lambda line: line.rate.missed, 11),
    Column("后补报", lambda line: line.rate.filled, 12),
    Column("从未补报", lambda line: line.rate.never_filled, 12),
    Column("已谅解", lambda line: line.rate.excused, 12),
    Column("免报", lambda line: line.rate.exempt, 11),
    Column("填报率%", lambda line: line.rate.percent, 14),
    Column("按时率%", lambda line: line.rate.percent_on_time, 14),
]


# A streak is of weeks only (MOE 五(四)).
_WARNED = [
    Column("连续未报≥2周", lambda line: line.warned_two, 17),
    Column("连续未报≥3周", lambda line: line.warned_three, 17),
]


class Table(NamedTuple):
    """`name` is the sheet's, and stands in the annex's title."""

    name: str
    columns: list[Column]
    rows: list[list[Any]]


def tables(circular: Circular) -> list[Table]:
    """By authority and one by one; evaluators, whom nobody supervises, one by one only."""
    alone = Table(names(circular)[-1], school_columns(circular), school_rows(circular, circular.schools))
    if not circular.who.has_schools:
        return [alone]
    return [Table(names(circular)[0], authority_columns(circular), authority_rows(circular)), alone]


def names(circular: Circular) -> list[str]:
    if circular.who.are_mixed:
        return ["按主管部门", "各单位"]
    return ["分市", "分校"] if circular.who.has_schools else ["各评价组织"]


def authority_columns(circular: Circular) -> list[Column]:
    return [
        Column("主管部门", lambda line: line.name, 44),
        Column("单位" if circular.who.are_mixed else circular.who.noun, lambda line: len(line.schools), 12),
        *COUNTS,
        _change(circular),
        *(_WARNED if circular.is_weekly else []),
    ]


def school_columns(circular: Circular) -> list[Column]:
    return [
        *([Column("主管部门", lambda line: line.authority, 34)] if circular.who.has_schools else []),
        Column(circular.who.noun, lambda line: line.name, 52),
        *COUNTS,
        _change(circular),
        *([Column("连续未报周数", lambda line: line.weeks, 13)] if circular.is_weekly else []),
    ]


def _change(circular: Circular) -> Column:
    return Column(f"{circular.change_label}（百分点）", lambda line: line.change, 16)


def authority_rows(circular: Circular) -> list[list[Any]]:
    """With the sum as the last row."""
    return rows_of(authority_columns(circular), [*circular.authorities, circular.total])


def school_rows(circular: Circular, schools: list[SchoolLine]) -> list[list[Any]]:
    """In the order of `schools`, with the sum as the last row where no table by authority has it."""
    whole = [] if circular.who.has_schools else [circular.total]
    return rows_of(school_columns(circular), [*schools, *whole])


def rows_of(columns: list[Column], lines: Iterable[AuthorityLine | SchoolLine]) -> list[list[Any]]:
    return [[column.value(line) for column in columns] for line in lines]
