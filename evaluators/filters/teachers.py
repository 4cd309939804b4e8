"""Filters of the lists of teachers and of trainers per student."""

from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import City, Organization, Role
from certificates.models import Certificate
from core import clock
from evaluators.models import Qualification, Teacher
from schools.filters.agreements import OfProgrammes


class TeacherFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="姓名、工号、院校", method="search")
    certificate = django_filters.ModelChoiceFilter(
        label="有资格的证书",
        queryset=Certificate.objects.order_by("name"),
        method="qualified_for",
        empty_label="全部",
    )
    qualified = django_filters.ChoiceFilter(
        label="资格",
        choices=[("valid", "有效"), ("expiring", "90 天内到期"), ("none", "没有有效的")],
        method="by_qualification",
        empty_label="全部",
    )
    city = django_filters.ModelChoiceFilter(
        label="所在市",
        field_name="school__organization__city",
        queryset=City.objects.all(),
        empty_label="全部",
    )
    there = django_filters.ChoiceFilter(
        label="在校", choices=[("in", "在校"), ("left", "已离校")], method="by_school", empty_label="全部"
    )

    class Meta:
        model = Teacher
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.request.user.role in Role.of_a_school():
            del self.filters["city"]

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        at_school = Q(school__organization__in=Organization.objects.schools().matching(value))
        return rows.filter(Q(name__icontains=value) | Q(staff_number__startswith=value) | at_school)

    def qualified_for(self, rows: QuerySet[Any], name: str, value: Certificate) -> QuerySet[Any]:
        return rows.filter(Exists(self._held().filter(certificate_level__certificate=value)))

    def by_qualification(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        if value == "expiring":
            soon = Qualification.objects.visible_to(self.request.user).expiring(clock.today())
            return rows.filter(Exists(soon.filter(teacher=OuterRef("pk"))))
        held = Exists(self._held())
        return rows.filter(held) if value == "valid" else rows.filter(~held)

    def _held(self) -> QuerySet[Qualification]:
        held = Qualification.objects.visible_to(self.request.user).held_on(clock.today())
        return held.filter(teacher=OuterRef("pk"))

    def by_school(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(left_on__isnull=value == "in")


class RatioFilter(OfProgrammes):
    """Of programmes as `shares.ratios` gives them."""

    lacking = django_filters.ChoiceFilter(
        label="培训师",
        choices=[("yes", "不足"), ("no", "达到")],
        method="by_lacking",
        empty_label="全部",
    )

    def by_lacking(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(lacking__gt=0) if value == "yes" else rows.filter(lacking=0)
