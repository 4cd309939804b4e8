"""Resources per certificate level: the list with its ages, one level, updating."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts import typed
from certificates.models import CertificateLevel
from core import clock
from core.lists import ListPage
from evaluators import permissions
from evaluators.filters.resources import ResourceFilter
from evaluators.forms.resources import ResourceForm
from evaluators.services import resources as services
from evaluators.tables.resources import AGES, ResourceTable
from evaluators.views.trainers import form_page, sent

NOT_FOR_ROLE = "培训考核资源由推进办、对接专员、市教育局、评价组织和开展试点的院校查看。"


class ResourceList(ListPage):
    table_class = ResourceTable
    filterset_class = ResourceFilter
    template_name = "evaluators/resources/list.html"
    heading = "培训考核资源"
    subtitle = f"评价组织按证书等级登记并适时更新（{services.CLAUSE}）。"
    empty_text = "您可以查看的范围内还没有证书等级。"
    export_name = "培训考核资源"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not permissions.may_see_resources(request.user):
            raise PermissionDenied(NOT_FOR_ROLE)
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Any]:
        return services.levels(self.request.user)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = services.levels(self.request.user)
        limit = services.old_since(clock.today())
        return super().get_context_data(
            old=rows.filter(resource__updated_on__lt=limit).count(),
            missing=rows.filter(resource=None).count(),
            clause=services.CLAUSE,
            **kwargs,
        )


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    level = _level(request, pk)
    resource = getattr(level, "resource", None)
    state = services.age_state(resource and resource.updated_on, clock.today())
    context = {
        "level": level,
        "resource": resource,
        "state": state,
        "badge": AGES[state],
        "missing": services.missing_of(resource) if resource else [],
        "clause": services.CLAUSE,
        "may_keep": permissions.may_keep_resources(request.user, level.certificate),
    }
    return render(request, "evaluators/resources/detail.html", context)


def _level(request: HttpRequest, pk: int) -> CertificateLevel:
    found: CertificateLevel = get_object_or_404(services.levels(request.user), pk=pk)
    return found


@typed.keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    level = _level(request, pk)
    if not permissions.may_keep_resources(request.user, level.certificate):
        raise PermissionDenied(services.OWN_CERTIFICATES)
    resource = getattr(level, "resource", None)

    def save(form: forms.Form) -> str:
        fields = {name: form.cleaned_data[name] for name in services.FIELDS}
        files = form.cleaned_data["files"]
        services.keep(level, fields=fields, files=files, by=request.user, at=clock.now())
        return reverse("resources:detail", args=[pk])

    initial = {name: getattr(resource, name) for name in services.FIELDS} if resource else {}
    form = ResourceForm(sent(request), request.FILES or None, initial=initial)
    return form_page(request, form, f"更新资源：{level}", save, reverse("resources:detail", args=[pk]))
