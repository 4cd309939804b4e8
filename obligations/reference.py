"""The working-day calendar from reference files."""

from pathlib import Path

from core import clock
from core.reference import Counts, rows, take, touched
from obligations import periods
from obligations.models import CalendarDay, CalendarYear


def load_calendar(folder: Path) -> dict[str, Counts]:
    """`calendar_years.csv` and `workdays.csv`. A day that the office has set or removed stays as it is.

    Periods that have not opened yet are made anew when something changed.
    """
    year_counts, _ = take(
        CalendarYear.objects.all(),
        [
            (row, {"year": int(row.code("year", r"\d{4}")), "document": row["document"]})
            for row in rows(folder / "calendar_years.csv", "year", "document")
        ],
        key=("year",),
    )
    kinds = {kind.value: kind for kind in CalendarDay.Kind}
    wanted = [
        (row, {"day": row.day("day"), "kind": row.choice("kind", kinds), "name": row["name"]})
        for row in rows(folder / "workdays.csv", "day", "kind", "name")
    ]
    # A removed day has no record left to compare with; its event says that it was removed on purpose.
    by_office = touched(CalendarDay)
    free = [(row, fields) for row, fields in wanted if str(fields["day"]) not in by_office]
    day_counts, _ = take(CalendarDay.objects.all(), free, key=("day",))
    day_counts.kept += len(wanted) - len(free)
    if year_counts.changed or day_counts.changed:
        periods.rebuild_all_unopened(at=clock.now())
    return {"已公布年份": year_counts, "节假日与调休": day_counts}
