"""Filters of the list of school filings."""

from typing import Any

import django_filters
from django.db.models import QuerySet

from accounts.models import City, Organization
from schools.models import School, SchoolFiling

STATES = [
    ("none", "未提交"),
    *((s.value, s.label) for s in SchoolFiling.State if s != SchoolFiling.State.DRAFT),
]


class FilingFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="院校名称、代码、拼音", method="search")
    state = django_filters.ChoiceFilter(
        label="状态", field_name="filing_state", choices=STATES, empty_label="全部"
    )
    overdue = django_filters.ChoiceFilter(
        label="逾期",
        field_name="is_overdue",
        choices=[("True", "已逾期未交"), ("False", "未逾期")],
        empty_label="全部",
    )
    city = django_filters.ModelChoiceFilter(
        label="所在市", field_name="organization__city", queryset=City.objects.all(), empty_label="全部"
    )

    class Meta:
        model = School
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(organization__in=Organization.objects.schools().matching(value))
