"""Filter of the list of objections."""

from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts.models import Organization
from core import clock
from schools.models import Objection, ResultList

STATES = [("open", "待答复"), ("upheld", "成立"), ("rejected", "不成立")]


def _lists(request: HttpRequest) -> QuerySet[ResultList]:
    return ResultList.objects.visible_to(request.user).proposed().defer("rows")


class ObjectionFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="编号、院校、内容", method="of_text")
    state = django_filters.ChoiceFilter(label="状态", choices=STATES, method="of_state", empty_label="全部")
    overdue = django_filters.BooleanFilter(
        label="只看超期未答复", method="of_overdue", widget=forms.CheckboxInput
    )
    result_list = django_filters.ModelChoiceFilter(label="公示", queryset=_lists, empty_label="全部")

    class Meta:
        model = Objection
        fields: list[str] = []

    def of_text(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(
            Q(receipt__icontains=value)
            | Q(about__in=Organization.objects.schools().matching(value))
            | Q(text__icontains=value)
        )

    def of_overdue(self, rows: Any, name: str, value: bool) -> Any:
        return rows.unanswered().filter(due_at__lte=clock.now()) if value else rows

    def of_state(self, rows: Any, name: str, value: str) -> Any:
        return rows.unanswered() if value == "open" else rows.filter(is_upheld=value == "upheld")
