"""Filters of the lists that core itself shows."""

import datetime as dt
from typing import Any

import django_filters
from django.db.models import Q, QuerySet

from core import clock, events
from core.forms import DayInput
from core.models import Event


class EventFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="对象、理由", method="search")
    action = django_filters.ChoiceFilter(
        label="操作", choices=lambda: list(events.labels().items()), empty_label="全部"
    )
    actor = django_filters.CharFilter(label="操作人", field_name="actor_label", lookup_expr="icontains")
    organization = django_filters.CharFilter(
        label="机构", field_name="organization__name", lookup_expr="icontains"
    )
    since = django_filters.DateFilter(label="从", method="from_day", widget=DayInput)
    until = django_filters.DateFilter(label="到", method="to_day", widget=DayInput)

    class Meta:
        model = Event
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(
            Q(target_label__icontains=value) | Q(reason__icontains=value) | Q(request_id=value)
        )

    def from_day(self, rows: QuerySet[Any], name: str, value: dt.date) -> QuerySet[Any]:
        return rows.filter(at__gte=clock.at(value))

    def to_day(self, rows: QuerySet[Any], name: str, value: dt.date) -> QuerySet[Any]:
        """The day itself included."""
        return rows.filter(at__lt=clock.at(value + dt.timedelta(days=1)))
