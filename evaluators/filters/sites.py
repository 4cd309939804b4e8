"""Filters of the lists of sites and conditions."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet

from accounts.models import City, Organization
from certificates.models import Certificate
from evaluators.models import ExamSite, SiteCondition


def certificates(request: Any) -> QuerySet[Certificate]:
    return Certificate.objects.order_by("name")


class SiteFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="站点、院校、证书", method="search")
    state = django_filters.ChoiceFilter(label="状态", choices=ExamSite.State.choices, empty_label="全部")
    city = django_filters.ModelChoiceFilter(label="所在市", queryset=City.objects.all(), empty_label="全部")
    certificate = django_filters.ModelChoiceFilter(label="证书", queryset=certificates, empty_label="全部")
    ending = django_filters.ChoiceFilter(
        label="撤销请求", choices=[("asked", "学校已请求，待办理")], empty_label="全部", method="by_ending"
    )

    class Meta:
        model = ExamSite
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        text = value.strip()
        schools = Organization.objects.schools().matching(text)
        return rows.filter(
            Q(name__icontains=text)
            | Q(certificate__name__icontains=text)
            | Q(school__organization__in=schools)
        )

    def by_ending(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(state=ExamSite.State.FILED, ending_asked_at__isnull=False)


class ConditionFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="证书、评价组织", method="search")

    class Meta:
        model = SiteCondition
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        text = value.strip()
        return rows.filter(Q(certificate__name__icontains=text) | Q(certificate__owner__name__icontains=text))


class PublicFilter(django_filters.FilterSet):
    """Of certificates; a city narrows the sites below them."""

    q = django_filters.CharFilter(label="证书、评价组织", method="search")
    city = django_filters.ModelChoiceFilter(
        label="市", queryset=City.objects.all(), empty_label="全部", method="in_city"
    )

    class Meta:
        model = Certificate
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        text = value.strip()
        return rows.filter(Q(name__icontains=text) | Q(owner__name__icontains=text))

    def in_city(self, rows: QuerySet[Any], name: str, value: City) -> QuerySet[Any]:
        here = ExamSite.objects.filed().filter(city=value)
        return rows.filter(pk__in=here.values("certificate"))
