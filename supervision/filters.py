"""Filters of the list of cases."""

import django_filters
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest

from accounts.models import Organization, OrganizationQuerySet
from supervision.models import Case, CaseQuerySet, FollowUp


def _supervisors(request: HttpRequest) -> QuerySet[Organization]:
    organizations = Organization.objects.visible_to(request.user)
    supervised = organizations.filter(supervisor=OuterRef("pk")).schools()
    return Organization.objects.filter(Exists(supervised)).order_by("kind", "code")


class CaseFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="对象", method="by_text")
    state = django_filters.ChoiceFilter(label="状态", choices=Case.State.choices, empty_label="全部")
    ground = django_filters.ChoiceFilter(label="情形", choices=Case.Ground.choices, empty_label="全部")
    city = django_filters.ModelChoiceFilter(
        label="市（主管部门）",
        field_name="organization__supervisor",
        queryset=_supervisors,
        empty_label="全部",
    )

    class Meta:
        model = Case
        fields: list[str] = []

    def by_text(self, cases: CaseQuerySet, name: str, value: str) -> CaseQuerySet:
        named: OrganizationQuerySet = Organization.objects.matching(value)
        return cases.filter(organization__in=named)


class FollowUpFilter(django_filters.FilterSet):
    kind = django_filters.ChoiceFilter(label="事项", choices=FollowUp.Kind.choices, empty_label="全部")
    done = django_filters.ChoiceFilter(
        label="办理", method="by_done", choices=[("0", "未办结"), ("1", "已办结")], empty_label="全部"
    )

    class Meta:
        model = FollowUp
        fields: list[str] = []

    def by_done(self, rows: QuerySet[FollowUp], name: str, value: str) -> QuerySet[FollowUp]:
        return rows.filter(done_at__isnull=value == "0")
