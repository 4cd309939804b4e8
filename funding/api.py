"""Cost caps and fee standards within the token's reach; amounts are yuan per candidate, as text."""

import django_filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from accounts.api import VisibleViewSet
from accounts.models import Scope
from certificates.models import CertificateLevel
from core.api_schema import sample
from funding.models import FeeCap, FeeStandard


class CapSerializer(serializers.ModelSerializer):
    class Meta:
        model = FeeCap
        fields = ["id", "exam_form", "certificate_level", "amount", "effective_from", "document"]


_CAP = {
    "id": 1,
    "exam_form": "computer",
    "certificate_level": None,
    "amount": "300.00",
    "effective_from": "2021-01-01",
    "document": "演示文号〔2021〕1号",
}


@extend_schema_view(
    list=extend_schema(
        summary="考核成本上限清单",
        description="按考核形式，certificate_level 不为空的只适用该证书等级并优先。自生效日期起适用，直至后一条。",
        examples=[sample(_CAP)],
    ),
    retrieve=extend_schema(summary="一条考核成本上限", examples=[sample(_CAP)]),
)
class CapViewSet(VisibleViewSet):
    queryset = FeeCap.objects.all()
    serializer_class = CapSerializer
    scope = Scope.READ_FEES


class StandardSerializer(serializers.ModelSerializer):
    certificate_name = serializers.CharField(source="certificate_level.certificate.name", read_only=True)
    level = serializers.ChoiceField(
        source="certificate_level.level", choices=CertificateLevel.Level.choices, read_only=True
    )

    class Meta:
        model = FeeStandard
        fields = [
            "id",
            "certificate_level",
            "certificate_name",
            "level",
            "exam_form",
            "evaluator",
            "organization",
            "amount",
            "effective_from",
            "cap",
            "document",
            "state",
            "filed_at",
        ]


class StandardFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(label="状态", choices=FeeStandard.State.choices)
    certificate_level = django_filters.NumberFilter(label="证书等级编号", min_value=1, max_value=2**53)

    class Meta:
        model = FeeStandard
        fields: list[str] = []


_STANDARD = {
    "id": 5,
    "certificate_level": 4,
    "certificate_name": "演示运维职业技能等级证书",
    "level": 2,
    "exam_form": "computer",
    "evaluator": 30,
    "organization": None,
    "amount": "280.00",
    "effective_from": "2021-03-01",
    "cap": 1,
    "document": "演示备案〔2021〕1号",
    "state": "filed",
    "filed_at": "2021-02-20T10:00:00+08:00",
}


@extend_schema_view(
    list=extend_schema(
        summary="考核费用标准清单",
        description="organization 为空的适用全部院校；cap 为空的是当时未设上限。历史保留。",
        examples=[sample(_STANDARD)],
    ),
    retrieve=extend_schema(summary="一个考核费用标准", examples=[sample(_STANDARD)]),
)
class StandardViewSet(VisibleViewSet):
    queryset = FeeStandard.objects.select_related("certificate_level__certificate")
    serializer_class = StandardSerializer
    filterset_class = StandardFilter
    scope = Scope.READ_FEES
