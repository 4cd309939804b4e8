"""Filters of the page of deadlines, kept in the address."""

import datetime as dt

import django_filters
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts.models import Organization
from core import clock
from core.forms import DayInput
from obligations import permissions
from obligations.coming import watched
from obligations.models import NOT_OWED, REPORTS, Obligation, ObligationKind, Outcome, Suspension

STATES = [
    ("todo", "待办（含逾期）"),
    ("overdue", "只看逾期"),
    ("coming", "尚未开始"),
    ("on_time", "按时"),
    ("late", "迟报"),
    ("missed", "未报"),
    ("filled", "未报已补"),
    ("excused", "已谅解"),
    ("exempt", "免报"),
    (NOT_OWED, "不再办理"),
]


def sensible_day(day: dt.date) -> None:
    """What lies at the edges of the calendar cannot be brought to UTC."""
    if not 2000 <= day.year <= 2100:
        raise ValidationError("年份应在 2000 至 2100 之间。")


def _schools(request: HttpRequest) -> QuerySet[Organization]:
    return Organization.objects.visible_to(request.user).schools().order_by("code")


def supervisors(request: HttpRequest) -> QuerySet[Organization]:
    supervisors = _schools(request).order_by().values("supervisor")
    return Organization.objects.filter(pk__in=supervisors).order_by("kind", "code")


class SuspensionFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="范围、原因", method="filter_text")
    kind = django_filters.ChoiceFilter(label="类别", choices=Suspension.Kind.choices, empty_label="全部")
    standing = django_filters.ChoiceFilter(
        label="现状",
        choices=[("standing", "停报中"), ("coming", "未开始"), ("over", "已结束")],
        method="filter_standing",
        empty_label="全部",
    )

    class Meta:
        model = Suspension
        fields: list[str] = []

    def filter_text(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return queryset.filter(Q(scope_label__icontains=value) | Q(reason__icontains=value))

    def filter_standing(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        now = clock.now()
        coming = Q(starts_at__gt=now, lifted_at=None)
        over = Q(ends_at__lte=now) | Q(lifted_at__isnull=False)
        return queryset.filter({"coming": coming, "over": over, "standing": ~coming & ~over}[value])


def _owing(request: HttpRequest) -> QuerySet[Organization]:
    """Whoever may owe something within the user's scope: schools, evaluators, authorities."""
    return watched(request.user).order_by("-kind", "code")


class DeadlineFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="搜索", method="filter_text")
    state = django_filters.ChoiceFilter(
        label="状态", choices=STATES, method="filter_state", empty_label="全部"
    )
    kind = django_filters.ChoiceFilter(label="种类", choices=ObligationKind.choices, empty_label="全部")
    city = django_filters.ModelChoiceFilter(
        label="市（主管部门）",
        field_name="organization__supervisor",
        queryset=supervisors,
        empty_label="全部",
    )
    organization = django_filters.ModelChoiceFilter(label="机构", queryset=_owing, empty_label="全部")
    due_from = django_filters.DateFilter(
        label="截止日自", widget=DayInput, method="filter_from", validators=[sensible_day]
    )
    due_to = django_filters.DateFilter(
        label="截止日至", widget=DayInput, method="filter_to", validators=[sensible_day]
    )
    by = django_filters.ChoiceFilter(
        label="排列", choices=[("organization", "按机构")], method="filter_by", empty_label="按日期"
    )

    class Meta:
        model = Obligation
        fields: list[str] = []

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # Whoever acts for one organisation has nothing to choose.
        if not self.request.user.sees_reporting:
            del self.filters["city"]
        if not permissions.may_watch_deadlines(self.request.user):
            for name in ("organization", "by"):
                del self.filters[name]

    def filter_text(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        organizations = Organization.objects.matching(value)
        return queryset.filter(Q(title__icontains=value.strip()) | Q(organization__in=organizations))

    # What closes at midnight belongs to the day before.
    def filter_from(self, queryset: QuerySet, name: str, value: dt.date) -> QuerySet:
        return queryset.filter(due_at__gt=clock.at(value))

    def filter_to(self, queryset: QuerySet, name: str, value: dt.date) -> QuerySet:
        return queryset.filter(due_at__lte=clock.at(value + dt.timedelta(days=1)))

    def filter_by(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return queryset.order_by("organization__kind", "organization__code", "due_at")

    def filter_state(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        if value == "todo":
            return queryset.pending()
        if value == "overdue":
            return queryset.overdue(clock.now())
        if value == "coming":
            return queryset.pending().filter(opens_at__gt=clock.now())
        missed = queryset.filter(outcome=Outcome.MISSED)
        exempt = queryset.filter(outcome=Outcome.EXEMPT)
        by_overlay = {
            "exempt": exempt.filter(kind__in=REPORTS),
            NOT_OWED: exempt.exclude(kind__in=REPORTS),
            "missed": missed.filter(excused_at=None, filled_at=None),
            "filled": missed.filter(excused_at=None, filled_at__isnull=False),
            "excused": missed.filter(excused_at__isnull=False),
        }
        return by_overlay[value] if value in by_overlay else queryset.filter(outcome=value)
