"""Ours beside the national platform's approvals."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from core import clock
from core.lists import ListPage
from schools import differences, permissions
from schools.filters.programmes import DifferenceFilter
from schools.models import PlatformApproval
from schools.tables.programmes import DifferenceTable


class DifferenceList(ListPage):
    """One kind of difference at a time; the others stand above with their numbers."""

    table_class = DifferenceTable
    filterset_class = DifferenceFilter
    template_name = "schools/platform/differences.html"
    heading = "与国家平台的审核差异"
    subtitle = "以教育部平台系统结果为准；这里只供核对，不改变本平台的项目和计划。"
    empty_text = "这一类没有差异。"
    export_name = "与国家平台的审核差异"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not permissions.may_see_platform_differences(request.user):
            raise PermissionDenied("差异由推进办和主管部门核对；学校可在本校试点项目页查看国家平台状态。")
        return super().dispatch(request, *args, **kwargs)

    @property
    def kind(self) -> str:
        asked = self.request.GET.get("kind", "")
        return asked if asked in differences.Kind.values else differences.Kind.OURS

    def queryset(self) -> QuerySet[Any]:
        return differences.rows(self.kind, self.request.user, clock.now())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.request.user
        context = super().get_context_data(
            may_import_states=permissions.may_import_platform_states(user), **kwargs
        )
        text = context["filter"].data.get("year", "")
        year = int(text) if text.isdecimal() else None
        said = PlatformApproval.objects.visible_to(user)
        newest = (said.filter(year=year) if year else said).order_by("-as_of").first()
        return context | {
            "year": year,
            "kind": self.kind,
            "counts": differences.counts(user, clock.now(), year),
            "newest": newest,
        }
