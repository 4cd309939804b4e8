"""Rounds, applications, programmes and annual plans within the token's reach."""

from typing import Any

import django_filters
from django.db.models import Prefetch
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import VisibleViewSet
from accounts.models import Scope
from certificates.models import CertificateLevel
from core import clock
from core.api_schema import sample
from core.api_workflow import StepSerializer, steps
from schools import eligibility
from schools.models import (
    AnnualPlan,
    Application,
    ApplicationItem,
    ApplicationRound,
    ItemMajor,
    Programme,
    RoundRoute,
    School,
)
from schools.services.rounds import standing_closings
from schools.workflow import review


class RouteSerializer(serializers.ModelSerializer):
    class Meta:
        model = RoundRoute
        fields = ["kind", "authority", "through_city"]


class ClosingsSerializer(serializers.Serializer):
    school = serializers.DateTimeField()
    city = serializers.DateTimeField()
    province = serializers.DateTimeField()


class RoundSerializer(serializers.ModelSerializer):
    kinds = serializers.ListField(child=serializers.ChoiceField(choices=School.Kind.choices))
    closed_batches = serializers.ListField(child=serializers.CharField())
    closings = serializers.SerializerMethodField(help_text="现行的各环节截止，含对全部院校的延期")
    routes = RouteSerializer(many=True, read_only=True)

    class Meta:
        model = ApplicationRound
        fields = [
            "id",
            "year",
            "number",
            "document",
            "opens_at",
            "school_closes_at",
            "city_closes_at",
            "province_closes_at",
            "closings",
            "catalogue",
            "kinds",
            "minimum_candidates",
            "allows_carry_over",
            "closed_batches",
            "routes",
        ]

    @extend_schema_field(ClosingsSerializer)
    def get_closings(self, round: ApplicationRound) -> Any:
        return ClosingsSerializer(standing_closings(round, None)._asdict()).data


class RoundFilter(django_filters.FilterSet):
    year = django_filters.NumberFilter(label="年度", min_value=2000, max_value=2100)

    class Meta:
        model = ApplicationRound
        fields: list[str] = []


_CLOSINGS = {
    "school": "2021-05-25T00:00:00+08:00",
    "city": "2021-05-28T00:00:00+08:00",
    "province": "2021-06-01T00:00:00+08:00",
}
_ROUND = {
    "id": 3,
    "year": 2021,
    "number": 1,
    "document": "",
    "opens_at": "2021-05-14T00:00:00+08:00",
    "school_closes_at": "2021-05-25T00:00:00+08:00",
    "city_closes_at": "2021-05-28T00:00:00+08:00",
    "province_closes_at": "2021-06-01T00:00:00+08:00",
    "closings": _CLOSINGS,
    "catalogue": "",
    "kinds": ["higher_vocational", "secondary_vocational"],
    "minimum_candidates": None,
    "allows_carry_over": True,
    "closed_batches": ["1", "2"],
    "routes": [{"kind": "secondary_vocational", "authority": "city", "through_city": True}],
}


@extend_schema_view(
    list=extend_schema(
        summary="申报批次清单",
        description="*_closes_at 为原定时刻；closings 为现行的，含对全部院校的延期；个别院校的延期见各校申报的 closings。"
        "早于截止时刻收到的为按期。",
        examples=[sample(_ROUND)],
    ),
    retrieve=extend_schema(summary="一个申报批次", examples=[sample(_ROUND)]),
)
class RoundViewSet(VisibleViewSet):
    queryset = ApplicationRound.objects.prefetch_related("routes", "extensions")
    serializer_class = RoundSerializer
    filterset_class = RoundFilter
    scope = Scope.READ_APPLICATIONS


class MajorSerializer(serializers.ModelSerializer):
    class Meta:
        model = ItemMajor
        fields = ["code", "name", "catalogue"]


class ItemSerializer(serializers.ModelSerializer):
    """What was submitted; a draft shows its school only that it is there."""

    certificate_name = serializers.CharField(source="certificate_level.certificate.name", read_only=True)
    level = serializers.ChoiceField(
        source="certificate_level.level", choices=CertificateLevel.Level.choices, read_only=True
    )
    planned = serializers.IntegerField(source="planned_total", read_only=True)
    majors = MajorSerializer(many=True, read_only=True)

    class Meta:
        model = ApplicationItem
        fields = [
            "id",
            "certificate_level",
            "certificate_name",
            "level",
            "is_renewal",
            "state",
            "planned_new",
            "carried_over",
            "planned",
            "trainers",
            "majors",
            "agreement",
            "review_comment",
            "decided_at",
        ]


class ApplicationSerializer(serializers.ModelSerializer):
    organization = serializers.IntegerField(source="school_id", read_only=True)
    organization_name = serializers.CharField(source="school.organization.name", read_only=True)
    receipt = serializers.CharField(source="current.receipt", default=None, allow_null=True, read_only=True)
    received_at = serializers.DateTimeField(
        source="current.received_at", default=None, allow_null=True, read_only=True
    )
    closings = serializers.SerializerMethodField(help_text="该校各环节的截止，含延期")
    items = ItemSerializer(many=True, read_only=True)

    class Meta:
        model = Application
        fields = [
            "id",
            "round",
            "organization",
            "organization_name",
            "reviewer",
            "receipt",
            "received_at",
            "closings",
            "items",
        ]

    @extend_schema_field(ClosingsSerializer)
    def get_closings(self, application: Application) -> Any:
        closings = application.round.closings_of(application.school_id)
        return ClosingsSerializer(closings._asdict()).data


class ApplicationFilter(django_filters.FilterSet):
    round = django_filters.ModelChoiceFilter(label="批次编号", queryset=ApplicationRound.objects.all())
    state = django_filters.ChoiceFilter(
        label="含有此状态项目的",
        field_name="items__state",
        choices=ApplicationItem.State.choices,
        distinct=True,
    )

    class Meta:
        model = Application
        fields: list[str] = []


_ITEM = {
    "id": 81,
    "certificate_level": 4,
    "certificate_name": "演示运维职业技能等级证书",
    "level": 2,
    "is_renewal": False,
    "state": "first_reviewed",
    "planned_new": 60,
    "carried_over": 0,
    "planned": 60,
    "trainers": 2,
    "majors": [{"code": "610202", "name": "计算机网络技术", "catalogue": ""}],
    "agreement": 15,
    "review_comment": "",
    "decided_at": None,
}
_APPLICATION = {
    "id": 21,
    "round": 3,
    "organization": 12,
    "organization_name": "太原演示职业学校",
    "reviewer": 2,
    "receipt": "SB20210520-7F3K9Q",
    "received_at": "2021-05-20T15:12:09+08:00",
    "closings": _CLOSINGS,
    "items": [_ITEM],
}


class ItemStepsSerializer(serializers.Serializer):
    item = serializers.IntegerField(help_text="申报项目编号")
    steps = StepSerializer(many=True)


_STEPS = [
    {
        "item": 81,
        "steps": [
            {
                "action": "item_approve",
                "label": "批准",
                "open": False,
                "reasons": ["由省推进办审核（晋教职成〔2020〕9号 三.1：省教育厅确定试点院校和试点证书）。"],
            }
        ],
    }
]


@extend_schema_view(
    list=extend_schema(
        summary="试点申报清单",
        description="每校每批次一份，含本人可见的各证书等级项目及其状态。未提交的草稿只列给本校，不含内容。",
        examples=[sample(_APPLICATION)],
    ),
    retrieve=extend_schema(summary="一份试点申报", examples=[sample(_APPLICATION)]),
)
class ApplicationViewSet(VisibleViewSet):
    queryset = Application.objects.select_related(
        "school__organization", "current", "round"
    ).prefetch_related("round__extensions")
    serializer_class = ApplicationSerializer
    filterset_class = ApplicationFilter
    scope = Scope.READ_APPLICATIONS

    def get_queryset(self) -> Any:
        items = ApplicationItem.objects.visible_to(self.request.user)
        items = items.select_related("certificate_level__certificate").prefetch_related("majors")
        return super().get_queryset().prefetch_related(Prefetch("items", items))

    @extend_schema(
        summary="申报中每个项目的每一步现在能否办理",
        description="与页面同一张流程表：能办的，以及不能办的原因。办理只在页面上。",
        responses=ItemStepsSerializer(many=True),
        examples=[sample(_STEPS)],
    )
    @action(detail=True, filterset_class=None, pagination_class=None)
    def steps(self, request: Request, pk: int) -> Response:
        items, at = sorted(self.get_object().items.all(), key=lambda item: item.pk), clock.now()
        eligibility.load(items, at)
        told = [{"item": item.pk, "steps": steps(review, item, user=request.user, at=at)} for item in items]
        return Response(ItemStepsSerializer(told, many=True).data)


class PlanSerializer(serializers.ModelSerializer):
    organization = serializers.IntegerField(source="programme.school_id", read_only=True)
    item = serializers.IntegerField(source="source_id", allow_null=True, read_only=True)

    class Meta:
        model = AnnualPlan
        fields = ["id", "programme", "organization", "year", "candidates", "carried_over", "item"]


class PlanFilter(django_filters.FilterSet):
    year = django_filters.NumberFilter(label="年度", min_value=2000, max_value=2100)
    programme = django_filters.NumberFilter(label="试点项目编号", min_value=1, max_value=2**53)

    class Meta:
        model = AnnualPlan
        fields: list[str] = []


_PLAN = {
    "id": 9,
    "programme": 7,
    "organization": 12,
    "year": 2021,
    "candidates": 60,
    "carried_over": 0,
    "item": 81,
}


@extend_schema_view(
    list=extend_schema(
        summary="年度计划清单",
        description="candidates 为拟考证总人数，含 carried_over（沿用上年）；item 为批准它的申报项目。",
        examples=[sample(_PLAN)],
    ),
    retrieve=extend_schema(summary="一个年度计划", examples=[sample(_PLAN)]),
)
class PlanViewSet(VisibleViewSet):
    queryset = AnnualPlan.objects.select_related("programme")
    serializer_class = PlanSerializer
    filterset_class = PlanFilter
    scope = Scope.READ_PROGRAMMES


class ProgrammeSerializer(serializers.ModelSerializer):
    organization = serializers.IntegerField(source="school_id", read_only=True)
    organization_name = serializers.CharField(source="school.organization.name", read_only=True)
    certificate_name = serializers.CharField(source="certificate_level.certificate.name", read_only=True)
    level = serializers.ChoiceField(
        source="certificate_level.level", choices=CertificateLevel.Level.choices, read_only=True
    )
    item = serializers.IntegerField(source="origin_id", allow_null=True, read_only=True)

    class Meta:
        model = Programme
        fields = [
            "id",
            "organization",
            "organization_name",
            "certificate_level",
            "certificate_name",
            "level",
            "started_at",
            "ended_at",
            "item",
            "courses",
        ]


class ProgrammeFilter(django_filters.FilterSet):
    organization = django_filters.NumberFilter(
        label="机构编号", field_name="school", min_value=1, max_value=2**53
    )
    certificate_level = django_filters.NumberFilter(label="证书等级编号", min_value=1, max_value=2**53)

    class Meta:
        model = Programme
        fields: list[str] = []


_PROGRAMME = {
    "id": 7,
    "organization": 12,
    "organization_name": "太原演示职业学校",
    "certificate_level": 4,
    "certificate_name": "演示运维职业技能等级证书",
    "level": 2,
    "started_at": "2021-05-29T09:30:00+08:00",
    "ended_at": None,
    "item": 81,
    "courses": "",
}


@extend_schema_view(
    list=extend_schema(
        summary="试点项目清单",
        description="一校一证一级为一个项目；item 为批准它的申报项目，空的为首批名册登记。",
        examples=[sample(_PROGRAMME)],
    ),
    retrieve=extend_schema(summary="一个试点项目", examples=[sample(_PROGRAMME)]),
)
class ProgrammeViewSet(VisibleViewSet):
    queryset = Programme.objects.select_related("school__organization", "certificate_level__certificate")
    serializer_class = ProgrammeSerializer
    filterset_class = ProgrammeFilter
    scope = Scope.READ_PROGRAMMES
