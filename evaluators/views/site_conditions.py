"""What evaluators publish that a site must have (MOE 三(一))."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts import typed
from core import clock
from core.lists import ListPage
from evaluators import permissions
from evaluators.filters.sites import ConditionFilter
from evaluators.forms.sites import ConditionForm
from evaluators.models import ExamSite, SiteCondition
from evaluators.services import site_conditions as services
from evaluators.services.sites import why_not_apply
from evaluators.tables.sites import ConditionTable
from evaluators.views.sites import own_sites, require_seer, sites_of
from evaluators.workflow import SITE_CLAUSE


class ConditionList(ListPage):
    """The conditions of now: published, so the same for everybody."""

    table_class = ConditionTable
    filterset_class = ConditionFilter
    template_name = "evaluators/sites/conditions.html"
    heading = "考核站点条件"
    subtitle = f"培训评价组织提出并向社会公布，试点院校对照条件自主申报（{SITE_CLAUSE}）。"
    empty_text = "还没有公布条件。由培训评价组织在备案后公布。"
    export_name = "考核站点条件"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        require_seer(request.user)
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Any]:
        return SiteCondition.objects.current().select_related("certificate__owner")

    def get_table_kwargs(self) -> dict[str, Any]:
        user = self.request.user
        may_apply = permissions.may_apply_for_sites(user)
        return {"may_apply": may_apply, "own": own_sites(user.organization_id) if may_apply else {}}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may_publish = self.request.user.role == "evaluator"
        context = super().get_context_data(may_publish=may_publish, **kwargs)
        if may_publish:
            context |= {"empty_url": reverse("sites:condition-new"), "empty_label": "公布条件"}
        return context


@require_safe
def condition(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them, with those before and after it."""
    require_seer(request.user)
    rows = SiteCondition.objects.select_related("certificate__owner", "published_by__organization")
    shown = get_object_or_404(rows, pk=pk)
    versions = list(SiteCondition.objects.filter(certificate=shown.certificate_id))
    user = request.user
    may_apply = permissions.may_apply_for_sites(user)
    there = own_sites(user.organization_id).get(shown.certificate_id) if may_apply else None
    context = {
        "condition": shown,
        "versions": versions,
        "is_current": versions[0] == shown,
        "sites": sites_of(user).filter(certificate=shown.certificate_id, state=ExamSite.State.FILED),
        "may_publish": permissions.may_publish_conditions(user, shown.certificate),
        "may_apply": may_apply and not there,
        "own": there,
        "not_apply": why_not_apply(user, shown.certificate, clock.now()) if may_apply and not there else "",
    }
    return render(request, "evaluators/sites/condition.html", context)


@typed.keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: HttpRequest) -> HttpResponse:
    user = request.user
    if user.role != "evaluator":
        raise PermissionDenied(services.BY_THE_EVALUATOR)
    data = request.POST if request.method == "POST" else typed.take(request)
    form = ConditionForm(data, owner=user.organization_id, initial=_condition_now(request))
    if request.method == "POST" and form.is_valid():
        try:
            made = services.publish_condition(**form.cleaned_data, by=user, at=clock.now())
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, "已公布。任何人不登录也能在“考核站点（公布）”看到。")
            return redirect("sites:condition", made.pk)
    context = {
        "form": form,
        "heading": "公布考核站点条件",
        "intro": f"条件提出后向社会公布，院校对照申报（{SITE_CLAUSE}）。新条件公布后，原条件保留为历史；已备案的站点不变。",
        "submit_label": "公布",
        "cancel_url": reverse("sites:conditions"),
    }
    return render(request, "core/form_page.html", context, status=422 if form.errors else 200)


def _condition_now(request: HttpRequest) -> dict[str, Any]:
    """Words to start from, where the address names a certificate."""
    asked = request.GET.get("certificate", "")
    if not asked.isdecimal():
        return {}
    now = SiteCondition.objects.current().filter(
        certificate=asked, certificate__owner=request.user.organization_id
    )
    found = now.first()
    words = {"text": found.text, "minimum_places": found.minimum_places} if found else {}
    return {"certificate": asked, **words}
