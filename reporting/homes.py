"""What the homes show, fetched in a fixed number of queries."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Exists, Min, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum
from django.utils.safestring import SafeString

from accounts.models import Organization, Role, User
from certificates.models import CertificateLevel
from core import clock
from evaluators import coverage
from evaluators.models import Evaluator
from evaluators.views.charges import with_standing
from obligations.models import Obligation, ObligationKind, ObligationQuerySet, Period, Suspension
from obligations.rates import Rate, rates, total
from reporting import matrix as grid
from reporting import nonreporters
from reporting.home_markup import Trend, rate_cells
from reporting.models import ProgrammeFigures, WeeklyReport
from reporting.periods import current_period, opened_periods
from reporting.streaks import Streak, current_streaks, current_weeks
from schools.models import AnnualPlan, Programme
from schools.standing import next_year
from supervision.models import Case, FeedbackQuestion

SCHOOL_WEEKS = 26
MATRIX_WEEKS = 12
TREND_WEEKS = 26
TOP = 10


# --- a school


@dataclass
class SchoolHome:
    """What one school must do, and how it stands."""

    todo: list[Obligation]
    back_fills: list[Obligation]
    weeks: list[tuple[Obligation, str, grid.Mark]]
    streak: Streak | None
    programmes: list[dict[str, Any]]
    coming: int | None
    suspensions: QuerySet[Suspension]
    cases: QuerySet[Case]

    @property
    def dormant(self) -> list[Programme]:
        """Running without a plan for this year."""
        return [row["programme"] for row in self.programmes if row["plan"] is None]

    @property
    def unplanned(self) -> list[Programme]:
        """Running without a plan for the coming year; nobody is told before December."""
        return [row["programme"] for row in self.programmes if self.coming not in (None, *row["years"])]


def school_home(user: User) -> SchoolHome:
    now = clock.now()
    schools = Organization.objects.visible_to(user)
    mine = Obligation.objects.visible_to(user).opened(now)
    weekly = list(mine.weekly().select_related("period").order_by("-due_at")[:SCHOOL_WEEKS])
    back_fills = mine.counted_missed().filter(filled_at=None, kind=ObligationKind.WEEKLY_REPORT)
    draft = WeeklyReport.objects.filter(pk=OuterRef("pk"), draft__isnull=False)
    todo = mine.pending().filter(filled_at=None).annotate(has_draft=Exists(draft))
    return SchoolHome(
        todo=list(todo.select_related("period").order_by("due_at")),
        back_fills=list(back_fills.order_by("-due_at")[:TOP]),
        weeks=[(o, *_mark(o)) for o in reversed(weekly)],
        streak=current_streaks(schools, at=now).get(user.organization_id or 0),
        programmes=_programmes(user, now),
        coming=next_year(clock.local(now).date()),
        suspensions=Suspension.objects.visible_to(user).filter(ends_at__gt=now, lifted_at=None),
        cases=Case.objects.visible_to(user).undecided(),
    )


def _mark(obligation: Obligation) -> tuple[str, grid.Mark]:
    return next((key, mark) for key, mark in grid.MARKS.items() if mark.state == obligation.state)


def _programmes(user: User, now: dt.datetime) -> list[dict[str, Any]]:
    """The running programmes with this year's plan, the years planned from this one on, and the figures of
    the newest report."""
    year = clock.local(now).year
    latest = (
        WeeklyReport.objects.visible_to(user)
        .filter(current__isnull=False, obligation__kind=ObligationKind.WEEKLY_REPORT)
        .order_by("-obligation__due_at")
        .values("current")[:1]
    )
    figures = {f.programme_id: f for f in ProgrammeFigures.objects.filter(version=Subquery(latest))}
    programmes = (
        Programme.objects.visible_to(user)
        .running_at(now)
        .select_related("certificate_level__certificate")
        .prefetch_related(
            Prefetch("plans", AnnualPlan.objects.filter(year__in=[year, year + 1]), to_attr="set_plans")
        )
        .order_by("certificate_level__certificate__name", "certificate_level__level")
    )
    rows = []
    for programme in programmes:
        plans = {plan.year: plan.candidates for plan in programme.set_plans}
        rows.append(
            {
                "programme": programme,
                "plan": plans.get(year),
                "years": set(plans),
                "figures": figures.get(programme.pk),
            }
        )
    return rows


# --- the office, and a city for its own


@dataclass
class WatchHome:
    """How the schools within a user's scope report."""

    period: Period | None
    rate: Rate
    missing: int
    warned: list[tuple[int, int]]
    cases: int
    dormant: int
    coming: int | None
    unplanned: int
    # Cities and certificates that schools run without an exam site.
    site_gaps: int
    columns: list[Period]
    groups: list["Supervised"]
    totals: SafeString
    top: list["Waiting"]
    duties: list["OwnDuty"]
    trend: Trend

    @property
    def schools(self) -> int:
        return sum(group.schools for group in self.groups)


@dataclass
class OwnDuty:
    """What the user's own organisation owes, of one kind: how many, and the first deadline (an instant)."""

    kind: str
    count: int
    first_due_at: dt.datetime

    @property
    def label(self) -> str:
        return str(ObligationKind(self.kind).label)

    @property
    def unit(self) -> str:
        """A review is owed of a school's whole application, however many items it has."""
        return "所" if self.kind in {ObligationKind.FIRST_REVIEW, ObligationKind.APPROVAL} else "项"


@dataclass
class Supervised:
    """One supervising authority: how many of its schools owe or are exempt in the newest week, and the
    cells of its rates."""

    pk: int
    name: str
    schools: int
    rates: list[Rate]

    @property
    def cells(self) -> SafeString:
        return rate_cells(self.rates[-MATRIX_WEEKS:])


@dataclass
class Waiting:
    """One of the first lines of the list of non-reporters."""

    obligation_id: int
    organization_id: int
    name: str
    state: str
    weeks: int
    contacts: list[str] = field(default_factory=list)


def watch_home(user: User) -> WatchHome:
    now = clock.now()
    periods = opened_periods(newest=TREND_WEEKS)
    period = current_period(periods)
    columns = periods[::-1]
    mine = Obligation.objects.visible_to(user).weekly()
    groups = _supervised(mine, columns)
    totals = [total(group.rates[index] for group in groups) for index in range(len(columns))]
    counted = totals[columns.index(period)] if period else Rate()
    weeks = current_weeks(mine, at=now)
    programmes, year = Programme.objects.visible_to(user), clock.local(now).year
    coming = next_year(clock.local(now).date())
    return WatchHome(
        period=period,
        rate=counted,
        missing=counted.pending + counted.never_filled,
        warned=[(n, sum(streak >= n for streak in weeks.values())) for n in (1, 2, 3)],
        cases=Case.objects.visible_to(user).undecided().count(),
        dormant=programmes.dormant_at(now, year).count(),
        coming=coming,
        unplanned=programmes.dormant_at(now, coming).count() if coming else 0,
        site_gaps=coverage.gap_count(user, now),
        columns=columns[-MATRIX_WEEKS:],
        groups=groups,
        totals=rate_cells(totals[-MATRIX_WEEKS:], low=False),
        top=_top(mine.filter(period=period), weeks),
        duties=_own_duties(user, now),
        trend=Trend(list(zip(columns, totals, strict=True))),
    )


def _own_duties(user: User, now: dt.datetime) -> list[OwnDuty]:
    """Of those who do the work; one query."""
    if user.role not in {Role.OFFICE, Role.CITY_BUREAU, Role.EVALUATOR}:
        return []
    mine = Obligation.objects.pending().opened(now).filter(organization=user.organization_id).order_by()
    counts = mine.values_list("kind").annotate(Count("pk"), first=Min("due_at")).order_by("first")
    return [OwnDuty(*row) for row in counts]


def _supervised(obligations: ObligationQuerySet, columns: list[Period]) -> list[Supervised]:
    """Cities first, then the province for its own schools; two queries."""
    counts = rates(obligations.filter(period__in=columns), "organization__supervisor", "period")
    authorities = Organization.objects.filter(pk__in={supervisor for supervisor, _ in counts})
    groups = []
    for pk, name in authorities.order_by("kind", "code").values_list("pk", "name"):
        mine = [counts.get((pk, period.pk), Rate()) for period in columns]
        groups.append(Supervised(pk, name, mine[-1].owed + mine[-1].exempt, mine))
    return groups


def _top(obligations: ObligationQuerySet, weeks: dict[int, int]) -> list[Waiting]:
    """The first lines of the list of non-reporters: the longest streaks; two queries."""
    missing = obligations.filter(grid.IN_STATE["pending"] | grid.IN_STATE["missed"])
    rows = missing.order_by("organization__code").values_list(
        "pk", "organization_id", "organization__name", "outcome"
    )
    lines = [Waiting(*row, weeks=weeks.get(row[1], 0)) for row in rows]
    lines = sorted(lines, key=lambda line: -line.weeks)[:TOP]
    contacts = nonreporters.contacts_of([line.organization_id for line in lines])
    for line in lines:
        line.contacts = contacts.get(line.organization_id, [])
    return lines


# --- the others


@dataclass
class PlansHome:
    """What runs in the province, or of some evaluators' certificates: schools, programmes, planned heads;
    what an evaluator owes; whom a coordinator looks after (None: not a coordinator)."""

    year: int
    schools: int
    planned: int
    dormant: int
    levels: list[dict[str, Any]]
    duties: list[OwnDuty]
    # What the office has asked the evaluator and it has not answered, the oldest first.
    questions: list[FeedbackQuestion]
    evaluators: list[Evaluator] | None
    # Cities and certificates among these that schools run without an exam site.
    site_gaps: int

    @property
    def programmes(self) -> int:
        return sum(level["programmes"] for level in self.levels)


def plans_home(user: User) -> PlansHome:
    """Finance sees the province; an evaluator its own certificates, a coordinator those in his or her charge."""
    now = clock.now()
    year = clock.local(now).year
    programmes = Programme.objects.running_at(now).order_by()
    evaluators = None if user.sees_province else Evaluator.objects.visible_to(user)
    if evaluators is not None:
        programmes = programmes.filter(certificate_level__certificate__owner__in=evaluators.values("pk"))
    counts = programmes.values("certificate_level").annotate(
        programmes=Count("pk", distinct=True), planned=Sum("plans__candidates", filter=Q(plans__year=year))
    )
    by_level: dict[int, Any] = {row["certificate_level"]: row for row in counts}
    none: dict[str, Any] = {"programmes": 0, "planned": None}
    levels = CertificateLevel.objects.select_related("certificate__owner").order_by(
        "certificate__name", "level"
    )
    if evaluators is None:
        levels = levels.filter(pk__in=by_level)
    else:
        levels = levels.filter(certificate__owner__in=evaluators.values("pk"))
    rows = [{"level": level, **by_level.get(level.pk, none)} for level in levels]
    return PlansHome(
        year=year,
        schools=programmes.values("school").distinct().count(),
        planned=sum(row["planned"] or 0 for row in rows),
        dormant=programmes.dormant_at(now, year).count(),
        levels=rows,
        duties=_own_duties(user, now),
        questions=_own_questions(user),
        evaluators=list(with_standing(evaluators).order_by("organization__code"))
        if evaluators is not None and user.role == Role.COORDINATOR
        else None,
        site_gaps=coverage.gap_count(user, now),
    )


def _own_questions(user: User) -> list[FeedbackQuestion]:
    if user.role != Role.EVALUATOR:
        return []
    return list(FeedbackQuestion.objects.visible_to(user).unanswered().order_by("asked_at")[:TOP])
