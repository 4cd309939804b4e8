"""How time is cut into reporting periods: weeks, calendar months, half-years. Days are local days.

Weeks open as they begin; a month's or half-year's report opens when it is over.
"""

import datetime as dt
from typing import NamedTuple

WEEKS, MONTHS, HALVES = "weekly_report", "monthly_report", "half_year_summary"
HALF_NAMES = {1: "上半年", 2: "下半年"}


class Cycle(NamedTuple):
    """`months` 0: counted in weeks. Periods are made `ahead` of the present."""

    months: int
    ahead: dt.timedelta

    @property
    def opens_after_end(self) -> bool:
        return bool(self.months)

    def first_day(self, day: dt.date) -> dt.date:
        """The first day on or after `day` on which a period may begin."""
        if not self.months:
            return day + dt.timedelta(days=-day.weekday() % 7)
        start = day.replace(month=(day.month - 1) // self.months * self.months + 1, day=1)
        return start if start == day else _months_on(start, self.months)

    def last_day(self, starts_on: dt.date, weeks: int) -> dt.date:
        if not self.months:
            return starts_on + dt.timedelta(weeks=weeks, days=-1)
        return _months_on(starts_on, self.months) - dt.timedelta(days=1)


def _months_on(first: dt.date, n: int) -> dt.date:
    """The first of the month `n` months after that of `first`."""
    months = first.year * 12 + first.month - 1 + n
    return dt.date(months // 12, months % 12 + 1, 1)


CYCLES = {
    WEEKS: Cycle(0, dt.timedelta(weeks=8)),
    MONTHS: Cycle(1, dt.timedelta(days=92)),
    HALVES: Cycle(6, dt.timedelta(days=184)),
}


def half_of(day: dt.date) -> int:
    return 1 if day.month <= 6 else 2


def key(kind: str, starts_on: dt.date) -> str:
    """`2020-W47`, `2020-10`, `2020-H2`."""
    if kind == MONTHS:
        return f"{starts_on:%Y-%m}"
    if kind == HALVES:
        return f"{starts_on.year}-H{half_of(starts_on)}"
    year, week, _ = starts_on.isocalendar()
    return f"{year}-W{week:02d}"


def label(kind: str, starts_on: dt.date, ends_on: dt.date) -> str:
    """`2020年第47周`, `2020年第47–48周` when the province reports fortnightly, `2020年10月`, `2020年下半年`."""
    if kind == MONTHS:
        return f"{starts_on.year}年{starts_on.month}月"
    if kind == HALVES:
        return f"{starts_on.year}年{HALF_NAMES[half_of(starts_on)]}"
    year, week, _ = starts_on.isocalendar()
    last = ends_on.isocalendar().week
    return f"{year}年第{week}周" if last == week else f"{year}年第{week}–{last}周"


def short_label(kind: str, starts_on: dt.date) -> str:
    if kind == MONTHS:
        return f"{starts_on.month}月"
    if kind == HALVES:
        return f"{starts_on:%y}{HALF_NAMES[half_of(starts_on)][0]}"
    return f"{starts_on.isocalendar().week}周"


def year_of(kind: str, starts_on: dt.date) -> int:
    """The year that a period is counted to: a week's ISO year."""
    return starts_on.isocalendar().year if kind == WEEKS else starts_on.year
