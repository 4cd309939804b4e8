"""The working-day calendar: statutory holidays and make-up working days, kept as data.

Days are local days. A year that has not been published knows only Saturdays and Sundays (待公布).
"""

import calendar
import datetime as dt

from core import clock
from obligations.models import CalendarDay


def _entries(first: dt.date, last: dt.date) -> dict[dt.date, str]:
    return dict(CalendarDay.objects.filter(day__range=(first, last)).values_list("day", "kind"))


def _works(day: dt.date, entries: dict[dt.date, str]) -> bool:
    kind = entries.get(day)
    if kind is not None:
        return kind == CalendarDay.Kind.WORKDAY
    return day.weekday() < 5


def add_working_days(day: dt.date, n: int) -> dt.date:
    """The n-th working day after `day` (n ≥ 1); `day` itself is not counted."""
    entries = _entries(day, day + dt.timedelta(days=n * 3 + 30))
    while n:
        day += dt.timedelta(days=1)
        n -= _works(day, entries)
    return day


def working_day_before(day: dt.date) -> dt.date:
    """The last working day before `day`."""
    entries = _entries(day - dt.timedelta(days=30), day)
    day -= dt.timedelta(days=1)
    while not _works(day, entries):
        day -= dt.timedelta(days=1)
    return day


def add_months(day: dt.date, n: int) -> dt.date:
    """The same day `n` months on, or that month's last day where it has no such day (31 January → 28 February)."""
    months = day.year * 12 + day.month - 1 + n
    year, month = months // 12, months % 12 + 1
    return dt.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


ENTRY_WORKING_DAYS = 7


def entry_due(issued_on: dt.date) -> dt.datetime:
    """The instant (UTC) until which a certificate issued on that day has to be entered: the end of the 7th
    working day after it (MOE 三(三)). Entered at `t` it is in time when `t < entry_due`."""
    return clock.at(add_working_days(issued_on, ENTRY_WORKING_DAYS) + dt.timedelta(days=1))
