"""Filters of the list of evaluators' filings."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet

from accounts.models import Organization
from certificates.models import Certificate
from evaluators.models import EvaluatorFiling

STATES = [
    ("none", "未提交"),
    *((s.value, s.label) for s in EvaluatorFiling.State if s != EvaluatorFiling.State.DRAFT),
]


class FilingFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="证书或评价组织名称、拼音", method="search")
    state = django_filters.ChoiceFilter(
        label="状态", field_name="filing_state", choices=STATES, empty_label="全部"
    )
    on_file = django_filters.ChoiceFilter(
        label="已予备案",
        field_name="is_on_file",
        choices=[("True", "是"), ("False", "否")],
        empty_label="全部",
    )
    overdue = django_filters.ChoiceFilter(
        label="逾期",
        field_name="is_overdue",
        choices=[("True", "已逾期未交"), ("False", "未逾期")],
        empty_label="全部",
    )

    class Meta:
        model = Certificate
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        owners = Organization.objects.filter(kind=Organization.Kind.EVALUATOR).matching(value)
        return rows.filter(Q(name__icontains=value.strip()) | Q(owner__in=owners))
