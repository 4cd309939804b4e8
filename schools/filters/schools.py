"""Filters of the list of schools."""

from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, QuerySet
from django.http import QueryDict

from accounts.models import City, Organization
from certificates.models import Certificate
from core import clock
from schools.models import Programme, School


class SchoolFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="名称、代码、拼音", method="search")
    city = django_filters.ModelChoiceFilter(
        label="所在市", field_name="organization__city", queryset=City.objects.all(), empty_label="全部"
    )
    kind = django_filters.ChoiceFilter(label="办学类型", choices=School.Kind.choices, empty_label="全部")
    supervisor = django_filters.ModelChoiceFilter(
        label="主管部门",
        field_name="organization__supervisor",
        queryset=Organization.objects.authorities(),
        empty_label="全部",
    )
    certificate = django_filters.ModelChoiceFilter(
        label="证书", queryset=Certificate.objects.order_by("name"), method="running", empty_label="全部"
    )
    lead = django_filters.ChoiceFilter(
        label="牵头院校", field_name="is_lead", choices=[("True", "是"), ("False", "否")], empty_label="全部"
    )
    pilot = django_filters.ChoiceFilter(
        label="试点",
        field_name="in_pilot",
        choices=[("True", "在试点"), ("False", "不在试点")],
        empty_label="全部",
    )

    class Meta:
        model = School
        fields: list[str] = []

    def __init__(self, data: QueryDict | None = None, *args: Any, **kwargs: Any) -> None:
        """An address that does not say gets the schools in the pilot; an empty `pilot` asks for all."""
        data = data.copy() if data else QueryDict(mutable=True)
        data.setdefault("pilot", "True")
        super().__init__(data, *args, **kwargs)

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(organization__in=Organization.objects.schools().matching(value))

    def running(self, rows: QuerySet[Any], name: str, value: Certificate) -> QuerySet[Any]:
        """Schools that run a level of the certificate now."""
        programmes = Programme.objects.running_at(clock.now()).filter(
            school=OuterRef("pk"), certificate_level__certificate=value
        )
        return rows.filter(Exists(programmes))
