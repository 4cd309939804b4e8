"""Coverage by exam sites: city × certificate (MOE 三(一)).

In principle every city with schools that run a certificate has at least one site for it. A school counts in
the city where it lies (`organization.city`), whoever supervises it; a site in its own. Two grouped queries,
however many schools, certificates and cities there are.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.models import Count, FilteredRelation, Q, QuerySet, Sum

from accounts.models import Role, User
from certificates.models import Certificate
from core import clock
from evaluators.models import Charge, ExamSite
from schools.models import Programme

CLAUSE = "教职成厅函〔2019〕19号 三(一)"
PRINCIPLE = f"原则上有关院校的地级市至少设置一个相关证书考核站点（{CLAUSE}）"


class Cell(NamedTuple):
    """`schools` run the certificate, with `planned` candidates of the year; `places` of the filed `sites`.
    `gaps`: 1 where schools run it and no site is filed, in a sum how many such there are."""

    schools: int = 0
    planned: int = 0
    sites: int = 0
    places: int = 0
    gaps: int = 0


NOTHING = Cell()
# City's code (None: not known) and certificate.
Key = tuple[str | None, int]


def total(cells: Iterable[Cell]) -> Cell:
    """Schools are counted once for each certificate that they run."""
    found = list(cells)
    return Cell(*(sum(column) for column in zip(*found, strict=True))) if found else NOTHING


@dataclass
class Scope:
    """Which programmes and sites are counted: by city, by certificate, by the certificates' owners."""

    city: str | None = None
    certificate: int | None = None
    owners: Any = None
    is_empty: bool = False

    def programmes(self) -> QuerySet[Programme]:
        return self._narrowed(
            Programme.objects.all(), "school__organization__city", "certificate_level__certificate"
        )

    def sites(self) -> QuerySet[ExamSite]:
        return self._narrowed(ExamSite.objects.filed(), "city", "certificate")

    def _narrowed(self, rows: Any, city: str, certificate: str) -> Any:
        if self.is_empty:
            return rows.none()
        if self.city is not None:
            rows = rows.filter(**{city: self.city})
        if self.certificate is not None:
            rows = rows.filter(**{certificate: self.certificate})
        if self.owners is not None:
            rows = rows.filter(**{f"{certificate}__owner__in": self.owners})
        return rows.order_by()


def scope_of(user: User, *, city: str | None = None, certificate: int | None = None) -> Scope:
    """What the user's table counts: numbers only, no school is named. A bureau its city, an evaluator its
    certificates, a coordinator those in his or her charge."""
    scope = Scope(city=city, certificate=certificate)
    if user.role == Role.CITY_BUREAU:
        own = user.organization.city_id if user.organization else None
        scope.is_empty = own is None or city not in (None, own)
        scope.city = own
    elif user.role == Role.EVALUATOR:
        scope.owners = [user.organization_id]
    elif user.role == Role.COORDINATOR:
        scope.owners = Charge.objects.filter(coordinator=user, ended_at=None).values("evaluator")
    elif not user.sees_province:
        scope.is_empty = True
    return scope


def cells(scope: Scope, at: dt.datetime) -> dict[Key, Cell]:
    """Every city and certificate where something runs or a site stands; two queries."""
    plans = FilteredRelation("plans", condition=Q(plans__year=clock.local(at).year))
    running = (
        scope.programmes()
        .running_at(at)  # type: ignore[attr-defined]
        .annotate(planning=plans)
        .values_list("school__organization__city", "certificate_level__certificate")
        .annotate(Count("school", distinct=True), Sum("planning__candidates"))
    )
    standing = scope.sites().values_list("city", "certificate").annotate(Count("pk"), Sum("places"))
    sites = {(city, certificate): counts for city, certificate, *counts in standing}
    found: dict[Key, Cell] = {}
    for city, certificate, schools, planned in running:
        number, places = sites.pop((city, certificate), (0, 0))
        found[city, certificate] = Cell(schools, planned or 0, number, places, int(not number))
    for key, (number, places) in sites.items():
        found[key] = Cell(0, 0, number, places, 0)
    return found


def gap_count(user: User, at: dt.datetime) -> int:
    """Cities and certificates without a site within the user's scope, for the homes; two queries."""
    return sum(cell.gaps for cell in cells(scope_of(user), at).values())


@dataclass
class Row:
    """One certificate: its cells by city, and their sum."""

    certificate: int
    cells: dict[str | None, Cell] = field(default_factory=dict)
    sum: Cell = NOTHING


@dataclass
class Table:
    """Rows by certificate, columns by city; `columns` holds each city's sum, `sum` that of all."""

    rows: list[Row]
    columns: dict[str | None, Cell]
    sum: Cell


def table(found: Mapping[Key, Cell], *, only_gaps: bool = False) -> Table:
    """Rows with the most gaps first. `only_gaps`: just the cells without a site, and what they add up to."""
    rows: dict[int, Row] = {}
    by_city: dict[str | None, list[Cell]] = {}
    for (city, certificate), cell in found.items():
        if only_gaps and not cell.gaps:
            continue
        row = rows.get(certificate)
        if row is None:
            row = rows[certificate] = Row(certificate)
        row.cells[city] = cell
        by_city.setdefault(city, []).append(cell)
    for row in rows.values():
        row.sum = total(row.cells.values())
    columns = {city: total(members) for city, members in by_city.items()}
    ordered = sorted(rows.values(), key=lambda r: (-r.sum.gaps, -r.sum.planned, r.certificate))
    return Table(ordered, columns, total(columns.values()))


def names(certificates: Iterable[int]) -> dict[int, Certificate]:
    """The certificates with their owners; one query."""
    return Certificate.objects.select_related("owner").in_bulk(list(certificates))


def sites_in_all(certificates: Iterable[int]) -> dict[int, int]:
    """Filed sites of each certificate in the whole province; one query."""
    filed = ExamSite.objects.filed().filter(certificate__in=list(certificates)).order_by()
    return dict(filed.values_list("certificate").annotate(Count("pk")))
