"""The matrix school (or evaluator) × period: two set-based queries, and rows put together as text.

2,000 schools × 52 weeks are 104,000 cells. Templates and model instances would take half a minute for
them; tuples and string joins take well under a second. The first groups stand in the page, with rates
counted from the very cells shown; the others, and the row of totals, are fetched after it.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from django.db.models import Case, CharField, Exists, OuterRef, Q, Value, When
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from accounts.models import OrganizationQuerySet
from core import links
from core.templatetags.portal import STATES
from obligations.models import Obligation, ObligationKind, Outcome, Period
from obligations.rates import Rate, rates, total
from reporting.reporters import BY_AUTHORITY, EVALUATORS, SCHOOLS, Reporters

# Stands for a rate that is still to be fetched.
UNKNOWN = "…"
# Nobody supervises an evaluator: they stand in one group, of id 0.
UNSUPERVISED = EVALUATORS.in_full
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
# Class of the cell → what it counts as in a rate.
_COUNTED = {key: "never_filled" if mark.state == "missed" else mark.state for key, mark in MARKS.items()}
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
    """The schools of one supervising authority, or the evaluators."""

    pk: int
    name: str
    schools: list[tuple[int, str]]

    @property
    def reporters(self) -> Reporters:
        return SCHOOLS if self.pk else EVALUATORS


def rate_cells(rates: list[Rate]) -> SafeString:
    return mark_safe("".join(f"<td>{rate.text}</td>" for rate in rates))  # noqa: S308


def unknown_cells(periods: list[Period]) -> SafeString:
    return mark_safe(f"<td>{UNKNOWN}</td>" * len(periods))  # noqa: S308


def groups(schools: OrganizationQuerySet, periods: list[Period]) -> list[Group]:
    """Cities first, then the province's own schools, then evaluators; who has nothing to report then is left
    out."""
    owed = Obligation.objects.filter(period__in=[period.pk for period in periods])
    rows = (
        schools.filter(Exists(owed.filter(organization=OuterRef("pk"))))
        .order_by(*BY_AUTHORITY)
        .values_list("supervisor_id", "supervisor__name", "pk", "name")
    )
    return [
        Group(pk=key[0] or 0, name=key[1] or UNSUPERVISED, schools=[(pk, name) for _, _, pk, name in members])
        for key, members in groupby(rows, key=lambda row: (row[0], row[1]))
    ]


def totals(schools: OrganizationQuerySet, periods: list[Period]) -> list[Rate]:
    """Each period's rate over all `schools`, in one query: where not all of their cells are at hand."""
    owed = Obligation.objects.filter(period__in=[period.pk for period in periods])
    counts = rates(owed.filter(organization__in=schools.order_by().values("pk")), "period")
    return [counts.get(period.pk, Rate()) for period in periods]


@dataclass
class Cells:
    """`texts`: organisation → period → the cell's text. `rates`: group → each period's rate."""

    texts: dict[int, dict[int, str]]
    rates: dict[int, list[Rate]]

    @property
    def totals(self) -> list[Rate]:
        return [total(column) for column in zip(*self.rates.values(), strict=True)]


def cells(parts: list[Group], periods: list[Period]) -> Cells:
    """One query. Optional end tags and quotes are left out: it is 2,000 × 52 of them."""
    letter = Case(
        *(When(IN_STATE[mark.state], then=Value(key)) for key, mark in MARKS.items()),
        output_field=CharField(),
    )
    before, after = links.pattern("reporting:report").split("{}")
    opening = {key: f"<td class={key}><a href={before}" for key in MARKS}
    closing = {key: f"{after}>{mark.letter}</a>" for key, mark in MARKS.items()}
    group_of = {pk: part.pk for part in parts for pk, _ in part.schools}
    texts: dict[int, dict[int, str]] = {pk: {} for pk in group_of}
    rows = (
        Obligation.objects.filter(
            period__in=[period.pk for period in periods], organization__in=list(group_of)
        )
        .order_by()
        .values_list("organization_id", "period_id", "pk", letter)
    )
    for organization, period, pk, key in rows:
        texts[organization][period] = f"{opening[key]}{pk}{closing[key]}"
    counts = Counter((group_of[organization], period, key) for organization, period, _, key in rows)
    return Cells(texts, _rates(parts, periods, counts))


def _rates(
    parts: list[Group], periods: list[Period], counts: Counter[tuple[int, int, str]]
) -> dict[int, list[Rate]]:
    """`counts`: cells of each group, period and class."""
    found: dict[tuple[int, int], dict[str, int]] = defaultdict(dict)
    for (group, period, key), number in counts.items():
        found[group, period][_COUNTED[key]] = number
    return {part.pk: [Rate(**found[part.pk, period.pk]) for period in periods] for part in parts}


def page_of_reporter(kind: str, *, is_evaluator: bool) -> str:
    """Name of the page that tells more of who owes a report of that kind."""
    if is_evaluator:
        return "evaluators:detail"
    return "reporting:history" if kind == ObligationKind.WEEKLY_REPORT else "accounts:organization-detail"


def school_rows(group: Group, periods: list[Period], found: Cells, streaks: dict[int, int]) -> SafeString:
    """The table rows of one group; `streaks` in weeks."""
    history = links.pattern(page_of_reporter(periods[0].kind, is_evaluator=not group.pk))
    columns = [period.pk for period in periods]

    def row(pk: int, name: str) -> str:
        weeks = f" <b>连{streaks[pk]}周</b>" if pk in streaks else ""
        mine = found.texts[pk]
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
