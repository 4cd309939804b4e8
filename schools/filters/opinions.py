"""Filters of the list of experts' opinions."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import QueryDict

from accounts.models import Organization, Role, User
from core import clock
from schools.models import ApplicationRound, ExpertOpinion


class OpinionFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="院校、证书", method="search")
    state = django_filters.ChoiceFilter(label="状态", choices=ExpertOpinion.State.choices, empty_label="全部")
    late = django_filters.ChoiceFilter(
        label="逾期", choices=[("yes", "已过期限未答复")], method="unanswered", empty_label="全部"
    )
    round = django_filters.ModelChoiceFilter(
        label="批次",
        field_name="item__application__round",
        queryset=ApplicationRound.objects.all(),
        empty_label="全部",
    )

    class Meta:
        model = ExpertOpinion
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        schools = Organization.objects.schools().matching(value)
        named = rows.filter(item__certificate_level__certificate__name__icontains=value.strip())
        return rows.filter(item__application__school__organization__in=schools) | named

    def unanswered(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.waiting().filter(due_at__lte=clock.now())


class OwnOpinionFilter(OpinionFilter):
    """An expert's: an address that does not say gets what waits for an answer; an empty state asks for all."""

    def __init__(self, data: QueryDict | None = None, *args: Any, **kwargs: Any) -> None:
        data = data.copy() if data else QueryDict(mutable=True)
        data.setdefault("state", ExpertOpinion.State.ASKED)
        super().__init__(data, *args, **kwargs)


class OfficeOpinionFilter(OpinionFilter):
    expert = django_filters.ModelChoiceFilter(
        label="专家",
        queryset=User.objects.filter(role=Role.EXPERT).order_by("name", "username"),
        empty_label="全部",
    )
