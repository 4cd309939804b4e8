"""Cases: those who watch over reporting see theirs, a school its own."""

import django_filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from accounts.api import VisibleViewSet
from accounts.models import Scope
from core.api_schema import sample
from obligations.api import organization_filter
from supervision.models import Case, CaseEvidence


class EvidenceSerializer(serializers.ModelSerializer):
    frozen = serializers.DictField(help_text="加入证据时的记录，此后不变")

    class Meta:
        model = CaseEvidence
        fields = ["obligation", "frozen", "added_at"]


class CaseSerializer(serializers.ModelSerializer):
    organization_name = serializers.CharField(source="organization.name", read_only=True)
    ground = serializers.CharField(read_only=True)
    ground_label = serializers.CharField(source="get_ground_display", read_only=True)
    state = serializers.CharField(read_only=True)
    state_label = serializers.CharField(source="get_state_display", read_only=True)
    evidence = EvidenceSerializer(many=True, read_only=True)

    class Meta:
        model = Case
        fields = [
            "id",
            "organization",
            "organization_name",
            "ground",
            "ground_label",
            "state",
            "state_label",
            "flagged_at",
            "evidence",
        ]


class CaseFilter(django_filters.FilterSet):
    organization = organization_filter()

    class Meta:
        model = Case
        fields: list[str] = []


_SAMPLE = {
    "id": 3,
    "organization": 12,
    "organization_name": "太原演示职业学校",
    "ground": "not_reporting",
    "ground_label": "推进试点工作不力、进展缓慢，连续三周不填报周报的",
    "state": "flagged",
    "state_label": "已触发",
    "flagged_at": "2020-11-23T18:01:00+08:00",
    "evidence": [
        {"obligation": 1024, "frozen": {"period": "2020-W47"}, "added_at": "2020-11-23T18:01:00+08:00"}
    ],
}


@extend_schema_view(
    list=extend_schema(
        summary="案件清单",
        description="教职成厅函〔2019〕19号 五(四) 所列情形。院校只见本校。",
        examples=[sample(_SAMPLE)],
    ),
    retrieve=extend_schema(summary="一个案件", examples=[sample(_SAMPLE)]),
)
class CaseViewSet(VisibleViewSet):
    queryset = Case.objects.select_related("organization").prefetch_related("evidence")
    serializer_class = CaseSerializer
    filterset_class = CaseFilter
    scope = Scope.READ_CASES
