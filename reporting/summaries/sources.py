"""What the portal already knows of a stretch of days: sums of weeklies, activities, monthlies.

A week belongs to the month in which its Thursday lies, as to the year (ISO), so that no week counts twice.
Weekly figures are cumulative for the year: what a stretch added is the newest figure in it less the newest
one before it in the same year. Days are local, both ends included.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Any

from django.db.models import Count, DecimalField, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from certificates.models import Certificate
from core import clock
from evaluators.models import Activity
from obligations.models import ObligationKind, Period
from reporting.models import ProgrammeFigures, ReportVersion, SummaryVersion
from schools.models import Programme, ProgrammeQuerySet

CUMULATIVE = ("registered", "examined", "passed", "certified")
FROM_WEEKLIES = ("in_training", *CUMULATIVE, *(f"{name}_added" for name in CUMULATIVE))
THURSDAY = dt.timedelta(days=3)
Figures = dict[str, int]


def none_known() -> Figures:
    return dict.fromkeys(FROM_WEEKLIES, 0)


def weekly_figures(programmes: QuerySet[Programme], first: dt.date, last: dt.date) -> dict[int, Figures]:
    """Programme id → FROM_WEEKLIES; those without any weekly of that year are left out. Four queries at most."""
    now, before = _newest(programmes, last), _newest(programmes, first - dt.timedelta(days=1))
    if first.year != (first - dt.timedelta(days=1)).year:
        before = {}
    found = {}
    for pk, row in now.items():
        was = before.get(pk)
        figures = {"in_training": row.in_training}
        for name in CUMULATIVE:
            figures[name] = getattr(row, name)
            figures[f"{name}_added"] = getattr(row, name) - (getattr(was, name) if was else 0)
        found[pk] = figures
    return found


def _newest(programmes: QuerySet[Programme], day: dt.date) -> dict[int, ProgrammeFigures]:
    """Programme id → its figures in the newest weekly of `day`'s year up to `day`."""
    period = "version__report__obligation__period"
    rows = ProgrammeFigures.objects.filter(
        programme=OuterRef("pk"),
        version=F("version__report__current"),
        version__report__obligation__kind=ObligationKind.WEEKLY_REPORT,
        **{
            f"{period}__starts_on__gte": dt.date.fromisocalendar(day.year, 1, 1),
            f"{period}__starts_on__lte": day - THURSDAY,
        },
    )
    newest = Subquery(rows.order_by(f"-{period}__starts_on").values("pk")[:1])
    ids = programmes.order_by().annotate(newest=newest).values_list("newest", flat=True)
    found = ProgrammeFigures.objects.filter(pk__in=[pk for pk in ids if pk])
    return {figures.programme_id: figures for figures in found}


def added_up(rows: Iterable[Figures]) -> Figures:
    total = none_known()
    for row in rows:
        for name in FROM_WEEKLIES:
            total[name] += row[name]
    return total


def weekly_sums(organizations: Any, first: dt.date, last: dt.date) -> dict[int, dict[str, Any]]:
    """School id → {teachers_trained, money_spent (Decimal)} of the weeklies of those days; one query."""
    period = "report__obligation__period__starts_on"
    versions = ReportVersion.objects.filter(
        pk=F("report__current"),
        report__obligation__kind=ObligationKind.WEEKLY_REPORT,
        report__obligation__organization__in=organizations,
        **{f"{period}__gte": first - THURSDAY, f"{period}__lte": last - THURSDAY},
    )
    teachers = Cast(KeyTextTransform("teachers_trained", "content"), IntegerField())
    money = Cast(KeyTextTransform("money_spent", "content"), DecimalField(max_digits=14, decimal_places=2))
    rows = versions.order_by().values_list("report__obligation__organization")
    return {
        pk: {"teachers_trained": trained or 0, "money_spent": Decimal(spent or 0).quantize(Decimal("0.01"))}
        for pk, trained, spent in rows.annotate(trained=Sum(teachers), spent=Sum(money))
    }


def programmes_of(period: Period) -> ProgrammeQuerySet:
    """Those that ran on some day of `period`, or in its first week, which may have begun before it."""
    monday = period.starts_on - THURSDAY
    monday += dt.timedelta(days=-monday.weekday() % 7)
    start, end = min(monday, period.starts_on), period.ends_on + dt.timedelta(days=1)
    return Programme.objects.running_within(clock.at(start), clock.at(end))


def of_certificates(
    organization_id: int, period: Period, *, also: Collection[int] = ()
) -> dict[int, dict[str, Any]]:
    """Certificate id → what is known of the evaluator's certificates that ran in `period`, and of `also`."""
    programmes = programmes_of(period).filter(certificate_level__certificate__owner=organization_id)
    of = dict(programmes.order_by().values_list("pk", "certificate_level__certificate"))
    heads = _heads({*of.values(), *also}, period)
    parts: dict[int, list[Figures]] = defaultdict(list)
    for pk, figures in weekly_figures(programmes, period.starts_on, period.ends_on).items():
        parts[of[pk]].append(figures)
    activities = _activities(organization_id, period)
    return {pk: head | added_up(parts[pk]) | activities.get(pk, _NO_ACTIVITIES) for pk, head in heads.items()}


def _heads(certificates: Collection[int], period: Period) -> dict[int, dict[str, Any]]:
    """Certificate id → its name, and its schools and plans at the end of `period`."""
    running = Programme.objects.running_at(period.members_at).order_by()
    counts = running.filter(certificate_level__certificate__in=certificates).values_list(
        "certificate_level__certificate"
    )
    at_end = {
        pk: (schools, planned or 0)
        for pk, schools, planned in counts.annotate(
            schools=Count("school", distinct=True),
            planned=Sum("plans__candidates", filter=Q(plans__year=period.starts_on.year)),
        )
    }
    heads = {}
    names = Certificate.objects.filter(pk__in=certificates).order_by("name")
    for pk, name in names.values_list("pk", "name"):
        schools, planned = at_end.get(pk, (0, 0))
        heads[pk] = {"name": name, "schools": schools, "planned": planned}
    return heads


_NO_ACTIVITIES = {"activities_filed": 0, "activities_held": 0, "exams_held": 0}


def _activities(organization_id: int, period: Period) -> dict[int, dict[str, int]]:
    """Certificate id → activities filed and held in those days; one query."""
    start, end = clock.at(period.starts_on), clock.at(period.ends_on + dt.timedelta(days=1))
    filed = Q(filed_at__gte=start, filed_at__lt=end)
    held = Q(ends_at__gte=start, ends_at__lt=end)
    rows = Activity.objects.filter(
        filed | held, evaluator=organization_id, state=Activity.State.FILED
    ).order_by()
    counts = rows.values_list("certificate").annotate(
        filed=Count("pk", filter=filed),
        held=Count("pk", filter=held),
        exams=Count("pk", filter=held & Q(kind=Activity.Kind.EXAMINATION)),
    )
    return {
        pk: {"activities_filed": filed, "activities_held": held, "exams_held": exams}
        for pk, filed, held, exams in counts
    }


def of_programmes(organization_id: int, period: Period) -> dict[int, dict[str, Any]]:
    """Programme id → what the school's weeklies said, of the programmes that ran in `period`."""
    programmes = programmes_of(period).filter(school=organization_id)
    figures = weekly_figures(programmes, period.starts_on, period.ends_on)
    plans = programmes.order_by().annotate(
        planned=Sum("plans__candidates", filter=Q(plans__year=period.starts_on.year))
    )
    planned = dict(plans.values_list("pk", "planned"))
    named = programmes.select_related("certificate_level__certificate").order_by(
        "certificate_level__certificate__name", "certificate_level__level"
    )
    return {
        row.pk: {"name": str(row), "planned": planned[row.pk] or 0} | figures.get(row.pk, none_known())
        for row in named
    }


def said_in_months(
    organizations: Any, first: dt.date, last: dt.date
) -> dict[tuple[int, int], dict[str, Any]]:
    """(evaluator id, certificate id) → sums of what its monthly reports of those days said; one query."""
    versions = SummaryVersion.objects.filter(
        pk=F("report__current"),
        report__obligation__kind=ObligationKind.MONTHLY_REPORT,
        report__obligation__organization__in=organizations,
        report__obligation__period__starts_on__gte=first,
        report__obligation__period__ends_on__lte=last,
    )
    total: dict[tuple[int, int], dict[str, Any]] = {}
    for owner, content in versions.values_list("report__obligation__organization", "content"):
        for pk, row in content["rows"].items():
            said = total.setdefault(
                (owner, int(pk)), {"exams": 0, "said_examined": 0, "issued": 0, "fees": Decimal(0)}
            )
            for name in said:
                said[name] += Decimal(row["said"][name]) if name == "fees" else row["said"][name]
    return total
