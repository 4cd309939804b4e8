"""Filters of the allocations."""

import django_filters
from django.db.models import QuerySet

from accounts.models import Organization
from funding.models import Allocation


class AllocationFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="院校或文号", method="search")
    year = django_filters.NumberFilter(label="年度")
    source = django_filters.ChoiceFilter(label="来源", choices=Allocation.Source.choices, empty_label="全部")
    arrival = django_filters.ChoiceFilter(
        label="到账",
        choices=[("waiting", "尚未确认"), ("arrived", "已到账")],
        empty_label="全部",
        method="by_arrival",
    )

    class Meta:
        model = Allocation
        fields: list[str] = []

    def search(self, rows: QuerySet[Allocation], name: str, value: str) -> QuerySet[Allocation]:
        schools = Organization.objects.matching(value)
        return rows.filter(organization__in=schools) | rows.filter(document__icontains=value)

    def by_arrival(self, rows: QuerySet[Allocation], name: str, value: str) -> QuerySet[Allocation]:
        return rows.filter(arrived_on__isnull=value == "waiting")
