"""Monthly and half-year figures of schools, authorities, evaluators and the province: sums, never typed (SX 四.3)."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from accounts.models import Organization, OrganizationQuerySet
from obligations import cycles
from obligations.cycles import CYCLES
from obligations.models import Obligation, ObligationKind
from obligations.rates import rates
from reporting.summaries import sources
from reporting.summaries.content import SAID, Figure
from schools.models import Programme

OF_SCHOOLS = (
    Figure("schools", "院校", "所"),
    Figure("in_training", "在训"),
    Figure("registered_added", "新增报考"),
    Figure("examined_added", "新增参考"),
    Figure("passed_added", "新增合格"),
    Figure("certified_added", "新增发证"),
    Figure("certified", "本年累计发证"),
    Figure("teachers_trained", "培训教师", "人次"),
    Figure("money_spent", "支出经费", "元", 2),
)
OF_EVALUATORS = (Figure("owed", "应报月报", "份"), Figure("filed", "已报月报", "份"), *SAID)
SHOWN = {ObligationKind.MONTHLY_REPORT: 24, ObligationKind.HALF_YEAR_SUMMARY: 8}


class Stretch(NamedTuple):
    """A calendar month or half-year."""

    kind: str
    first: dt.date
    last: dt.date

    @property
    def key(self) -> str:
        return cycles.key(self.kind, self.first)

    @property
    def label(self) -> str:
        return cycles.label(self.kind, self.first, self.last)


def stretches(kind: str, today: dt.date) -> list[Stretch]:
    """Months or half-years to choose from, the one that runs first."""
    cycle, found = CYCLES[kind], []
    day = today
    for _ in range(SHOWN[ObligationKind(kind)]):
        first = day.replace(month=(day.month - 1) // cycle.months * cycle.months + 1, day=1)
        found.append(Stretch(kind, first, cycle.last_day(first, 0)))
        day = first - dt.timedelta(days=1)
    return found


@dataclass(frozen=True)
class Line:
    """One row of sums; `values` by the names of the table's figures."""

    pk: int
    name: str
    values: dict[str, Any]


@dataclass(frozen=True)
class Table:
    figures: tuple[Figure, ...]
    lines: list[Line]

    @property
    def total(self) -> Line:
        return Line(
            0,
            "合计",
            {
                f.name: sum((x.values[f.name] for x in self.lines), Decimal(0) * f.places)
                for f in self.figures
            },
        )

    def cells(self, line: Line) -> list[str]:
        return [f"{line.values[f.name]:.{f.places}f}" for f in self.figures]

    @property
    def shown(self) -> list[tuple[Line, list[str]]]:
        return [(line, self.cells(line)) for line in self.lines]

    @property
    def total_cells(self) -> list[str]:
        return self.cells(self.total)

    def rows(self, heading: str) -> list[list[Any]]:
        """Headings, lines and sum for a spreadsheet or a paper."""
        return [
            [heading, *(f"{f.label}（{f.unit}）" for f in self.figures)],
            *(
                [line.name, *(line.values[f.name] for f in self.figures)]
                for line in [*self.lines, self.total]
            ),
        ]


def of_schools(schools: OrganizationQuerySet, stretch: Stretch, *, by_school: bool) -> Table:
    """Sums of the weeklies of those days, one line to each authority or school. Eight queries at most."""
    heads = list(
        schools.order_by("supervisor__kind", "supervisor__code", "code").values_list(
            "pk", "name", "supervisor_id", "supervisor__name"
        )
    )
    programmes = Programme.objects.filter(school__in=schools.order_by().values("pk"))
    school_of = dict(programmes.order_by().values_list("pk", "school"))
    parts: dict[int, list[sources.Figures]] = defaultdict(list)
    for pk, figures in sources.weekly_figures(programmes, stretch.first, stretch.last).items():
        parts[school_of[pk]].append(figures)
    sums = sources.weekly_sums(schools.order_by().values("pk"), stretch.first, stretch.last)
    lines: dict[int, Line] = {}
    for pk, name, authority, authority_name in heads:
        if pk not in parts and pk not in sums:
            continue
        key, label = (pk, name) if by_school else (authority, authority_name)
        line = lines.setdefault(key, Line(key, label, _nothing(OF_SCHOOLS)))
        values = {"schools": 1} | sources.added_up(parts[pk]) | sums.get(pk, {})
        for figure in OF_SCHOOLS:
            line.values[figure.name] += values.get(figure.name, 0)
    return Table(OF_SCHOOLS, list(lines.values()))


def of_evaluators(evaluators: Any, stretch: Stretch) -> Table:
    """Sums of the monthly reports of those days, one line to each evaluator that owed one. Three queries."""
    owed = Obligation.objects.filter(
        organization__in=evaluators,
        kind=ObligationKind.MONTHLY_REPORT,
        period__starts_on__gte=stretch.first,
        period__ends_on__lte=stretch.last,
    )
    counts = rates(owed, "organization")
    said = sources.said_in_months(evaluators, stretch.first, stretch.last)
    lines = []
    names = Organization.objects.filter(pk__in=counts).order_by("code").values_list("pk", "name")
    for pk, name in names:
        values = _nothing(OF_EVALUATORS)
        values |= {"owed": counts[pk].owed, "filed": counts[pk].filed + counts[pk].filled}
        for (owner, _), row in said.items():
            for figure in SAID if owner == pk else ():
                values[figure.name] += row[figure.name]
        lines.append(Line(pk, name, values))
    return Table(OF_EVALUATORS, lines)


def _nothing(figures: Iterable[Figure]) -> dict[str, Any]:
    return {figure.name: Decimal(0) if figure.places else 0 for figure in figures}
