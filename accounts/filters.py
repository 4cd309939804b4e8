"""Filters of the lists of accounts and organisations."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import City, Organization, Role, User


class UserFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="姓名、账号、机构", method="search")
    role = django_filters.ChoiceFilter(label="角色", choices=Role.choices, empty_label="全部")
    state = django_filters.ChoiceFilter(
        label="状态",
        choices=[("active", "启用"), ("ended", "停用")],
        method="in_state",
        empty_label="全部",
    )

    class Meta:
        model = User
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.matching(value)

    def in_state(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(is_active=value == "active")


def _supervisors(request: HttpRequest) -> QuerySet[Organization]:
    return Organization.objects.visible_to(request.user).authorities()


class OrganizationFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="名称、代码、首字母", method="search")
    kind = django_filters.ChoiceFilter(label="类别", choices=Organization.Kind.choices, empty_label="全部")
    city = django_filters.ModelChoiceFilter(label="所在市", queryset=City.objects.all(), empty_label="全部")
    supervisor = django_filters.ModelChoiceFilter(label="主管部门", queryset=_supervisors, empty_label="全部")
    pilot = django_filters.ChoiceFilter(
        label="试点",
        choices=[("in", "在试点"), ("out", "不在试点")],
        method="in_the_pilot",
        empty_label="全部",
    )

    class Meta:
        model = Organization
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.matching(value)

    def in_the_pilot(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(in_pilot=value == "in")
