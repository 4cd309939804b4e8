"""Filters of the allocations."""

import django_filters
from django.db.models import QuerySet

from accounts.models import Organization
from funding.models import Allocation


class AllocationFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="院校或文号", method="search")
    year = django_filters.NumberFilter(label="年度")
    source = django_filters.ChoiceFilter(label="来源", choices=Allocation.Source.choices)
    waiting = django_filters.BooleanFilter(label="尚未到账", field_name="arrived_on", lookup_expr="isnull")

    class Meta:
        model = Allocation
        fields: list[str] = []

    def search(self, rows: QuerySet[Allocation], name: str, value: str) -> QuerySet[Allocation]:
        schools = Organization.objects.matching(value)
        return rows.filter(organization__in=schools) | rows.filter(document__icontains=value)
