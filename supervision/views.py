"""Cases: the list, and one case with its frozen evidence."""

import datetime as dt
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from core.lists import ListPage
from supervision.filters import CaseFilter
from supervision.models import Case, CaseEvidence
from supervision.permissions import may_see_cases
from supervision.tables import CaseTable


class CaseList(ListPage):
    model = Case
    table_class = CaseTable
    filterset_class = CaseFilter
    heading = "案件"
    subtitle = "连续三周不填报周报的，自动触发（教职成厅函〔2019〕19号 五(四)）。"
    empty_text = "没有案件。"
    export_name = "案件"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may_see_cases(request.user):
            raise PermissionDenied("您的角色没有查看案件的权限；推进办、主管部门和本校可以查看。")
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Any]:
        cases = super().queryset().select_related("organization__supervisor")
        return cases.annotate(weeks=Count("evidence"))


@require_safe
def case_detail(request: HttpRequest, pk: int) -> HttpResponse:
    cases = Case.objects.visible_to(request.user).select_related("organization__supervisor")
    case = get_object_or_404(cases, pk=pk)
    evidence = case.evidence.select_related("obligation").order_by("obligation__due_at")
    context = {"case": case, "evidence": [_shown(item) for item in evidence]}
    return render(request, "supervision/case_detail.html", context)


def _shown(item: CaseEvidence) -> dict[str, Any]:
    """The frozen record with its instants, and the obligation as it stands now."""
    frozen = {
        name: _instant(item.frozen[name]) for name in ("due_at", "closes_at", "filled_at", "excused_at")
    }
    was = "excused" if frozen["excused_at"] else "filled" if frozen["filled_at"] else item.frozen["outcome"]
    return {
        "period": item.frozen["period"],
        **frozen,
        "state": was,
        "added_at": item.added_at,
        "obligation": item.obligation,
        "changed": item.obligation.state != was,
    }


def _instant(text: str) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None
