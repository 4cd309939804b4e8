"""Outages of the portal: planned or recorded, and the deadlines that they move."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse_lazy

from core import clock
from core.lists import ListPage
from obligations import permissions, services
from obligations.forms import OutageForm
from obligations.models import Outage
from obligations.periods import outage_moves
from obligations.tables import OutageTable
from obligations.views.checked import CheckedFormView, require


class OutageList(ListPage):
    model = Outage
    table_class = OutageTable
    template_name = "obligations/outages.html"
    heading = "平台停机"
    subtitle = "停机碰到截止时间的，该周次的截止和关闭时间对所有单位一并顺延。"
    empty_text = "没有停机登记。"
    export_name = "平台停机"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        require(permissions.may_see_rules(request.user), "停机登记供参与试点工作的人员查看。")
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Outage]:
        # An outage concerns everybody: no scope to draw.
        return Outage.objects.select_related("created_by")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(may_govern=permissions.may_govern(self.request.user), **kwargs)


class OutageCreate(CheckedFormView):
    form_class = OutageForm
    heading = "登记停机"
    intro = "计划中的和已经发生的停机都在这里登记。停机延长的，再登记超出的那一段。"
    preview_template = "obligations/_outage_moves.html"
    confirm_label = "确认登记"
    success_url = reverse_lazy("obligations:outages")
    done = "停机已登记，受影响的截止时间已顺延。"

    def check_right(self) -> None:
        require(permissions.may_govern(self.request.user), "停机由省推进办登记；您可以查看，不能登记。")

    def _instants(self, form: OutageForm) -> dict[str, Any]:
        return {name: form.cleaned_data[name] for name in ("starts_at", "ends_at")}

    def preview(self, form: OutageForm) -> dict[str, Any]:
        return {"moves": outage_moves(**self._instants(form))}

    def save(self, form: OutageForm) -> None:
        services.record_outage(
            **self._instants(form), reason=form.cleaned_data["reason"], by=self.request.user, at=clock.now()
        )
