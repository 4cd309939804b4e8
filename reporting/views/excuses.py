"""Excuses of what was missed, and the suspension of a certificate's schools."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from core import clock
from obligations import services
from obligations.models import Obligation, ObligationKind, Outcome
from obligations.permissions import may_govern
from obligations.previews import suspension_effect
from reporting.office_forms import CertificateSuspensionForm, ExcuseForm, ReasonForm
from reporting.reporters import of_kinds
from reporting.views.office import chosen_obligations, list_of

ONLY_OFFICE = "只有省推进办可以谅解未报。如对记录有异议，请向推进办说明情况并提供证明。"


@require_http_methods(["GET", "HEAD", "POST"])
def excuse(request: HttpRequest, pk: int) -> HttpResponse:
    visible = Obligation.objects.visible_to(request.user).select_related("organization")
    obligation = get_object_or_404(visible, pk=pk)
    if not may_govern(request.user):
        raise PermissionDenied(ONLY_OFFICE)
    return _excuse(request, [obligation], back=reverse("reporting:report", args=[pk]))


@require_http_methods(["GET", "HEAD", "POST"])
def excuse_selected(request: HttpRequest) -> HttpResponse:
    """One reason for several; those that are not closed as missed are shown as left out."""
    if not may_govern(request.user):
        raise PermissionDenied(ONLY_OFFICE)
    obligations = chosen_obligations(request)
    back = list_of(request, obligations)
    if not obligations:
        messages.warning(request, "请先勾选要谅解的单位。")
        return redirect(back)
    return _excuse(request, obligations, back=back)


def _excuse(request: HttpRequest, obligations: list[Obligation], *, back: str) -> HttpResponse:
    able = [o for o in obligations if o.outcome == Outcome.MISSED and o.excused_at is None]
    whom = of_kinds(o.organization.kind for o in able)
    is_weekly = any(o.kind == ObligationKind.WEEKLY_REPORT for o in obligations)
    form = ExcuseForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            _excuse_all(able, form.cleaned_data, request)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            skipped = "，连续周数中跳过" if is_weekly else ""
            count = f"{len(able)} {whom.measure}{whom.noun}"
            messages.success(request, f"已谅解 {count}的未报；仍计入应报{skipped}。")
            return redirect(back)
    context = {
        "form": form,
        "able": able,
        "left_out": [o for o in obligations if o not in able],
        "whom": whom,
        "is_weekly": is_weekly,
        "back": back,
    }
    return render(request, "reporting/office/excuse.html", context)


@transaction.atomic
def _excuse_all(obligations: list[Obligation], given: dict[str, Any], request: HttpRequest) -> None:
    at = clock.now()
    for obligation in obligations:
        services.excuse(obligation, reason=given["reason"], files=given["evidence"], by=request.user, at=at)


@require_http_methods(["GET", "HEAD", "POST"])
def withdraw_excuse(request: HttpRequest, pk: int) -> HttpResponse:
    obligation = get_object_or_404(Obligation.objects.visible_to(request.user), pk=pk)
    if not may_govern(request.user):
        raise PermissionDenied("只有省推进办可以撤销谅解。")
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.withdraw_excuse(
                obligation, reason=form.cleaned_data["reason"], by=request.user, at=clock.now()
            )
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, "已撤销谅解，该周重新计入连续未报。")
            return redirect("reporting:report", pk)
    context = {
        "heading": "撤销谅解",
        "text": f"{obligation.organization} {obligation.title}。当时的理由：{obligation.excuse_reason}",
        "consequences": ["该周重新计入连续未报周数；达到三周的，在下一次结算时触发案件。"],
        "form": form,
        "submit_label": "撤销谅解",
        "dangerous": True,
    }
    return render(request, "core/confirm.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def suspend_certificate(request: HttpRequest) -> HttpResponse:
    """Stop the clocks of those that run only one certificate; POST shows them first (SX 三.6)."""
    if not may_govern(request.user):
        raise PermissionDenied("只有省推进办可以按证书登记停报。")
    form = CertificateSuspensionForm(request.POST or None)
    heading = "按证书登记停报"
    if request.method == "POST" and form.is_valid() and request.POST.get("step") != "edit":
        declaration = form.declaration() | {"by": request.user, "at": clock.now()}
        if request.POST.get("step") == "confirm":
            suspension = services.suspend(**declaration)
            messages.success(request, f"已登记：{suspension.scope_label}停报。")
            return redirect("obligations:suspensions")
        context = {
            "heading": heading,
            "form": form,
            "confirm_label": "确认停报",
            "preview_template": "reporting/office/_suspended.html",
            "organizations": form.organizations,
            "effect": suspension_effect(**declaration),
        }
        return render(request, "obligations/confirm.html", context)
    context = {
        "heading": heading,
        "intro": "遇突发事件等情形，可暂停某一证书的报送（晋教职成〔2020〕9号 三.6）。",
        "form": form,
        "submit_label": "下一步：核对单位",
        "cancel_url": reverse("obligations:suspensions"),
    }
    return render(request, "core/form_page.html", context)
