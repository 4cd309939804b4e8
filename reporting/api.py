"""Weekly reports: read with their versions, filed by a school's program; monthly reports and half-year
summaries: read; rates as the pages show them."""

import re
from typing import Any

import django_filters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import exceptions
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.api import VisibleViewSet
from accounts.models import Organization, Scope
from core import clock, drafts
from core.api_schema import sample
from core.problems import Conflict
from obligations.api import organization_filter, since_filter
from obligations.models import Obligation, ObligationKind, Period
from obligations.rates import rates, total
from reporting import api_samples as samples
from reporting import filing_keys, permissions
from reporting.api_forms import (
    SUMMARY_KINDS,
    DetailSerializer,
    RatesSerializer,
    ReceiptSerializer,
    ReportSerializer,
    SheetSerializer,
    SubmissionSerializer,
    SummaryDetailSerializer,
    SummarySerializer,
    checked_content,
    typed_of,
)
from reporting.matrix import UNSUPERVISED
from reporting.models import ReportVersion, Summary, WeeklyReport
from reporting.sheet import filing, sheet_for

KEY = re.compile(r"[A-Za-z0-9._:-]{8,64}")


class ReportFilter(django_filters.FilterSet):
    organization = organization_filter(field_name="obligation__organization")
    period = django_filters.ModelChoiceFilter(
        label="周期编号", field_name="obligation__period", queryset=Period.objects.all()
    )
    updated_since = since_filter(
        label="现行版本在此刻及以后收到的", field_name="current__received_at", lookup_expr="gte"
    )

    class Meta:
        model = WeeklyReport
        fields: list[str] = []


class FiledViewSet(VisibleViewSet):
    """What was filed, with its versions; addressed by the obligation that it fulfils. A draft is no report."""

    detail_class: Any
    lookup_url_kwarg = "obligation"
    scope = Scope.READ_REPORTS

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        return rows.prefetch_related("versions__submitted_by") if self.action == "retrieve" else rows

    def get_serializer_class(self) -> Any:
        return self.detail_class if self.action == "retrieve" else super().get_serializer_class()


@extend_schema_view(
    list=extend_schema(
        summary="周报清单",
        description="已收到的周报，各以现行版本的回执、时间列出。草稿不在其中。",
        examples=[sample(samples.REPORT)],
    ),
    retrieve=extend_schema(
        summary="一份周报及其全部版本",
        responses=DetailSerializer,
        examples=[sample(samples.DETAIL)],
    ),
)
class ReportViewSet(FiledViewSet):
    queryset = WeeklyReport.objects.filter(
        current__isnull=False, obligation__kind=ObligationKind.WEEKLY_REPORT
    ).select_related("current", "obligation__organization")
    serializer_class = ReportSerializer
    detail_class = DetailSerializer
    filterset_class = ReportFilter
    scopes = {"submissions": Scope.WRITE_REPORTS}

    def _weekly(self) -> Obligation:
        weeks = Obligation.objects.visible_to(self.request.user).weekly()
        return get_object_or_404(weeks.select_related("organization", "period"), pk=self.kwargs["obligation"])

    @extend_schema(
        summary="填报表：要填的试点项目与上次数据",
        responses=SheetSerializer,
        examples=[sample(samples.SHEET)],
    )
    @action(detail=True, filterset_class=None, pagination_class=None)
    def sheet(self, request: Request, obligation: int) -> Response:
        row = self._weekly()
        sheet = sheet_for(row)
        programmes = [
            {"programme": int(pk), "name": name, "before": sheet.before.get(pk)}
            for pk, name in sheet.names.items()
        ]
        state = filing(row, clock.now())
        answer = {"obligation": row.pk, "filing": state, "locked": state.locked, "programmes": programmes}
        return Response(SheetSerializer(answer).data)

    @extend_schema(
        summary="提交周报",
        description=samples.FILING,
        parameters=[
            OpenApiParameter(
                "Idempotency-Key",
                {"type": "string", "pattern": f"^{KEY.pattern}$"},
                OpenApiParameter.HEADER,
                required=True,
                description="由调用方生成，每份周报内不重复，8–64 位字母、数字或 . _ : -。超时重试须用同一个。",
            )
        ],
        request=SubmissionSerializer,
        responses={201: ReceiptSerializer, 200: ReceiptSerializer},
        examples=[
            sample(samples.SUBMISSION, "有新进展", request=True),
            sample({"is_zero": True}, "无新进展", request=True),
            sample(samples.RECEIPT, "回执", status_codes=["201", "200"]),
        ],
    )
    @action(detail=True, methods=["post"], filterset_class=None, pagination_class=None)
    def submissions(self, request: Request, obligation: int) -> Response:
        at = clock.now()
        row = self._weekly()
        if not permissions.may_fill(request.user, row):
            raise PermissionDenied("周报由本校联系人或其代理人填报。")
        key = _key(request)
        sent = SubmissionSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        version, is_new = _file(row, sent.validated_data, key, by=request.user, at=at)
        row.refresh_from_db()
        receipt = ReceiptSerializer(version, context={"obligation": row})
        return Response(receipt.data, status=201 if is_new else 200)


def _key(request: Request) -> str:
    key = request.headers.get("Idempotency-Key", "")
    if not KEY.fullmatch(key):
        raise exceptions.ValidationError(
            {"Idempotency-Key": "请在请求头 Idempotency-Key 中给出 8–64 位字母、数字或 . _ : -，重试时不变。"}
        )
    return key


def _file(row: Obligation, sent: dict[str, Any], key: str, *, by: Any, at: Any) -> tuple[ReportVersion, bool]:
    """What came under this key before is answered before the figures are checked anew: last week's may have
    been corrected meanwhile."""
    fingerprint = drafts.content_hash(typed_of(sent))
    try:
        if before := filing_keys.filed_under(row, key=key, fingerprint=fingerprint):
            return before, False
        content = checked_content(sheet_for(row), sent)
        return filing_keys.submit_with_key(
            obligation=row, content=content, key=key, fingerprint=fingerprint, by=by, at=at
        )
    except filing_keys.KeyReused:
        raise Conflict(
            "这个 Idempotency-Key 已用于另一内容。要更正已提交的周报，请换一个新的。", "key_reused"
        ) from None


class SummaryFilter(ReportFilter):
    kind = django_filters.ChoiceFilter(label="种类", field_name="obligation__kind", choices=SUMMARY_KINDS)

    class Meta(ReportFilter.Meta):
        model = Summary


@extend_schema_view(
    list=extend_schema(
        summary="月报和半年总结清单",
        description="已收到的评价组织月报、评价组织和院校半年总结，各以现行版本的回执、时间列出。草稿不在其中。"
        "填报在页面上办理，接口只读。",
        examples=[sample(samples.SUMMARY)],
    ),
    retrieve=extend_schema(
        summary="一份月报或半年总结及其全部版本",
        responses=SummaryDetailSerializer,
        examples=[sample(samples.SUMMARY_DETAIL)],
    ),
)
class SummaryViewSet(FiledViewSet):
    queryset = Summary.objects.filter(current__isnull=False).select_related(
        "current", "obligation__organization"
    )
    serializer_class = SummarySerializer
    detail_class = SummaryDetailSerializer
    filterset_class = SummaryFilter


@extend_schema_view(
    retrieve=extend_schema(
        summary="一个周期的填报率，按主管部门",
        description="与页面、通报同一算法：owed = on_time + late + missed + pending；各主管部门相加等于合计，"
        "没有主管部门的评价组织合为一项（authority 为 null）。百分数只舍不入，无应报时为 null。",
        responses=RatesSerializer,
        examples=[sample(samples.RATES)],
    )
)
class RatesViewSet(GenericViewSet):
    """Addressed by the period."""

    queryset = Period.objects.all()
    serializer_class = RatesSerializer
    lookup_value_converter = "id"
    scope = Scope.READ_OBLIGATIONS
    scopes: dict[str, Scope] = {}
    filter_backends: list[Any] = []

    def retrieve(self, request: Request, pk: int) -> Response:
        if not permissions.may_see_reporting(request.user):
            raise PermissionDenied(
                "填报率由推进办、领导组、审计督导和市教育局查看。本单位的各项结果见 obligations。"
            )
        period = get_object_or_404(Period, pk=pk)
        owed = Obligation.objects.visible_to(request.user).filter(period=period)
        by_authority = rates(owed, "organization__supervisor")
        names: QuerySet[Organization] = Organization.objects.filter(pk__in=by_authority).order_by(
            "kind", "code"
        )
        rows = [{"authority": o.pk, "name": o.name, "rate": by_authority[o.pk]} for o in names]
        if None in by_authority:
            rows.append({"authority": None, "name": UNSUPERVISED, "rate": by_authority[None]})
        answer = {"period": period, "total": total(by_authority.values()), "authorities": rows}
        return Response(RatesSerializer(answer).data)
