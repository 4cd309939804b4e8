"""Filters of the list of credit proposals."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet

from certificates.models import CreditProposal


class ProposalFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="证书、评价组织", method="search")
    state = django_filters.ChoiceFilter(
        label="状态", choices=CreditProposal.State.choices, empty_label="全部"
    )

    class Meta:
        model = CreditProposal
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        text = value.strip()
        return rows.filter(Q(certificate__name__icontains=text) | Q(certificate__owner__name__icontains=text))
