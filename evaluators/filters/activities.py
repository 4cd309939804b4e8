"""Filters of the list of activities."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet

from accounts.models import City, Organization, Role
from certificates.models import Certificate
from core import clock
from evaluators.models import Activity


class ActivityFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="名称、地点", method="search")
    when = django_filters.ChoiceFilter(
        label="时间",
        choices=[("coming", "未结束"), ("past", "已结束")],
        method="by_time",
        empty_label="全部",
    )
    kind = django_filters.ChoiceFilter(label="类别", choices=Activity.Kind.choices, empty_label="全部")
    state = django_filters.ChoiceFilter(label="状态", choices=Activity.State.choices, empty_label="全部")
    late = django_filters.ChoiceFilter(
        label="备案", choices=[("1", "开始后备案")], method="only_late", empty_label="全部"
    )
    results = django_filters.ChoiceFilter(
        label="活动结果", choices=[("awaited", "待登记")], method="by_results", empty_label="全部"
    )
    paid = django_filters.ChoiceFilter(
        label="收费", choices=[("1", "收费"), ("0", "不收费")], method="by_fee", empty_label="全部"
    )
    evaluator = django_filters.ModelChoiceFilter(
        label="培训评价组织",
        queryset=Organization.objects.filter(kind=Organization.Kind.EVALUATOR).order_by("name"),
        empty_label="全部",
    )
    certificate = django_filters.ModelChoiceFilter(
        label="证书", queryset=Certificate.objects.order_by("name"), empty_label="全部"
    )
    city = django_filters.ModelChoiceFilter(label="所在市", queryset=City.objects.all(), empty_label="全部")

    class Meta:
        model = Activity
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Nobody is asked for what is the same on every row."""
        super().__init__(*args, **kwargs)
        if self.request.user.role == Role.EVALUATOR:
            del self.filters["evaluator"]

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(Q(title__icontains=value) | Q(place__icontains=value))

    def by_time(self, rows: Any, name: str, value: str) -> QuerySet[Any]:
        now = clock.now()
        found: QuerySet[Any] = rows.coming(now) if value == "coming" else rows.past(now)
        return found

    def only_late(self, rows: Any, name: str, value: str) -> QuerySet[Any]:
        found: QuerySet[Any] = rows.filed_late()
        return found

    def by_results(self, rows: Any, name: str, value: str) -> QuerySet[Any]:
        found: QuerySet[Any] = rows.awaiting_results(clock.now())
        return found

    def by_fee(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(fee__gt=0) if value == "1" else rows.filter(fee=0)
