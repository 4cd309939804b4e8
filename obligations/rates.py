"""The one function for rates: every page, export and circular counts with it.

`owed = on_time + late + missed + pending`, so no rate can exceed 100 %. A group is the supervising
authority and never the place: each school has exactly one, so that the cities' figures add up to the
province's.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

from django.db.models import Count, Q

from obligations.models import ObligationQuerySet, Outcome

_MISSED = Q(outcome=Outcome.MISSED)
_COUNTS = {
    "on_time": Count("pk", filter=Q(outcome=Outcome.ON_TIME)),
    "late": Count("pk", filter=Q(outcome=Outcome.LATE)),
    "pending": Count("pk", filter=Q(outcome=Outcome.PENDING)),
    "exempt": Count("pk", filter=Q(outcome=Outcome.EXEMPT)),
    "excused": Count("pk", filter=_MISSED & Q(excused_at__isnull=False)),
    "filled": Count("pk", filter=_MISSED & Q(excused_at=None, filled_at__isnull=False)),
    "never_filled": Count("pk", filter=_MISSED & Q(excused_at=None, filled_at=None)),
}


@dataclass(frozen=True, slots=True)
class Rate:
    """Obligations counted by what became of them. The three kinds of missed ones exclude each other:
    excused (filled or not), filled after the close, never filled."""

    on_time: int = 0
    late: int = 0
    pending: int = 0
    exempt: int = 0
    excused: int = 0
    filled: int = 0
    never_filled: int = 0

    def __add__(self, other: "Rate") -> "Rate":
        return total((self, other))

    @property
    def missed(self) -> int:
        return self.excused + self.filled + self.never_filled

    @property
    def filed(self) -> int:
        """Late counts as filed, a back-fill does not."""
        return self.on_time + self.late

    @property
    def owed(self) -> int:
        return self.filed + self.missed + self.pending

    @property
    def percent(self) -> float | None:
        """Share of the owed that was filed, 0–100 with one decimal; None where nothing is owed."""
        return _percent(self.filed, self.owed)

    @property
    def text(self) -> str:
        """`95.2%`, or a dash where nothing is owed."""
        return _text(self.percent)

    @property
    def percent_on_time(self) -> float | None:
        return _percent(self.on_time, self.owed)

    @property
    def text_on_time(self) -> str:
        return _text(self.percent_on_time)

    @property
    def behind(self) -> int:
        """Late, or missed without an excuse, whether filled later or not."""
        return self.late + self.filled + self.never_filled

    @property
    def percent_behind(self) -> float | None:
        return _percent(self.behind, self.owed)

    def change_from(self, before: "Rate") -> float | None:
        """Percentage points by which the share filed has risen (or, negative, fallen); None where there
        is nothing to compare. The difference of the very figures shown, so that a reader can check it."""
        if self.percent is None or before.percent is None:
            return None
        return round(self.percent - before.percent, 1)


_counts = attrgetter(*(f.name for f in fields(Rate)))


def _text(percent: float | None) -> str:
    return "—" if percent is None else f"{percent:g}%"


def _percent(part: int, whole: int) -> float | None:
    """Rounded down, so that 100 % means all of them."""
    return part * 1000 // whole / 10 if whole else None


def rate(obligations: ObligationQuerySet) -> Rate:
    """All of `obligations` in one figure; one query."""
    return Rate(**obligations.order_by().aggregate(**_COUNTS))


def rates(obligations: ObligationQuerySet, *by: str) -> dict[Any, Rate]:
    """Counts grouped by lookups such as "period" or "organization__supervisor"; one query.

    Keys are the value for one lookup, a tuple of values for several. Empty groups are left out.
    """
    rows = obligations.order_by().values_list(*by).annotate(**_COUNTS)
    width = len(by)
    return {(row[0] if width == 1 else row[:width]): Rate(*row[width:]) for row in rows}


def total(parts: Iterable[Rate]) -> Rate:
    columns = zip(*map(_counts, parts), strict=True)
    return Rate(*map(sum, columns))
