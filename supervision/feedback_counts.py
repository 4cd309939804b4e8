"""Feedback in numbers: by evaluator and ground, month by month, and where it is concentrated."""

import datetime as dt
from collections import Counter
from typing import Any, NamedTuple

from django.db.models import Count
from django.db.models.functions import TruncMonth

from accounts.models import User
from core import clock
from obligations.calendar import add_months
from supervision.models import Feedback

MONTHS = 6
# The province's own measure of 反映集中; no document gives a number.
MANY, MANY_SCHOOLS = 5, 3
CLAUSE = "教职成厅函〔2019〕19号 五(四)"


class Numbers(NamedTuple):
    """Of one evaluator, of the last MONTHS calendar months, this one included."""

    evaluator_id: int
    name: str
    grounds: list[tuple[str, int]]
    months: list[tuple[dt.date, int]]
    total: int
    schools: int

    @property
    def is_concentrated(self) -> bool:
        return self.total >= MANY or self.schools >= MANY_SCHOOLS


def first_month() -> dt.date:
    return add_months(clock.today().replace(day=1), 1 - MONTHS)


def numbers(user: User, evaluator_id: int | None = None) -> list[Numbers]:
    """Of each evaluator, those of whom most was told first; three queries for any number."""
    rows = Feedback.objects.counted_for(user).since(clock.at(first_month()))
    if evaluator_id is not None:
        rows = rows.filter(evaluator=evaluator_id)
    # What a join for the scope doubles is counted once.
    rows = Feedback.objects.filter(pk__in=rows.order_by().values("pk")).order_by()
    by_ground = rows.values("evaluator", "evaluator__name", "ground").annotate(n=Count("pk"))
    schools = dict(rows.values_list("evaluator").annotate(Count("school", distinct=True)))
    months: dict[int, Counter[dt.date]] = {}
    monthly = rows.annotate(month=TruncMonth("filed_at")).values_list("evaluator", "month")
    for pk, start, n in monthly.annotate(n=Count("pk")):
        months.setdefault(pk, Counter())[clock.local(start).date()] += n
    found: dict[int, dict[str, Any]] = {}
    for row in by_ground:
        one = found.setdefault(row["evaluator"], {"name": row["evaluator__name"], "grounds": {}})
        one["grounds"][row["ground"]] = row["n"]
    answer = [_numbers(pk, one["name"], one["grounds"], months[pk], schools[pk]) for pk, one in found.items()]
    return sorted(answer, key=lambda each: (-each.total, each.evaluator_id))


def _numbers(pk: int, name: str, grounds: dict[str, int], months: Counter[dt.date], schools: int) -> Numbers:
    starts = [add_months(first_month(), n) for n in range(MONTHS)]
    return Numbers(
        evaluator_id=pk,
        name=name,
        grounds=[(ground.label, grounds[ground]) for ground in Feedback.Ground if ground in grounds],
        months=[(start, months[start]) for start in starts],
        total=sum(grounds.values()),
        schools=schools,
    )
