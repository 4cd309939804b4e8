"""Filters of the list of resources."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet

from accounts.models import Organization, Role
from certificates.models import CertificateLevel
from core import clock
from evaluators.services.resources import old_since


class ResourceFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="证书、教材", method="search")
    age = django_filters.ChoiceFilter(
        label="更新情况",
        choices=[("fresh", "一年内更新"), ("old", "一年以上未更新"), ("missing", "没有登记")],
        method="by_age",
        empty_label="全部",
    )
    evaluator = django_filters.ModelChoiceFilter(
        label="培训评价组织",
        field_name="certificate__owner",
        queryset=Organization.objects.filter(kind=Organization.Kind.EVALUATOR).order_by("name"),
        empty_label="全部",
    )

    class Meta:
        model = CertificateLevel
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.request.user.role == Role.EVALUATOR:
            del self.filters["evaluator"]

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(Q(certificate__name__icontains=value) | Q(resource__textbook__icontains=value))

    def by_age(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        limit = old_since(clock.today())
        if value == "missing":
            return rows.filter(resource=None)
        return (
            rows.filter(resource__updated_on__lt=limit)
            if value == "old"
            else rows.filter(resource__updated_on__gte=limit)
        )
