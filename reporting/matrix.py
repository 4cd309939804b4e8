"""The matrix school × week: two set-based queries, and rows put together as text.

2,000 schools × 52 weeks are 104,000 cells. Templates and model instances would take half a minute for
them; tuples and string joins take well under a second. The first groups stand in the page, the others
are fetched as they come into view.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from django.db.models import Case, CharField, Exists, OuterRef, Q, Value, When
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from accounts.models import OrganizationQuerySet
from core import links
from core.templatetags.portal import STATES
from obligations.models import Obligation, Outcome, Period
from reporting.rates import Rate, rates, total

# Cells that the page brings at once; the other groups follow when they come into view.
FIRST_CELLS = 4000


class Mark(NamedTuple):
    state: str
    tone: str
    letter: str
    words: str


# Class of the cell (one letter, as it stands in every cell) → what it shows.
MARKS = {
    key: Mark(state, *STATES[state])
    for key, state in {
        "o": "on_time",
        "l": "late",
        "m": "missed",
        "f": "filled",
        "x": "excused",
        "e": "exempt",
        "p": "pending",
    }.items()
}

MISSED = Q(outcome=Outcome.MISSED)
IN_STATE = {
    "on_time": Q(outcome=Outcome.ON_TIME),
    "late": Q(outcome=Outcome.LATE),
    "missed": MISSED & Q(excused_at=None, filled_at=None),
    "filled": MISSED & Q(excused_at=None, filled_at__isnull=False),
    "excused": MISSED & Q(excused_at__isnull=False),
    "exempt": Q(outcome=Outcome.EXEMPT),
    "pending": Q(outcome=Outcome.PENDING),
}
STATE_CHOICES = [(mark.state, f"{mark.letter} {mark.words}") for mark in MARKS.values()]


@dataclass
class Group:
    """The schools of one supervising authority, and their rate in each period."""

    pk: int
    name: str
    schools: list[tuple[int, str]]
    rates: list[Rate]

    @property
    def cells(self) -> SafeString:
        return rate_cells(self.rates)


def rate_cells(rates: list[Rate]) -> SafeString:
    return mark_safe("".join(f"<td>{rate.text}</td>" for rate in rates))  # noqa: S308


def groups(schools: OrganizationQuerySet, periods: list[Period]) -> list[Group]:
    """Cities first, then the province's own schools; schools with nothing to report then are left out."""
    ids = [period.pk for period in periods]
    weekly = Obligation.objects.weekly().filter(period__in=ids)
    counts = rates(weekly.filter(organization__in=schools.values("pk")), "organization__supervisor", "period")
    rows = (
        schools.filter(Exists(weekly.filter(organization=OuterRef("pk"))))
        .order_by("supervisor__kind", "supervisor__code", "code")
        .values_list("supervisor_id", "supervisor__name", "pk", "name")
    )
    return [
        Group(
            pk=key[0],
            name=key[1],
            schools=[(pk, name) for _, _, pk, name in members],
            rates=[counts.get((key[0], period), Rate()) for period in ids],
        )
        for key, members in groupby(rows, key=lambda row: (row[0], row[1]))
    ]


def totals(parts: list[Group], periods: list[Period]) -> list[Rate]:
    """Counts of each period over all groups."""
    return [total(part.rates[index] for part in parts) for index in range(len(periods))]


# Organisation → period → the cell's text.
Cells = dict[int, dict[int, str]]


def cells(schools: Iterable[int], periods: list[Period]) -> Cells:
    """One query. Optional end tags and quotes are left out: it is 2,000 × 52 of them."""
    letter = Case(
        *(When(IN_STATE[mark.state], then=Value(key)) for key, mark in MARKS.items()),
        output_field=CharField(),
    )
    before, after = links.pattern("reporting:report").split("{}")
    opening = {key: f"<td class={key}><a href={before}" for key in MARKS}
    closing = {key: f"{after}>{mark.letter}</a>" for key, mark in MARKS.items()}
    found: Cells = {pk: {} for pk in schools}
    rows = (
        Obligation.objects.weekly()
        .filter(period__in=[period.pk for period in periods], organization__in=list(found))
        .order_by()
        .values_list("organization_id", "period_id", "pk", letter)
    )
    for organization, period, pk, key in rows:
        found[organization][period] = f"{opening[key]}{pk}{closing[key]}"
    return found


def school_rows(group: Group, periods: list[Period], found: Cells, streaks: dict[int, int]) -> SafeString:
    """The table rows of one group; `streaks` in weeks."""
    history = links.pattern("reporting:history")
    columns = [period.pk for period in periods]

    def row(pk: int, name: str) -> str:
        weeks = f" <b>连{streaks[pk]}周</b>" if pk in streaks else ""
        mine = found[pk]
        cells = "".join([mine.get(column, "<td>") for column in columns])
        return f"<tr><th scope=row><a href={history.format(pk)}>{escape(name)}</a>{weeks}{cells}"

    return mark_safe("".join(row(pk, name) for pk, name in group.schools))  # noqa: S308


def split(parts: list[Group], columns: int) -> tuple[list[Group], list[Group]]:
    """What the page brings at once, and what follows: whole groups, at least one."""
    room = FIRST_CELLS
    for index, group in enumerate(parts):
        if room <= 0:
            return parts[:index], parts[index:]
        room -= len(group.schools) * columns
    return parts, []
