"""Filters of the list of evaluators."""

from typing import Any

import django_filters
from django.db.models import QuerySet

from accounts.models import Organization
from evaluators.models import Evaluator


class EvaluatorFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="评价组织名称、拼音", method="search")
    charged = django_filters.ChoiceFilter(
        label="对接专员",
        field_name="is_charged",
        choices=[("True", "已安排"), ("False", "未安排")],
        empty_label="全部",
    )
    running = django_filters.ChoiceFilter(
        label="本省试点",
        field_name="is_running",
        choices=[("True", "有院校"), ("False", "没有院校")],
        empty_label="全部",
    )

    class Meta:
        model = Evaluator
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(organization__in=Organization.objects.matching(value))
