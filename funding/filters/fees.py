"""Filters of caps, standards, levels that lack one, and of the public list."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet

from certificates.models import ExamForm
from core import clock
from funding.models import FeeCap, FeeStandard


class CapFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="证书或文号", method="search")
    exam_form = django_filters.ChoiceFilter(label="考核形式", choices=ExamForm.choices, empty_label="全部")
    standing = django_filters.ChoiceFilter(
        label="执行情况",
        choices=[("in_force", "现行"), ("coming", "未到生效日期"), ("past", "已被替代")],
        empty_label="全部",
        method="by_standing",
    )

    class Meta:
        model = FeeCap
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        text = value.strip()
        return rows.filter(
            Q(document__icontains=text) | Q(certificate_level__certificate__name__icontains=text)
        )

    def by_standing(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return by_standing(rows, value)


def by_standing(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
    """`rows` annotated with `is_replaced`; `value`: in_force, coming or past."""
    today = clock.today()
    if value == "coming":
        return rows.filter(effective_from__gt=today)
    return rows.filter(effective_from__lte=today, is_replaced=value == "past")


class StandardFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="证书或文号", method="search")
    evaluator = django_filters.CharFilter(
        label="评价组织", field_name="evaluator__name", lookup_expr="icontains"
    )
    state = django_filters.ChoiceFilter(label="状态", choices=FeeStandard.State.choices, empty_label="全部")
    standing = django_filters.ChoiceFilter(
        label="执行情况",
        choices=[("in_force", "现行"), ("coming", "已备案、未到生效日期"), ("past", "已被替代")],
        empty_label="全部",
        method="by_standing",
    )
    cap = django_filters.ChoiceFilter(
        label="上限",
        choices=[("none", "未设上限"), ("above", "高于现行上限"), ("within", "不高于现行上限")],
        empty_label="全部",
        method="by_cap",
    )

    class Meta:
        model = FeeStandard
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return search(rows, value)

    def by_standing(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return by_standing(rows.filter(state=FeeStandard.State.FILED), value)

    def by_cap(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(CAP_CHOICES[value])


CAP_CHOICES = {
    "none": Q(cap_amount=None),
    "above": Q(is_above_cap=True),
    "within": Q(is_above_cap=False, cap_amount__isnull=False),
}


def search(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
    """Standards by certificate or document."""
    text = value.strip()
    return rows.filter(Q(certificate_level__certificate__name__icontains=text) | Q(document__icontains=text))


class GapFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="证书或评价组织", method="search")
    lacks = django_filters.ChoiceFilter(
        label="缺少",
        choices=[("cap", "考核成本上限"), ("standard", "备案标准"), ("form", "考核形式")],
        empty_label="任一项",
        method="by_gap",
    )

    class Meta:
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        text = value.strip()
        return rows.filter(Q(certificate__name__icontains=text) | Q(certificate__owner__name__icontains=text))

    def by_gap(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(
            {"cap": Q(cap_amount=None), "standard": Q(standard_amount=None), "form": Q(form="")}[value]
        )


class PublicStandardFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="证书、评价组织或文号", method="search")

    class Meta:
        model = FeeStandard
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return search(rows, value) | rows.filter(evaluator__name__icontains=value.strip())
