"""Filters of the lists of agreements and of programmes without one."""

from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import City, Organization, Role
from certificates.models import Certificate
from core.templatetags.portal import state_word
from schools.models import Agreement, AgreementParty, Programme

STATES = ["valid", "expiring", "unconfirmed", "expired", "terminated", "voided"]


class AgreementFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="院校、证书、协议编号", method="search")
    state = django_filters.ChoiceFilter(
        label="状态", choices=[(state, state_word(state)) for state in STATES], empty_label="全部"
    )
    certificate = django_filters.ModelChoiceFilter(
        label="证书",
        field_name="certificate_level__certificate",
        queryset=Certificate.objects.order_by("name"),
        empty_label="全部",
    )
    evaluator = django_filters.ModelChoiceFilter(
        label="培训评价组织",
        queryset=Organization.objects.filter(kind=Organization.Kind.EVALUATOR).order_by("name"),
        empty_label="全部",
    )
    city = django_filters.ModelChoiceFilter(
        label="所在市", queryset=City.objects.all(), method="in_city", empty_label="全部"
    )
    cap = django_filters.ChoiceFilter(
        label="考核成本上限",
        choices=[("set", "登记时已设"), ("unset", "登记时未设")],
        method="with_cap",
        empty_label="全部",
    )

    class Meta:
        model = Agreement
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Nobody is asked for what is the same on every row."""
        super().__init__(*args, **kwargs)
        role = self.request.user.role
        if role in Role.of_a_school():
            del self.filters["city"]
        if role == Role.EVALUATOR:
            del self.filters["evaluator"]

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        schools = AgreementParty.objects.filter(
            agreement=OuterRef("pk"), school__organization__in=Organization.objects.schools().matching(value)
        )
        named = Q(reference__icontains=value) | Q(certificate_level__certificate__name__icontains=value)
        return rows.filter(named | Q(Exists(schools)))

    def in_city(self, rows: QuerySet[Any], name: str, value: City) -> QuerySet[Any]:
        parties = AgreementParty.objects.filter(agreement=OuterRef("pk"), school__organization__city=value)
        return rows.filter(Exists(parties))

    def with_cap(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(cap__isnull=value == "unset")


class OfProgrammes(django_filters.FilterSet):
    """Of programmes, by school, certificate and place."""

    q = django_filters.CharFilter(label="院校、证书", method="search")
    city = django_filters.ModelChoiceFilter(
        label="所在市",
        field_name="school__organization__city",
        queryset=City.objects.all(),
        empty_label="全部",
    )

    class Meta:
        model = Programme
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.request.user.role in Role.of_a_school():
            del self.filters["city"]

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        named = Q(school__organization__in=Organization.objects.schools().matching(value))
        return rows.filter(named | Q(certificate_level__certificate__name__icontains=value.strip()))


class MissingFilter(OfProgrammes):
    certificate = django_filters.ModelChoiceFilter(
        label="证书",
        field_name="certificate_level__certificate",
        queryset=Certificate.objects.order_by("name"),
        empty_label="全部",
    )
