"""Filters of the review queue."""

from typing import Any
from urllib.parse import parse_qsl

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, QueryDict

from accounts.models import Organization
from certificates.models import Certificate
from core import clock
from schools.models import Application, ApplicationItem, ApplicationRound, ExpertOpinion, School
from schools.services import reviews

STATES = [choice for choice in ApplicationItem.State.choices if choice[0] != ApplicationItem.State.DRAFT]


def _certificates(request: HttpRequest) -> QuerySet[Certificate]:
    """Those of the items that the user sees."""
    items = ApplicationItem.objects.visible_to(request.user).handed_in()
    found = items.filter(certificate_level__certificate=OuterRef("pk"))
    return Certificate.objects.filter(Exists(found)).order_by("name")


class QueueFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="院校、证书", method="search")
    round = django_filters.ModelChoiceFilter(
        label="批次",
        field_name="application__round",
        queryset=ApplicationRound.objects.all(),
        empty_label="全部",
    )
    state = django_filters.ChoiceFilter(label="状态", choices=STATES, empty_label="全部")
    authority = django_filters.ModelChoiceFilter(
        label="主管部门",
        field_name="application__school__organization__supervisor",
        queryset=Organization.objects.authorities(),
        empty_label="全部",
    )
    kind = django_filters.ChoiceFilter(
        label="办学类型",
        field_name="application__school__kind",
        choices=School.Kind.choices,
        empty_label="全部",
    )
    certificate = django_filters.ModelChoiceFilter(
        label="证书",
        field_name="certificate_level__certificate",
        queryset=_certificates,
        empty_label="全部",
    )
    opinion = django_filters.ChoiceFilter(
        label="专家意见", choices=[("1", "有专家意见"), ("0", "没有")], method="advised", empty_label="全部"
    )

    class Meta:
        model = ApplicationItem
        fields: list[str] = []

    def __init__(self, data: QueryDict | None = None, *args: Any, request: Any, **kwargs: Any) -> None:
        """An address that does not say gets what waits for the reader in the round that closes first; empty
        values ask for all."""
        data = data.copy() if data else QueryDict(mutable=True)
        if "round" not in data and (found := round_to_review(request.user)):
            data["round"] = str(found.pk)
        data.setdefault("state", reviews.waiting_state(request.user))
        super().__init__(data, *args, request=request, **kwargs)
        if not request.user.sees_province:
            del self.filters["opinion"], self.filters["authority"]

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        schools = Organization.objects.schools().matching(value)
        certificate = Q(certificate_level__certificate__name__icontains=value.strip())
        return rows.filter(Q(application__school__in=schools.values("pk")) | certificate)

    def advised(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        given = Exists(ExpertOpinion.objects.filter(item=OuterRef("pk"), state=ExpertOpinion.State.GIVEN))
        return rows.filter(given if value == "1" else ~given)


def all_filtered(request: HttpRequest, items: QuerySet[Any]) -> list[int]:
    """The keys of all items that the list's filters leave (`query` of the form); [] for no valid filter."""
    query = QueryDict(mutable=True)
    for name, value in parse_qsl(request.POST.get("query", ""), keep_blank_values=True):
        query[name] = value
    found = QueueFilter(query, queryset=items, request=request)
    return list(found.qs.order_by("pk").values_list("pk", flat=True)) if found.is_valid() else []


def round_to_review(user: Any) -> ApplicationRound | None:
    """Of those that are open, if only for a school that applied in it, the first to close in which something
    waits for the reader, else the newest; else the newest of all."""
    rounds = ApplicationRound.objects.visible_to(user)
    schools = Application.objects.visible_to(user).filter(round=OuterRef("round")).values("school")
    waiting = ApplicationItem.objects.visible_to(user).filter(
        application__round=OuterRef("pk"), state=reviews.waiting_state(user)
    )
    open_ = rounds.open_at(clock.now(), schools).annotate(is_urgent=Exists(waiting))
    return (
        open_.filter(is_urgent=True).order_by("province_closes_at").first() or open_.first() or rounds.first()
    )
