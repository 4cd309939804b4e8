"""Periods, and what is owed in them."""

import datetime as dt
from typing import Any

import django_filters
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db.models import BigIntegerField, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Cast
from django.http import HttpRequest
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers

from accounts.api import VisibleViewSet
from accounts.models import Organization, Scope
from core.api_schema import sample
from core.models import Event
from obligations.models import NOT_OWED, Obligation, ObligationKind, Outage, Outcome, Period, Suspension

STATES = [*Outcome.values, "excused", "filled", NOT_OWED]


def sensible_year(instant: dt.datetime) -> None:
    """What lies at the edges of the calendar cannot be brought to UTC."""
    if not 2000 <= instant.year <= 2100:
        raise ValidationError("年份应在 2000 至 2100 之间。")


def since_filter(**kwargs: Any) -> django_filters.IsoDateTimeFilter:
    """An instant with its zone, `2020-11-20T10:00:00Z`; without one, the province's."""
    return django_filters.IsoDateTimeFilter(
        validators=[sensible_year],
        error_messages={"invalid": "请按 2020-11-20T10:00:00Z 的格式填写时间。"},
        **kwargs,
    )


def visible_organizations(request: HttpRequest) -> QuerySet[Organization]:
    return Organization.objects.visible_to(request.user)


def organization_filter(**kwargs: Any) -> django_filters.ModelChoiceFilter:
    return django_filters.ModelChoiceFilter(label="机构编号", queryset=visible_organizations, **kwargs)


class PeriodSerializer(serializers.ModelSerializer):
    label = serializers.CharField(read_only=True)

    class Meta:
        model = Period
        fields = [
            "id",
            "kind",
            "key",
            "label",
            "starts_on",
            "ends_on",
            "weeks",
            "opens_at",
            "due_at",
            "closes_at",
            "exempt_reason",
            "opened_at",
            "closed_at",
        ]


class PeriodFilter(django_filters.FilterSet):
    kind = django_filters.ChoiceFilter(label="种类", choices=ObligationKind.choices)
    key = django_filters.CharFilter(label="编号，如 2020-W47")

    class Meta:
        model = Period
        fields: list[str] = []


_PERIOD = {
    "id": 47,
    "kind": "weekly_report",
    "key": "2020-W47",
    "label": "2020年第47周",
    "starts_on": "2020-11-16",
    "ends_on": "2020-11-22",
    "weeks": 1,
    "opens_at": "2020-11-16T00:00:00+08:00",
    "due_at": "2020-11-20T18:00:00+08:00",
    "closes_at": "2020-11-23T18:00:00+08:00",
    "exempt_reason": "",
    "opened_at": "2020-11-16T00:00:00+08:00",
    "closed_at": None,
}


@extend_schema_view(
    list=extend_schema(
        summary="报送周期清单",
        description="全省统一，含尚未开始的。截止、关闭时刻已按规则与节假日算定。",
        examples=[sample(_PERIOD)],
    ),
    retrieve=extend_schema(summary="一个报送周期", examples=[sample(_PERIOD)]),
)
class PeriodViewSet(VisibleViewSet):
    queryset = Period.objects.all()
    serializer_class = PeriodSerializer
    filterset_class = PeriodFilter
    scope = Scope.READ_PERIODS

    def get_queryset(self) -> Any:
        """The province's own, and nobody's in particular."""
        return Period.objects.order_by("pk")


class ObligationSerializer(serializers.ModelSerializer):
    organization_name = serializers.CharField(source="organization.name", read_only=True)
    state = serializers.SerializerMethodField(
        help_text="outcome，未报的另分 excused（已谅解）、filled（已补报），"
        "exempt 中不属于报送的为 not_owed（不再办理，原因见 exempt_reason）"
    )

    class Meta:
        model = Obligation
        fields = [
            "id",
            "organization",
            "organization_name",
            "kind",
            "key",
            "title",
            "period",
            "opens_at",
            "due_at",
            "closes_at",
            "outcome",
            "state",
            "received_at",
            "filled_at",
            "source",
            "exempt_reason",
            "excused_at",
            "excuse_reason",
        ]

    @extend_schema_field(serializers.ChoiceField(choices=STATES))
    def get_state(self, obligation: Obligation) -> str:
        return obligation.state


class ObligationFilter(django_filters.FilterSet):
    organization = organization_filter()
    period = django_filters.ModelChoiceFilter(label="周期编号", queryset=Period.objects.all())
    kind = django_filters.ChoiceFilter(label="种类", choices=ObligationKind.choices)
    outcome = django_filters.ChoiceFilter(label="结果", choices=Outcome.choices)
    updated_since = since_filter(label="此刻及以后有变动的", method="since")

    class Meta:
        model = Obligation
        fields: list[str] = []

    def since(self, rows: QuerySet[Obligation], name: str, value: dt.datetime) -> QuerySet[Obligation]:
        return rows.filter(touched_since(value))


def touched_since(instant: dt.datetime) -> Q:
    """Opened, received, filled or excused at or after `instant`, or named by an event; also what lies under
    a suspension declared or lifted, or an outage recorded since then, whether it changed or not."""
    own = Q()
    for name in ("opens_at", "received_at", "filled_at", "excused_at"):
        own |= Q(**{f"{name}__gte": instant})
    told = Event.objects.filter(
        target_type=ContentType.objects.get_for_model(Obligation), at__gte=instant
    ).values_list(Cast("target_id", BigIntegerField()))
    paused = Suspension.objects.filter(
        Q(created_at__gte=instant) | Q(lifted_at__gte=instant),
        starts_at__lte=OuterRef("due_at"),
        ends_at__gt=OuterRef("due_at"),
    )
    # A deadline that an outage touched has moved to a little after it: look from its opening on.
    outages = Outage.objects.filter(
        created_at__gte=instant, starts_at__lte=OuterRef("due_at"), ends_at__gt=OuterRef("opens_at")
    )
    return own | Q(pk__in=told) | Exists(paused) | Exists(outages)


_OBLIGATION = {
    "id": 1024,
    "organization": 12,
    "organization_name": "太原演示职业学校",
    "kind": "weekly_report",
    "key": "2020-W47",
    "title": "2020年第47周周报",
    "period": 47,
    "opens_at": "2020-11-16T00:00:00+08:00",
    "due_at": "2020-11-20T18:00:00+08:00",
    "closes_at": "2020-11-23T18:00:00+08:00",
    "outcome": "pending",
    "state": "pending",
    "received_at": None,
    "filled_at": None,
    "source": "portal",
    "exempt_reason": "",
    "excused_at": None,
    "excuse_reason": "",
}


@extend_schema_view(
    list=extend_schema(
        summary="报送任务清单",
        description="谁在何时之前应报什么、结果如何。增量同步用 updated_since。",
        examples=[sample(_OBLIGATION)],
    ),
    retrieve=extend_schema(summary="一项报送任务", examples=[sample(_OBLIGATION)]),
)
class ObligationViewSet(VisibleViewSet):
    queryset = Obligation.objects.select_related("organization")
    serializer_class = ObligationSerializer
    filterset_class = ObligationFilter
    scope = Scope.READ_OBLIGATIONS
