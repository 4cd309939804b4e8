"""Filters of the list of trainers."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet

from accounts.models import Organization, Role
from evaluators.models import Trainer


class TrainerFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="姓名、单位", method="search")
    employer_kind = django_filters.ChoiceFilter(
        label="单位类别", choices=Trainer.Employer.choices, empty_label="全部"
    )
    team = django_filters.ChoiceFilter(
        label="在团队", choices=[("in", "在"), ("left", "已退出")], method="by_team", empty_label="全部"
    )
    evaluator = django_filters.ModelChoiceFilter(
        label="培训评价组织",
        queryset=Organization.objects.filter(kind=Organization.Kind.EVALUATOR).order_by("name"),
        empty_label="全部",
    )

    class Meta:
        model = Trainer
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.request.user.role == Role.EVALUATOR:
            del self.filters["evaluator"]

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(Q(name__icontains=value) | Q(employer__icontains=value))

    def by_team(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(left_on__isnull=value == "in")
