"""Trends over a year: the rate by authority and week, when reports come in, who is always last."""

import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from accounts.models import Organization, OrganizationQuerySet
from obligations.models import Obligation, ObligationQuerySet, Outcome, Period
from obligations.rates import Rate, rates, total

# Hours from the deadline (negative: before it) at which one bar ends and the next begins.
EDGES = [-96, -72, -48, -24, -12, -6, -2, 0, 2, 12, 24, 48, 72]
RANKED = 20
# Fewer closed weeks than this say nothing about a habit.
FEWEST_WEEKS = 4


@dataclass(frozen=True)
class Line:
    """One authority's rate in each period; None where nothing was owed."""

    pk: int
    name: str
    rates: list[Rate]

    @property
    def whole(self) -> Rate:
        return total(self.rates)


@dataclass(frozen=True)
class Bar:
    """Reports received within a span of hours around the deadline."""

    label: str
    kind: str
    count: int


@dataclass(frozen=True)
class Ranked:
    """One school of the ranking. `median_hours`: of what was received, before (+) or after (−) the
    deadline; None where nothing ever was."""

    pk: int
    name: str
    authority: str
    rate: Rate
    median_hours: float | None


@dataclass(frozen=True)
class Trends:
    """`periods` are closed ones, oldest first; `lines` one to each authority."""

    periods: list[Period]
    lines: list[Line]
    whole: Line
    bars: list[Bar]
    ranked: list[Ranked]
    too_few: int

    @property
    def weeks(self) -> list[tuple[Period, list[Rate]]]:
        """Rows of the table behind the lines: a period, each authority's rate, the sum."""
        columns = [*self.lines, self.whole]
        return [
            (period, [line.rates[index] for line in columns]) for index, period in enumerate(self.periods)
        ]


def trends(schools: OrganizationQuerySet, periods: list[Period], *, by: str) -> Trends:
    """Of those schools over those closed periods (oldest first); `by` is "share" or "median". Four queries."""
    ids = [period.pk for period in periods]
    weekly = Obligation.objects.weekly().filter(period__in=ids, organization__in=schools.values("pk"))
    lines = _lines(weekly, ids)
    whole = Line(0, "合计", [total(line.rates[i] for line in lines) for i in range(len(ids))])
    ahead, filled = _hours(weekly)
    ranked, too_few = _ranking(schools, rates(weekly, "organization"), ahead, by=by)
    return Trends(periods, lines, whole, _bars(ahead.values(), filled), ranked, too_few)


def _lines(weekly: ObligationQuerySet, ids: list[int]) -> list[Line]:
    counts = rates(weekly, "organization__supervisor", "period")
    authorities = Organization.objects.filter(pk__in={authority for authority, _ in counts})
    return [
        Line(pk, name, [counts.get((pk, period), Rate()) for period in ids])
        for pk, name in authorities.order_by("kind", "code").values_list("pk", "name")
    ]


def _hours(weekly: ObligationQuerySet) -> tuple[dict[int, list[float]], int]:
    """Organisation → hours between receipt and deadline of each report filed before the close, positive
    before the deadline; and how many came after the close. One query."""
    ahead: dict[int, list[float]] = defaultdict(list)
    filed = weekly.filter(outcome__in=[Outcome.ON_TIME, Outcome.LATE]).order_by()
    rows = filed.values_list("organization_id", "due_at", "received_at")
    for organization, due_at, received_at in rows.iterator(chunk_size=5000):
        if received_at:
            ahead[organization].append((due_at - received_at) / dt.timedelta(hours=1))
    filled = weekly.filter(outcome=Outcome.MISSED, filled_at__isnull=False).count()
    return ahead, filled


def _bars(ahead: Iterable[list[float]], filled: int) -> list[Bar]:
    counts = [0] * (len(EDGES) + 1)
    for hours in ahead:
        for hour in hours:
            # Half-open as the deadline is: received at the deadline is late.
            counts[bisect_right(EDGES, -hour)] += 1
    bars = [Bar(label, kind, n) for (label, kind), n in zip(_bar_labels(), counts, strict=True)]
    # A close further away than the last edge leaves that bar in place; at the default one it is empty.
    return (
        [bar for bar in bars[:-1]]
        + ([bars[-1]] if bars[-1].count else [])
        + [Bar("关闭后补报", "filled", filled)]
    )


def _bar_labels() -> list[tuple[str, str]]:
    labels = [(f"提前{-EDGES[0]}小时以上", "on_time")]
    for start, end in pairwise(EDGES):
        if end <= 0:
            labels.append((f"提前{-end}–{-start}小时", "on_time"))
        else:
            labels.append((f"过后{start}–{end}小时", "late"))
    return [*labels, (f"过后{EDGES[-1]}小时以上", "late")]


def _ranking(
    schools: OrganizationQuerySet, counts: dict[int, Rate], ahead: dict[int, list[float]], *, by: str
) -> tuple[list[Ranked], int]:
    """The last ones first, and how many schools owed too little to be ranked."""
    names = {
        pk: (name, authority) for pk, name, authority in schools.values_list("pk", "name", "supervisor__name")
    }
    rows = [
        Ranked(pk, *names[pk], rate, round(median(ahead[pk]), 1) if ahead.get(pk) else None)
        for pk, rate in counts.items()
        if rate.owed >= FEWEST_WEEKS
    ]
    too_few = sum(0 < rate.owed < FEWEST_WEEKS for rate in counts.values())
    return sorted(rows, key=_by_median if by == "median" else _by_share)[:RANKED], too_few


def _by_share(row: Ranked) -> tuple[float, float, int]:
    return (-(row.rate.percent_behind or 0), *_by_median(row))


def _by_median(row: Ranked) -> tuple[float, int]:
    """Who never filed is behind all who did."""
    return (float("-inf") if row.median_hours is None else row.median_hours, row.pk)
