"""What the matrix and the list of non-reporters can be narrowed to; all of it in the address."""

from collections.abc import Iterable, Iterator
from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, QueryDict

from accounts.models import Organization, OrganizationQuerySet, Role
from core import clock
from obligations.models import Obligation, ObligationKind, Period
from reporting.matrix import IN_STATE, STATE_CHOICES
from reporting.periods import current_period, window
from reporting.reporters import kind_asked, kinds_for, reporters, who
from reporting.streaks import current_streaks
from schools.models import School

# Kind → how many of its periods to show; the second is the default.
LENGTHS = {
    ObligationKind.WEEKLY_REPORT: [(12, "近 12 周"), (26, "近 26 周"), (52, "近 52 周")],
    ObligationKind.MONTHLY_REPORT: [(6, "近 6 个月"), (12, "近 12 个月"), (24, "近 24 个月")],
    ObligationKind.HALF_YEAR_SUMMARY: [(2, "近 2 个半年"), (4, "近 4 个半年"), (8, "近 8 个半年")],
}
STREAK_CHOICES = [(1, "连续 1 周及以上"), (2, "连续 2 周及以上"), (3, "连续 3 周及以上")]


def supervisors(request: HttpRequest) -> QuerySet[Organization]:
    """The authorities by which this user's schools are grouped."""
    schools = Organization.objects.visible_to(request.user).schools()
    return Organization.objects.filter(pk__in=schools.order_by().values("supervisor")).order_by(
        "kind", "code"
    )


def _with_offered(data: QueryDict, name: str, offered: Iterable[str], default: str) -> QueryDict:
    """`data` with the default where nothing was asked, or what another kind of report offers."""
    data = data.copy()
    if data.get(name) not in offered:
        data[name] = default
    return data


def report_asked(request: HttpRequest) -> ObligationKind:
    """`kind` of the address says a school's kind here: what is reported is `report`."""
    return kind_asked({"kind": request.GET.get("report")}, request.user)


def reporting(request: HttpRequest) -> OrganizationQuerySet:
    """Who owes the report asked for, and of both kinds of organisation those that `who` names."""
    return reporters(request.user, report_asked(request), request.GET.get("who", ""))


class ReporterFilter(django_filters.FilterSet):
    """Those who report, by name; schools also by supervising authority, kind and streak.

    What does not apply to those who owe the report asked for is not offered, nor looked at.
    """

    q = django_filters.CharFilter(method="by_text")
    city = django_filters.ModelChoiceFilter(
        label="市（主管部门）", field_name="supervisor", queryset=supervisors, empty_label="全部"
    )
    kind = django_filters.ChoiceFilter(
        label="办学类型", field_name="school__kind", choices=School.Kind.choices, empty_label="全部"
    )
    streak = django_filters.ChoiceFilter(
        label="连续未报", choices=STREAK_CHOICES, method="by_streak", empty_label="全部"
    )

    report = django_filters.ChoiceFilter(label="种类", method="not_of_schools", empty_label=None)
    who = django_filters.ChoiceFilter(
        label="报送单位",
        method="not_of_schools",
        empty_label="全部",
        choices=[(Organization.Kind.SCHOOL, "院校"), (Organization.Kind.EVALUATOR, "评价组织")],
    )

    class Meta:
        model = Organization
        fields: list[str] = []

    def __init__(self, data: QueryDict, **kwargs: Any) -> None:
        request = kwargs["request"]
        self.report = report_asked(request)
        super().__init__(_with_offered(data, "report", [self.report.value], self.report.value), **kwargs)
        self.reporters = who(request.user, self.report, data.get("who", ""))
        self.filters["q"].label = self.reporters.noun
        self.filters["report"].extra["choices"] = [
            (kind.value, kind.label) for kind in kinds_for(request.user)
        ]
        for name in self._out_of_place(request):
            del self.filters[name]

    @property
    def is_weekly(self) -> bool:
        return self.report == ObligationKind.WEEKLY_REPORT

    def _out_of_place(self, request: HttpRequest) -> Iterator[str]:
        if not self.is_weekly:
            # A streak is of weeks only.
            yield "streak"
        if not who(request.user, self.report).are_mixed:
            yield "who"
        if not self.reporters.has_schools:
            yield "kind"
        if not self.reporters.has_schools or request.user.role == Role.CITY_BUREAU:
            # A bureau's schools are all its own: there is nothing to choose.
            yield "city"

    def not_of_schools(self, schools: OrganizationQuerySet, name: str, value: str) -> OrganizationQuerySet:
        """For filters that choose columns or obligations."""
        return schools

    def by_text(self, schools: OrganizationQuerySet, name: str, value: str) -> OrganizationQuerySet:
        return schools.matching(value)

    def by_streak(self, schools: OrganizationQuerySet, name: str, value: str) -> OrganizationQuerySet:
        streaks = current_streaks(schools, at=clock.now())
        return schools.filter(pk__in=[pk for pk, streak in streaks.items() if streak.weeks >= int(value)])


class MatrixFilter(ReporterFilter):
    """Also by the state of the period now to be closed; `weeks` and `year` choose the columns."""

    state = django_filters.ChoiceFilter(
        label="当前周期状态", choices=STATE_CHOICES, method="by_state", empty_label="全部"
    )
    weeks = django_filters.ChoiceFilter(label="显示", method="not_of_schools", empty_label=None)
    year = django_filters.ChoiceFilter(label="年度", method="not_of_schools", empty_label="最近")

    def __init__(self, data: QueryDict, *, periods: list[Period], **kwargs: Any) -> None:
        """`periods`: the opened ones, newest first."""
        lengths = LENGTHS[report_asked(kwargs["request"])]
        self.length = lengths[1][0]
        years = [str(year) for year in sorted({period.year for period in periods}, reverse=True)]
        data = _with_offered(data, "weeks", [str(length) for length, _ in lengths], str(self.length))
        super().__init__(_with_offered(data, "year", years, ""), **kwargs)
        self.filters["weeks"].extra["choices"] = lengths
        self.periods = periods
        self.filters["year"].extra["choices"] = [(year, f"{year}年") for year in years]

    def by_state(self, schools: OrganizationQuerySet, name: str, value: str) -> OrganizationQuerySet:
        now = Obligation.objects.filter(IN_STATE[value], period=current_period(self.periods))
        return schools.filter(Exists(now.filter(organization=OuterRef("pk"))))

    def columns_asked(self) -> list[Period]:
        """The periods to show, oldest first."""
        asked = self.form.cleaned_data if self.form.is_valid() else {}
        year = asked.get("year")
        return window(
            self.periods, weeks=int(asked.get("weeks") or self.length), year=int(year) if year else None
        )


class NonReporterFilter(ReporterFilter):
    """Also the period (by its key; the one now to be closed by default), what state, and the order."""

    period = django_filters.ChoiceFilter(label="周期", method="not_of_schools", empty_label=None)
    state = django_filters.ChoiceFilter(
        label="状态",
        method="not_of_schools",
        empty_label="尚未报送",
        choices=[
            ("pending", "待报（未截止）"),
            ("overdue", "已截止，尚未关闭"),
            ("missed", "已关闭，未补报"),
            ("filled", "已关闭，后补报"),
            ("excused", "已谅解"),
        ],
    )
    sort = django_filters.ChoiceFilter(
        label="排序", method="not_of_schools", empty_label="连续未报周数", choices=[("city", "市、院校代码")]
    )

    def __init__(self, data: QueryDict, *, periods: list[Period], **kwargs: Any) -> None:
        """`periods`: the opened ones, newest first."""
        asked = next((p for p in periods if p.key == data.get("period")), None)
        self.period = asked or current_period(periods)
        key = self.period.key if self.period else ""
        super().__init__(_with_offered(data, "period", [key], key), **kwargs)
        self.filters["period"].extra["choices"] = [(p.key, p.label) for p in periods]

    def _out_of_place(self, request: HttpRequest) -> Iterator[str]:
        yield from super()._out_of_place(request)
        if not self.is_weekly:
            # Only streaks are sorted by.
            yield "sort"

    def state_asked(self) -> Q:
        now = clock.now()
        asked = self.form.cleaned_data.get("state") if self.form.is_valid() else ""
        return {
            "pending": IN_STATE["pending"] & Q(due_at__gt=now),
            "overdue": IN_STATE["pending"] & Q(due_at__lte=now),
            "missed": IN_STATE["missed"],
            "filled": IN_STATE["filled"],
            "excused": IN_STATE["excused"],
        }.get(asked) or IN_STATE["pending"] | IN_STATE["missed"]

    def sort_asked(self) -> str:
        return (self.form.cleaned_data.get("sort") if self.form.is_valid() else "") or "streak"
