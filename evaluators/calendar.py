"""The province's calendar of activities: a month as weeks of days, in local days."""

import calendar
import datetime as dt
from dataclasses import dataclass, field

from accounts.models import User
from core import clock
from evaluators.models import Activity
from obligations.calendar import add_months

FIRST, LAST = dt.date(2019, 1, 1), dt.date(2099, 12, 1)


@dataclass
class Day:
    """A cell; days of the neighbouring months stand empty."""

    day: dt.date
    in_month: bool
    activities: list[Activity] = field(default_factory=list)


@dataclass
class Month:
    first: dt.date
    weeks: list[list[Day]]
    # Each once, by its start.
    activities: list[Activity]

    @property
    def before(self) -> str:
        return _key(add_months(self.first, -1)) if self.first > FIRST else ""

    @property
    def after(self) -> str:
        return _key(add_months(self.first, 1)) if self.first < LAST else ""


def _key(first: dt.date) -> str:
    return f"{first:%Y-%m}"


def asked(text: str, today: dt.date) -> dt.date:
    """The first day of the month that `2020-11` names; of today's month where it names none."""
    try:
        year, _, month = text.partition("-")
        first = dt.date(int(year), int(month), 1)
    except ValueError:
        return today.replace(day=1)
    return first if FIRST <= first <= LAST else today.replace(day=1)


def month_of(user: User, first: dt.date) -> Month:
    """The filed activities within the user's scope that touch the month; one query."""
    weeks = [
        [Day(day, day.month == first.month) for day in week]
        for week in calendar.Calendar().monthdatescalendar(first.year, first.month)
    ]
    begins, ends = clock.at(first), clock.at(add_months(first, 1))
    rows = Activity.objects.visible_to(user).filter(
        state=Activity.State.FILED, starts_at__lt=ends, ends_at__gt=begins
    )
    activities = list(rows.select_related("evaluator", "certificate", "city").order_by("starts_at", "pk"))
    for week in weeks:
        for cell in week:
            if cell.in_month:
                cell.activities = [a for a in activities if _touches(a, cell.day)]
    return Month(first, weeks, activities)


def _touches(activity: Activity, day: dt.date) -> bool:
    """Half-open: what ends at midnight does not touch the next day."""
    return activity.starts_at < clock.at(day + dt.timedelta(days=1)) and activity.ends_at > clock.at(day)
