"""The national platform's lists: which weeks they cover, what each came to."""

from typing import Any

from django.db.models import Count, Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from core.lists import ListPage
from obligations import permissions
from obligations.models import Period, PlatformFiling, PlatformImport
from obligations.platform_forms import PlatformImportFilter, listed_periods
from obligations.tables import PlatformImportTable, weeks_words
from obligations.views.checked import require

REFUSAL = "国家平台名单涉及全省院校，由省级查看。贵单位各周的来源在各自的周报页面和历次周报里。"
WEEKS_SHOWN = 12


class PlatformLists(ListPage):
    model = PlatformImport
    table_class = PlatformImportTable
    filterset_class = PlatformImportFilter
    template_name = "obligations/platform_lists.html"
    heading = "国家平台名单"
    subtitle = "周报通过国家平台报送（晋教职成〔2020〕9号 四.3）。名单导入前，不得据本平台记录发出告知。"
    empty_text = "还没有导入过名单。"
    export_name = "国家平台名单导入记录"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        require(permissions.may_see_platform_lists(request.user), REFUSAL)
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[PlatformImport]:
        rows = super().queryset().select_related("imported_by").prefetch_related("periods")
        return rows.annotate(row_count=Count("filings"))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            weeks=recent_weeks(),
            weeks_shown=WEEKS_SHOWN,
            uncovered=uncovered_weeks(),
            may_import=permissions.may_import_platform_list(self.request.user),
            **kwargs,
        )


def _with_coverage() -> QuerySet[Period]:
    """Weeks with `has_list`, and `has_final_list`: one that was taken after the week had closed."""
    standing = PlatformImport.objects.standing().filter(periods=OuterRef("pk"))
    return listed_periods().annotate(
        has_list=Exists(standing),
        has_final_list=Exists(standing.filter(listed_at__gte=OuterRef("closes_at"))),
    )


def recent_weeks() -> list[Period]:
    return list(_with_coverage()[:WEEKS_SHOWN])


def uncovered_weeks() -> int:
    """How many closed weeks no list decides yet."""
    return _with_coverage().closed().filter(has_final_list=False).count()


@require_safe
def platform_list(request: HttpRequest, pk: int) -> HttpResponse:
    require(permissions.may_see_platform_lists(request.user), REFUSAL)
    found = get_object_or_404(
        PlatformImport.objects.visible_to(request.user).select_related("imported_by", "undone_by"), pk=pk
    )
    periods = found.periods.annotate(
        is_final=Exists(PlatformImport.objects.filter(pk=pk, listed_at__gte=OuterRef("closes_at")))
    )
    filed = dict(
        PlatformFiling.objects.filter(platform_import=found)
        .order_by()
        .values_list("period")
        .annotate(count=Count("pk"))
    )
    context = {
        "found": found,
        "weeks": weeks_words(found),
        "periods": [(period, filed.get(period.pk, 0)) for period in periods.order_by("-starts_on")],
    }
    return render(request, "obligations/platform_list.html", context)
