"""Cases: those who watch over reporting see theirs, a school its own."""

import django_filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import VisibleViewSet
from accounts.models import Scope
from core import clock
from core.api_schema import sample
from core.api_workflow import StepSerializer, steps
from obligations.api import organization_filter
from supervision.models import Case, CaseDecision, CaseDocument, CaseEvidence
from supervision.workflow import procedure


class EvidenceSerializer(serializers.ModelSerializer):
    frozen = serializers.DictField(help_text="加入证据时的记录，此后不变")

    class Meta:
        model = CaseEvidence
        fields = ["obligation", "frozen", "added_at"]


class DecisionSerializer(serializers.ModelSerializer):
    kind_label = serializers.CharField(source="get_kind_display", read_only=True)

    class Meta:
        model = CaseDecision
        fields = ["number", "kind", "kind_label", "reasons", "decided_at"]


class DocumentSerializer(serializers.ModelSerializer):
    kind_label = serializers.CharField(source="get_kind_display", read_only=True)

    class Meta:
        model = CaseDocument
        fields = ["kind", "kind_label", "number", "title", "issued_at"]


def _due(term: str) -> serializers.DateTimeField:
    return serializers.DateTimeField(source=f"{term}.due_at", default=None, allow_null=True, read_only=True)


class CaseSerializer(serializers.ModelSerializer):
    organization_name = serializers.CharField(source="organization.name", read_only=True)
    ground_label = serializers.CharField(source="get_ground_display", read_only=True)
    state_label = serializers.CharField(source="get_state_display", read_only=True)
    clause = serializers.CharField(source="CLAUSE", read_only=True)
    answer_due_at = _due("answer_term")
    rectification_due_at = _due("rectification_term")
    evidence = EvidenceSerializer(many=True, read_only=True)
    decisions = DecisionSerializer(many=True, read_only=True, help_text="最后一项为现行决定")
    documents = DocumentSerializer(many=True, read_only=True)

    class Meta:
        model = Case
        fields = [
            "id",
            "organization",
            "organization_name",
            "ground",
            "ground_label",
            "clause",
            "state",
            "state_label",
            "flagged_at",
            "notified_at",
            "answer_due_at",
            "rectification_due_at",
            "evidence",
            "decisions",
            "documents",
        ]


class CaseFilter(django_filters.FilterSet):
    organization = organization_filter()
    ground = django_filters.ChoiceFilter(label="情形", choices=Case.Ground.choices)
    state = django_filters.ChoiceFilter(label="状态", choices=Case.State.choices)

    class Meta:
        model = Case
        fields: list[str] = []


_SAMPLE = {
    "id": 3,
    "organization": 12,
    "organization_name": "太原演示职业学校",
    "ground": "not_reporting",
    "ground_label": "推进试点工作不力、进展缓慢，连续三周不填报周报的",
    "clause": "教职成厅函〔2019〕19号 五(四)",
    "state": "rectifying",
    "state_label": "限期整改",
    "flagged_at": "2020-11-23T18:01:00+08:00",
    "notified_at": "2020-11-25T09:30:00+08:00",
    "answer_due_at": "2020-12-02T18:00:00+08:00",
    "rectification_due_at": "2020-12-18T18:00:00+08:00",
    "evidence": [
        {"obligation": 1024, "frozen": {"period": "2020年第47周"}, "added_at": "2020-11-23T18:01:00+08:00"}
    ],
    "decisions": [
        {
            "number": 1,
            "kind": "rectify",
            "kind_label": "责令限期整改",
            "reasons": "三周未报属实，事后已补报。",
            "decided_at": "2020-12-04T15:00:00+08:00",
        }
    ],
    "documents": [
        {
            "kind": "notice",
            "kind_label": "告知书",
            "number": "2020年第1号",
            "title": "拟取消试点资格告知书",
            "issued_at": "2020-11-25T09:30:00+08:00",
        }
    ],
}


_STEPS = [
    {
        "action": "case_revoke",
        "label": "决定取消试点资格",
        "open": False,
        "reasons": ["提出人不能同时作出决定，请由推进办另一位同志决定。"],
    }
]


@extend_schema_view(
    list=extend_schema(
        summary="案件清单",
        description="教职成厅函〔2019〕19号 五(四) 所列情形。院校只见本校。案件在页面上办理，接口只读。",
        examples=[sample(_SAMPLE)],
    ),
    retrieve=extend_schema(summary="一个案件", examples=[sample(_SAMPLE)]),
)
class CaseViewSet(VisibleViewSet):
    queryset = Case.objects.select_related(
        "organization", "answer_term", "rectification_term"
    ).prefetch_related("evidence", "decisions", "documents")
    serializer_class = CaseSerializer
    filterset_class = CaseFilter
    scope = Scope.READ_CASES

    @extend_schema(
        summary="案件的每一步现在能否办理",
        description="与页面同一张流程表：能办的，以及不能办的原因。办理只在页面上。",
        responses=StepSerializer(many=True),
        examples=[sample(_STEPS)],
    )
    @action(detail=True, filterset_class=None, pagination_class=None)
    def steps(self, request: Request, pk: int) -> Response:
        told = steps(procedure, self.get_object(), user=request.user, at=clock.now())
        return Response(StepSerializer(told, many=True).data)

    def http_method_not_allowed(self, request: Request, *args: object, **kwargs: object) -> Response:
        raise MethodNotAllowed(
            str(request.method),
            "案件的每一步由经办人在页面上办理，接口只读；现在能办什么、为什么还不能办，见该案件的 steps/。",
        )
