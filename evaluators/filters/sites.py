"""Filters of the lists of sites and conditions."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet

from accounts.models import City, Organization, Role
from certificates.models import Certificate
from evaluators.models import ExamSite, SiteCondition

# By role: whose sites are its own.
OWN = {
    Role.SCHOOL_CONTACT: "本校的站点",
    Role.SCHOOL_LEADER: "本校的站点",
    Role.EVALUATOR: "本单位证书的站点",
}


def certificates(request: Any) -> QuerySet[Certificate]:
    return Certificate.objects.order_by("name")


class SiteFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="站点、院校、证书", method="search")
    state = django_filters.ChoiceFilter(
        label="状态",
        choices=[*ExamSite.State.choices, ExamSite.NEVER_FILED],
        empty_label="全部",
        method="by_state",
    )
    city = django_filters.ModelChoiceFilter(label="所在市", queryset=City.objects.all(), empty_label="全部")
    certificate = django_filters.ModelChoiceFilter(label="证书", queryset=certificates, empty_label="全部")
    ending = django_filters.ChoiceFilter(
        label="撤销请求", choices=[("asked", "学校已请求，待办理")], empty_label="全部", method="by_ending"
    )
    whose = django_filters.ChoiceFilter(
        label="范围", choices=[("own", "本单位的")], empty_label="全部", method="by_whose"
    )

    class Meta:
        model = ExamSite
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.request.user.role not in OWN:
            del self.filters["whose"]

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        text = value.strip()
        schools = Organization.objects.schools().matching(text)
        return rows.filter(
            Q(name__icontains=text)
            | Q(certificate__name__icontains=text)
            | Q(school__organization__in=schools)
        )

    def by_state(self, rows: Any, name: str, value: str) -> QuerySet[Any]:
        found: QuerySet[Any] = rows.in_state(value)
        return found

    def by_ending(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(state=ExamSite.State.FILED, ending_asked_at__isnull=False, is_party=True)

    def by_whose(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        own = self.request.user.organization_id
        return rows.filter(Q(school=own) | Q(certificate__owner=own))


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
