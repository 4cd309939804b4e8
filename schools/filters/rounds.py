"""Filters of the list of where every school stands in a round."""

import django_filters
from django.db.models import F, QuerySet
from django.http import HttpRequest

from accounts.models import Organization
from schools.models import School
from schools.tables.rounds import COUNTS


def _supervisors(request: HttpRequest) -> QuerySet[Organization]:
    supervisors = School.objects.visible_to(request.user).values("organization__supervisor")
    return Organization.objects.filter(pk__in=supervisors).order_by("kind", "code")


class ProgressFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="名称、代码、拼音", method="search")
    standing = django_filters.ChoiceFilter(
        label="申报",
        choices=[
            ("none", "未申报"),
            ("begun", "填写中"),
            ("handed_in", "已提交"),
            *((name, word) for name, _, word in COUNTS),
        ],
        method="standing_in",
        empty_label="全部",
    )
    kind = django_filters.ChoiceFilter(label="办学类型", choices=School.Kind.choices, empty_label="全部")
    supervisor = django_filters.ModelChoiceFilter(
        label="主管部门", field_name="organization__supervisor", queryset=_supervisors, empty_label="全部"
    )
    extended = django_filters.ChoiceFilter(
        label="单独延期",
        field_name="is_extended",
        choices=[("True", "有"), ("False", "无")],
        empty_label="全部",
    )

    class Meta:
        model = School
        fields: list[str] = []

    def search(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        return rows.filter(organization__in=Organization.objects.schools().matching(value))

    def standing_in(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        if value == "none":
            return rows.filter(application=None)
        if value == "begun":
            return rows.filter(application__isnull=False, handed_in=0)
        return rows.alias(asked=F(value)).filter(asked__gt=0)
