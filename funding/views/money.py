"""Pages of the special fund."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from core import clock
from core.lists import ListPage
from funding import permissions, services
from funding.filters.money import AllocationFilter
from funding.forms.money import AllocationForm, ArrivalForm
from funding.models import Allocation
from funding.tables.money import AllocationTable

CLAUSE = (
    "专项资金严禁用于平衡预算、偿还债务、支付利息、对外投资、弥补其他项目资金缺口，"
    "不得从中提取工作经费和管理经费（晋教职成〔2020〕9号 四.2）。"
)


class AllocationList(ListPage):
    model = Allocation
    table_class = AllocationTable
    filterset_class = AllocationFilter
    template_name = "funding/allocations.html"
    heading = "专项资金"
    subtitle = CLAUSE
    empty_text = "没有登记的专项资金。省级财务按下达文件逐校登记后，这里可以查到。"
    export_name = "专项资金"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not permissions.may_see_funds(request.user):
            raise PermissionDenied("专项资金由省级各方、主管部门和本校查看。")
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Any]:
        return super().queryset().select_related("organization")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(may_allocate=permissions.may_allocate(self.request.user), **kwargs)
        chosen = context["filter"].qs if context["filter"].is_valid() else self.queryset()
        context["sum"] = chosen.aggregate(sum=Sum("amount"))["sum"]
        return context


@require_http_methods(["GET", "HEAD", "POST"])
def allocate(request: HttpRequest) -> HttpResponse:
    if not permissions.may_allocate(request.user):
        raise PermissionDenied("专项资金由省级财务或推进办登记。")
    form = AllocationForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        allocation = services.allocate(fields=form.cleaned_data, by=request.user, at=clock.now())
        messages.success(request, f"已登记：{allocation}，{allocation.amount} 元。")
        return redirect("funding:allocations")
    return _page(request, form, "登记专项资金")


@require_http_methods(["GET", "HEAD", "POST"])
def arrival(request: HttpRequest, pk: int) -> HttpResponse:
    allocation = get_object_or_404(Allocation.objects.visible_to(request.user), pk=pk)
    if not permissions.may_note_arrival(request.user, allocation):
        raise PermissionDenied("到账已经确认，或者不由您确认：由收款院校的联系人、省级财务或推进办确认。")
    form = ArrivalForm(request.POST or None, initial={"arrived_on": clock.today()})
    if request.method == "POST" and form.is_valid():
        try:
            services.note_arrival(allocation, **form.cleaned_data, by=request.user, at=clock.now())
        except ValidationError as refusal:
            form.add_error(None, [message for message in refusal.messages])
        else:
            messages.success(request, "到账已确认。")
            return redirect("funding:allocations")
    return _page(request, form, f"确认到账：{allocation}")


def _page(request: HttpRequest, form: Any, heading: str) -> HttpResponse:
    context = {
        "form": form,
        "heading": heading,
        "intro": CLAUSE,
        "cancel_url": reverse("funding:allocations"),
    }
    return render(request, "core/form_page.html", context | {"submit_label": "保存"})
