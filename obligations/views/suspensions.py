"""Suspensions: who need not report for a while, and why (晋教职成〔2020〕9号 三.6)."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Organization
from core import clock
from core.lists import ListPage
from obligations import permissions, previews, services
from obligations.filters import SuspensionFilter
from obligations.forms import SuspensionForm, scope_label
from obligations.models import Suspension
from obligations.tables import SuspensionTable
from obligations.views.checked import CheckedFormView, require

CLAUSE = "晋教职成〔2020〕9号 三.6 要求“积极应对公共卫生等突发事件”。停报期内到期的周次免报，不计未报。"


class SuspensionList(ListPage):
    model = Suspension
    table_class = SuspensionTable
    template_name = "obligations/suspensions.html"
    heading = "停报登记"
    subtitle = CLAUSE
    empty_text = "没有停报登记。"
    filterset_class = SuspensionFilter
    export_name = "停报登记"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        require(permissions.may_see_suspensions(request.user), "停报登记供报送单位及其主管部门查看。")
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.request.user
        return super().get_context_data(
            may_declare=permissions.may_suspend_something(user),
            may_govern=permissions.may_govern(user),
            **kwargs,
        )


class SuspensionCreate(CheckedFormView):
    form_class = SuspensionForm
    heading = "登记停报"
    intro = CLAUSE
    preview_template = "obligations/_suspension_effect.html"
    confirm_label = "确认登记"
    success_url = reverse_lazy("obligations:suspensions")
    done = "停报已登记。"

    def check_right(self) -> None:
        require(
            permissions.may_suspend_something(self.request.user),
            "停报由推进办、主管的市教育局登记，学校放假也可由院校联系人登记。",
        )

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"user": self.request.user}

    def _declaration(self, form: SuspensionForm) -> dict[str, Any]:
        organization = form.cleaned_data["organization"]
        return {
            "kind": form.cleaned_data["kind"],
            "organizations": [organization],
            "scope_label": scope_label(organization),
            "starts_at": form.starts_at,
            "ends_at": form.ends_at,
            "reason": form.cleaned_data["reason"],
            "by": self.request.user,
            "at": clock.now(),
        }

    def preview(self, form: SuspensionForm) -> dict[str, Any]:
        return {"effect": previews.suspension_effect(**self._declaration(form))}

    def save(self, form: SuspensionForm) -> None:
        services.suspend(**self._declaration(form))


@require_safe
def suspension_detail(request: HttpRequest, pk: int) -> HttpResponse:
    suspension = get_object_or_404(
        Suspension.objects.visible_to(request.user).select_related("created_by", "lifted_by"), pk=pk
    )
    mine = Organization.objects.visible_to(request.user)
    context = {
        "suspension": suspension,
        "organizations": suspension.organizations.filter(pk__in=mine.values("pk")).order_by("kind", "code"),
        "named_count": suspension.organizations.count(),
        "is_over": suspension.stands_until <= clock.now(),
        "may_lift": _may_lift_now(request, suspension),
    }
    return render(request, "obligations/suspension.html", context)


def _may_lift_now(request: HttpRequest, suspension: Suspension) -> bool:
    return suspension.ends_at > clock.now() and permissions.may_lift(request.user, suspension)


@require_http_methods(["GET", "HEAD", "POST"])
def suspension_lift(request: HttpRequest, pk: int) -> HttpResponse:
    suspension = get_object_or_404(Suspension.objects.visible_to(request.user), pk=pk)
    require(
        _may_lift_now(request, suspension),
        "这次停报已经结束，或由上级登记；需要提前结束的，请联系登记的部门。",
    )
    address = reverse("obligations:suspension-detail", args=[pk])
    if request.method == "POST":
        try:
            services.lift_suspension(suspension, by=request.user, at=clock.now())
            messages.success(request, "停报已提前结束，此后到期的周次恢复报送。")
        except ValidationError as error:
            messages.error(request, "".join(error.messages))
        return redirect(address)
    context = {
        "heading": "提前结束停报",
        "text": f"现在结束“{suspension}”？",
        "consequences": ["从现在起到期的周次恢复为应报。", "已经过去的截止时间仍按停报处理，不改变结果。"],
        "submit_label": "现在结束",
        "cancel_url": address,
    }
    return render(request, "core/confirm.html", context)
