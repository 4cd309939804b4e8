"""The national platform from the reports' side: where both differ, and a week as a file for it."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from core import clock, events, exports
from core.lists import ListPage
from obligations.models import Obligation
from reporting import permissions, platform_file
from reporting.differences import DifferenceFilter, DifferenceTable, differing
from reporting.views.weekly import report_of, weekly_or_404

events.register(platform_file_exported="导出国家平台填报用表")


class Differences(ListPage):
    model = Obligation
    table_class = DifferenceTable
    filterset_class = DifferenceFilter
    heading = "与国家平台的差异"
    subtitle = "只列有名单的周次。差异不改变结果，请与院校核对；结果以“按时、迟报、未报”栏为准。"
    empty_text = "有名单的周次里，两边没有差异。"
    export_name = "与国家平台的差异"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not permissions.may_see_reporting(request.user):
            raise PermissionDenied("差异供省级和主管部门核对。贵单位各周的来源在历次周报里。")
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Obligation]:
        return differing(self.request.user)


@require_POST
def platform_file_of(request: HttpRequest, pk: int) -> HttpResponse:
    """The current version as a file; who takes it out is on record, so it is a POST."""
    obligation = weekly_or_404(request, pk)
    if not permissions.may_take_platform_file(request.user, obligation):
        raise PermissionDenied("填报用表由本校联系人、主管的市教育局和省推进办导出。")
    found = report_of(obligation)
    if found is None or found.current is None:
        raise Http404
    at = clock.now()
    with transaction.atomic():
        content = platform_file.build(obligation, found.current)
        events.record(
            "platform_file_exported",
            obligation,
            by=request.user,
            at=at,
            organization_id=obligation.organization_id,
            changes={"版本": found.current.number, "回执": found.current.receipt},
        )
    name = f"{obligation.organization.name}{obligation.title}（国家平台填报用）.xlsx"
    return exports.download(content, name)
