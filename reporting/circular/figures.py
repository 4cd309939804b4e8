"""What a circular says, counted once by `obligations.rates`: page, Word, Excel and API read these figures."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from django.db.models import Exists, OuterRef

from accounts.models import OrganizationQuerySet
from core import clock
from obligations.models import Obligation, ObligationKind, ObligationQuerySet, Period
from obligations.rates import Rate, rates, total
from reporting.matrix import UNSUPERVISED
from reporting.reporters import BY_AUTHORITY, EVALUATORS, OWED_BY, SCHOOLS, Reporters, of_kinds
from reporting.streaks import Streak, current_streaks


@dataclass(frozen=True)
class SchoolLine:
    """One school or evaluator: its counts in the range, in the stretch before, and its streak in weeks."""

    pk: int
    name: str
    code: str
    authority: str
    is_evaluator: bool
    rate: Rate
    before: Rate
    weeks: int
    spans_exempt: bool

    @property
    def change(self) -> float | None:
        return self.rate.change_from(self.before)


@dataclass(frozen=True)
class AuthorityLine:
    """One supervising authority: the sums over its schools; or the evaluators, of key 0."""

    pk: int
    name: str
    schools: list[SchoolLine]
    rate: Rate
    before: Rate

    @property
    def change(self) -> float | None:
        return self.rate.change_from(self.before)

    @property
    def who(self) -> Reporters:
        return SCHOOLS if self.pk else EVALUATORS

    def warned(self, weeks: int) -> int:
        """Schools whose streak is at least so long."""
        return sum(school.weeks >= weeks for school in self.schools)

    @property
    def warned_two(self) -> int:
        return self.warned(2)

    @property
    def warned_three(self) -> int:
        return self.warned(3)


@dataclass(frozen=True)
class Circular:
    """The figures of `periods` (oldest first); `before` are the periods that `change` compares with.

    `at` is when they were counted; streaks stand as at `streaks_at` (both UTC).
    """

    periods: list[Period]
    before: list[Period]
    authorities: list[AuthorityLine]
    total: AuthorityLine
    at: dt.datetime
    streaks_at: dt.datetime
    is_demonstration: bool

    @property
    def schools(self) -> list[SchoolLine]:
        return self.total.schools

    @property
    def label(self) -> str:
        return range_label(self.periods)

    @property
    def is_weekly(self) -> bool:
        return self.periods[0].kind == ObligationKind.WEEKLY_REPORT

    @property
    def noun(self) -> str:
        """周报, 月报 or 总结."""
        return self.periods[0].noun

    @property
    def who(self) -> Reporters:
        """Those who are counted here; where there is nobody, those who owe that kind."""
        kinds = {kind for line in self.authorities for kind in line.who.kinds}
        return of_kinds(kinds) if kinds else OWED_BY[ObligationKind(self.periods[0].kind)]

    @property
    def open_periods(self) -> list[Period]:
        """Not yet closed: their figures may still change."""
        return [period for period in self.periods if period.closed_at is None]

    @property
    def change_label(self) -> str:
        """What `change` compares with: `较第45周`, or `较前6个应报周期` where weeks without a duty lie between."""
        if not self.before:
            return "较前期"
        together = all((b.starts_on - a.ends_on).days == 1 for a, b in pairwise(self.before))
        return f"较{range_label(self.before, short=True) if together else f'前{len(self.before)}个应报周期'}"


def range_label(periods: Sequence[Period], *, short: bool = False) -> str:
    """`2020年第47周`, `2020年第45–47周`, `2020年第50周至2021年第2周`; `short` leaves the year out."""
    first, last = periods[0], periods[-1]
    if first == last:
        text = first.label
    elif first.kind != ObligationKind.WEEKLY_REPORT:
        return f"{first.short_label if short else first.label}至{last.short_label if short else last.label}"
    elif first.starts_on.isocalendar().year == last.ends_on.isocalendar().year:
        year, week, _ = first.starts_on.isocalendar()
        text = f"{year}年第{week}–{last.ends_on.isocalendar().week}周"
    else:
        return f"{first.label}至{last.label}"
    return text[text.index("年") + 1 :] if short else text


def count(schools: OrganizationQuerySet, periods: list[Period], *, at: dt.datetime) -> Circular:
    """The figures of those schools; at most nine queries. `periods` oldest first, not empty.

    Those who neither owed nor were exempt in the range are left out of the lines, but still stand in
    the sums of the stretch before.
    """
    # What is still awaited would make any week that is not closed look like a fall.
    before = _comparable_before(schools, periods) if all(p.closed_at for p in periods) else []
    now_rates, before_rates = _by_school(schools, periods), _by_school(schools, before)
    streaks_at = min(at, periods[-1].closes_at)
    owing = schools.filter(Exists(_owed_in(periods).filter(organization=OuterRef("pk"))))
    rows = list(
        owing.order_by(*BY_AUTHORITY).values_list(
            "supervisor_id", "supervisor__name", "pk", "name", "code", "is_demonstration"
        )
    )
    is_weekly = periods[0].kind == ObligationKind.WEEKLY_REPORT
    streaks = current_streaks(owing, at=streaks_at) if is_weekly else {}
    authorities = []
    for (authority, name), members in groupby(rows, key=lambda row: (row[0], row[1])):
        lines = [
            _line(row, now_rates.get((authority, row[2]), Rate()), before_rates, streaks) for row in members
        ]
        then = total(rate for (supervisor, _), rate in before_rates.items() if supervisor == authority)
        whole_rate = total(x.rate for x in lines)
        authorities.append(AuthorityLine(authority or 0, name or UNSUPERVISED, lines, whole_rate, then))
    is_demonstration = clock.is_demonstration() or any(row[5] for row in rows)
    whole = AuthorityLine(
        pk=0,
        name="合计",
        schools=[school for authority in authorities for school in authority.schools],
        rate=total(authority.rate for authority in authorities),
        before=total(before_rates.values()),
    )
    return Circular(periods, before, authorities, whole, at, streaks_at, is_demonstration)


def _line(
    row: tuple[int | None, str, int, str, str, bool],
    rate: Rate,
    before: dict[tuple[int | None, int], Rate],
    streaks: dict[int, Streak],
) -> SchoolLine:
    authority, authority_name, pk, name, code, _ = row
    streak = streaks.get(pk, Streak())
    return SchoolLine(
        pk=pk,
        name=name,
        code=code,
        authority=authority_name or UNSUPERVISED,
        is_evaluator=authority is None,
        rate=rate,
        before=before.get((authority, pk), Rate()),
        weeks=streak.weeks,
        spans_exempt=streak.spans_exempt,
    )


def _comparable_before(schools: OrganizationQuerySet, periods: list[Period]) -> list[Period]:
    """As many periods just before `periods` as there are among them with anything owed, and like them."""
    owed = Obligation.objects.owed().filter(organization__in=schools.values("pk"))
    owing = Period.objects.filter(
        Exists(owed.filter(period=OuterRef("pk"))), kind=periods[0].kind, starts_on__lte=periods[-1].starts_on
    )
    newest_first = list(owing.order_by("-starts_on"))
    older = [period for period in newest_first if period.starts_on < periods[0].starts_on]
    return older[: len(newest_first) - len(older)][::-1]


def _owed_in(periods: list[Period]) -> ObligationQuerySet:
    return Obligation.objects.filter(period__in=[period.pk for period in periods])


def _by_school(schools: OrganizationQuerySet, periods: list[Period]) -> dict[tuple[int | None, int], Rate]:
    if not periods:
        return {}
    owed = _owed_in(periods).filter(organization__in=schools.values("pk"))
    return rates(owed, "organization__supervisor", "organization")
