"""Filings, activities and exam sites within the token's reach. No personal data: names of persons, phones and
ID numbers are read on the pages only."""

import django_filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from accounts.api import VisibleViewSet
from accounts.models import Scope
from certificates.models import Certificate
from core.api_schema import sample
from evaluators.models import Activity, EvaluatorFiling, ExamSite


def certificate_filter() -> django_filters.ModelChoiceFilter:
    return django_filters.ModelChoiceFilter(label="证书编号", queryset=Certificate.objects.all())


class EvaluatorFilingSerializer(serializers.ModelSerializer):
    certificate_name = serializers.CharField(source="certificate.name", read_only=True)
    evaluator = serializers.IntegerField(source="certificate.owner_id", read_only=True)
    evaluator_name = serializers.CharField(source="certificate.owner.name", read_only=True)
    receipt = serializers.CharField(source="current.receipt", default=None, allow_null=True, read_only=True)
    received_at = serializers.DateTimeField(
        source="current.received_at", default=None, allow_null=True, read_only=True
    )
    accepted_receipt = serializers.CharField(
        source="accepted.receipt", default=None, allow_null=True, read_only=True
    )

    class Meta:
        model = EvaluatorFiling
        fields = [
            "certificate",
            "certificate_name",
            "evaluator",
            "evaluator_name",
            "state",
            "receipt",
            "received_at",
            "accepted_receipt",
            "reviewed_at",
        ]


class EvaluatorFilingFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(label="状态", choices=EvaluatorFiling.State.choices)

    class Meta:
        model = EvaluatorFiling
        fields: list[str] = []


_FILING = {
    "certificate": 4,
    "certificate_name": "演示运维职业技能等级证书",
    "evaluator": 30,
    "evaluator_name": "演示评价组织",
    "state": "accepted",
    "receipt": "PJ20201102-7F3K9Q",
    "received_at": "2020-11-02T09:30:00+08:00",
    "accepted_receipt": "PJ20201102-7F3K9Q",
    "reviewed_at": "2020-11-04T15:00:00+08:00",
}


@extend_schema_view(
    list=extend_schema(
        summary="评价组织备案清单",
        description="每个证书一份。accepted_receipt 为已备案的版本，负责人变更审核期间仍然有效。不含个人信息。",
        examples=[sample(_FILING)],
    ),
    retrieve=extend_schema(
        summary="一个证书的备案", description="编号为证书编号。", examples=[sample(_FILING)]
    ),
)
class EvaluatorFilingViewSet(VisibleViewSet):
    queryset = EvaluatorFiling.objects.select_related("certificate__owner", "current", "accepted").defer(
        "draft", "current__content", "accepted__content"
    )
    serializer_class = EvaluatorFilingSerializer
    filterset_class = EvaluatorFilingFilter
    scope = Scope.READ_EVALUATORS


class ActivitySerializer(serializers.ModelSerializer):
    certificate_name = serializers.CharField(source="certificate.name", read_only=True)
    was_filed_late = serializers.BooleanField(read_only=True, help_text="开始后才备案")

    class Meta:
        model = Activity
        fields = [
            "id",
            "evaluator",
            "certificate",
            "certificate_name",
            "kind",
            "title",
            "is_online",
            "place",
            "city",
            "starts_at",
            "ends_at",
            "places",
            "fee",
            "fee_basis",
            "fee_reason",
            "state",
            "filed_at",
            "was_filed_late",
        ]


class ActivityFilter(django_filters.FilterSet):
    certificate = certificate_filter()
    kind = django_filters.ChoiceFilter(label="类别", choices=Activity.Kind.choices)
    state = django_filters.ChoiceFilter(label="状态", choices=Activity.State.choices)

    class Meta:
        model = Activity
        fields: list[str] = []


_ACTIVITY = {
    "id": 11,
    "evaluator": 30,
    "certificate": 4,
    "certificate_name": "演示运维职业技能等级证书",
    "kind": "training",
    "title": "师资培训（第一期）",
    "is_online": False,
    "place": "太原演示职业学校",
    "city": "140100",
    "starts_at": "2020-12-01T09:00:00+08:00",
    "ends_at": "2020-12-03T17:00:00+08:00",
    "places": 60,
    "fee": "0.00",
    "fee_basis": "",
    "fee_reason": "",
    "state": "filed",
    "filed_at": "2020-11-10T10:00:00+08:00",
    "was_filed_late": False,
}


@extend_schema_view(
    list=extend_schema(
        summary="活动备案清单",
        description="评价组织看自己的，院校和市教育局看与本单位有关的，省级看全省。",
        examples=[sample(_ACTIVITY)],
    ),
    retrieve=extend_schema(summary="一项活动", examples=[sample(_ACTIVITY)]),
)
class ActivityViewSet(VisibleViewSet):
    queryset = Activity.objects.select_related("certificate")
    serializer_class = ActivitySerializer
    filterset_class = ActivityFilter
    scope = Scope.READ_EVALUATORS


class SiteSerializer(serializers.ModelSerializer):
    organization = serializers.IntegerField(source="school_id", read_only=True)
    organization_name = serializers.CharField(source="school.organization.name", read_only=True)
    certificate_name = serializers.CharField(source="certificate.name", read_only=True)

    class Meta:
        model = ExamSite
        fields = [
            "id",
            "certificate",
            "certificate_name",
            "organization",
            "organization_name",
            "name",
            "city",
            "county",
            "address",
            "places",
            "state",
            "applied_at",
            "filed_at",
            "ended_at",
        ]


class SiteFilter(django_filters.FilterSet):
    certificate = certificate_filter()
    state = django_filters.ChoiceFilter(label="状态", choices=ExamSite.State.choices)

    class Meta:
        model = ExamSite
        fields: list[str] = []


_SITE = {
    "id": 6,
    "certificate": 4,
    "certificate_name": "演示运维职业技能等级证书",
    "organization": 12,
    "organization_name": "太原演示职业学校",
    "name": "太原演示职业学校考核站点",
    "city": "140100",
    "county": None,
    "address": "演示路1号",
    "places": 40,
    "state": "filed",
    "applied_at": "2020-10-12T10:00:00+08:00",
    "filed_at": "2020-10-26T10:00:00+08:00",
    "ended_at": None,
}


@extend_schema_view(
    list=extend_schema(
        summary="考核站点清单",
        description="已备案、已撤销的对各方公开；申报中的只有本校、主管部门、评价组织和省级可见。"
        "state 为 ended、filed_at 为空的没有备案过：学校已撤回，或退出试点后不再办理。",
        examples=[sample(_SITE)],
    ),
    retrieve=extend_schema(summary="一个考核站点", examples=[sample(_SITE)]),
)
class SiteViewSet(VisibleViewSet):
    queryset = ExamSite.objects.select_related("school__organization", "certificate")
    serializer_class = SiteSerializer
    filterset_class = SiteFilter
    scope = Scope.READ_EVALUATORS
