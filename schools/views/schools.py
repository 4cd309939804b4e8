"""Schools: the list, one school, and what the office keeps of it."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from core import clock
from core.fields import masked
from core.lists import ListPage
from schools import permissions, services, standing
from schools.filters.schools import SchoolFilter
from schools.forms.schools import SchoolForm
from schools.models import AnnualPlan, Programme, School
from schools.services import SchoolFacts
from schools.tables.schools import SchoolTable

OFFICE_ONLY = "试点院校的资料、项目和计划由省推进办维护（晋教职成〔2020〕9号 三.1）。发现错误请与推进办联系。"


class SchoolList(ListPage):
    """The schools within one's scope; an evaluator's are those that run its certificates."""

    model = School
    table_class = SchoolTable
    filterset_class = SchoolFilter
    template_name = "schools/list.html"
    heading = "试点院校"
    export_name = "试点院校"
    empty_text = "您可以查看的范围内还没有试点院校。"
    clear_query = "?pilot="

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not permissions.may_open_schools(request.user):
            raise PermissionDenied("试点院校名册由省推进办、主管部门和有关评价组织查看；院校查看本校的资料。")
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Any]:
        schools = super().queryset().with_figures(clock.now(), clock.today().year)
        return schools.select_related("organization__city", "organization__supervisor").defer(
            "contact_mobile"
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.request.user
        may_import = permissions.may_import_roster(user)
        context = super().get_context_data(
            may_import=may_import, may_register=permissions.may_register_schools(user), **kwargs
        )
        if may_import:
            context |= {"empty_url": reverse("schools:roster"), "empty_label": "导入院校名册"}
        return context


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    school = _school(request, pk)
    at, year = clock.now(), clock.today().year
    programmes = list(
        Programme.objects.visible_to(request.user)
        .filter(school=school)
        .with_state(at, year)
        .select_related("certificate_level__certificate__owner")
        .order_by("certificate_level__certificate__name", "certificate_level__level")
    )
    running = [programme for programme in programmes if programme.state != "ended"]
    coming = standing.next_year(clock.today())
    memberships = list(school.organization.memberships.all())
    context = {
        "school": school,
        "year": year,
        "running": running,
        "dormant": [programme for programme in running if programme.state == "dormant"],
        "ended": [programme for programme in programmes if programme.state == "ended"],
        "coming": coming,
        "unplanned": _unplanned(running, coming),
        "planned": sum(programme.planned or 0 for programme in running),
        "memberships": memberships,
        "in_pilot": any(m.joined_at <= at and (m.left_at is None or m.left_at > at) for m in memberships),
        "aliases": list(school.organization.aliases.all()),
        "mobile": _mobile(request, school),
        "contacts": list(school.organization.users.school_contacts().values_list("name", flat=True)),
        "may_edit": permissions.may_edit(request.user, school),
        "sees_reports": request.user.sees_reporting or request.user.organization_id == school.pk,
        "sees_timeline": request.user.sees_province or permissions.may_see_mobile(request.user, school),
    }
    return render(request, "schools/detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    if not permissions.may_register_schools(request.user):
        raise PermissionDenied(OFFICE_ONLY)

    def save(form: forms.Form) -> str:
        values = {name: value for name, value in form.cleaned_data.items() if name != "code"}
        facts = SchoolFacts(form.cleaned_data["code"], values)
        return _address(services.register_school(facts=facts, by=request.user, at=clock.now()).pk)

    return form_page(request, SchoolForm(request.POST or None), "登记院校", save, reverse("schools:list"))


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    school = school_to_edit(request, pk)

    def save(form: SchoolForm) -> str:
        if changes := form.changes():
            services.change_schools(changes=[(school, changes)], by=request.user, at=clock.now())
        return _address(school.pk)

    form = SchoolForm(request.POST or None, school=school)
    return form_page(request, form, f"修改 {school}", save, _address(school.pk))


def _unplanned(running: list[Programme], coming: int | None) -> list[Programme]:
    """Those without a plan for the coming year; none is asked for before December."""
    if coming is None:
        return []
    planned = AnnualPlan.objects.filter(programme__in=running, year=coming)
    ready = set(planned.values_list("programme", flat=True))
    return [programme for programme in running if programme.pk not in ready]


def form_page(
    request: HttpRequest, form: Any, heading: str, save: Callable[[Any], str], cancel_url: str, **more: Any
) -> HttpResponse:
    """Shows the form; once it is valid and `save` accepts it, leads to the address that `save` gives."""
    if form.is_bound and form.is_valid():
        try:
            return redirect(save(form))
        except ValidationError as error:
            form.add_error(None, error)
    template = more.pop("template", "core/form_page.html")
    context = {"form": form, "heading": heading, "cancel_url": cancel_url, **more}
    return render(request, template, context, status=422 if form.errors else 200)


def _address(pk: int) -> str:
    return reverse("schools:detail", args=[pk])


def _school(request: HttpRequest, pk: int) -> School:
    schools = School.objects.visible_to(request.user)
    return get_object_or_404(schools.select_related("organization__city", "organization__supervisor"), pk=pk)


def school_to_edit(request: HttpRequest, pk: int) -> School:
    """404 for strangers, PermissionDenied for those who only read."""
    school = _school(request, pk)
    if not permissions.may_edit(request.user, school):
        raise PermissionDenied(OFFICE_ONLY)
    return school


def _mobile(request: HttpRequest, school: School) -> str:
    mobile = school.contact_mobile
    return mobile if permissions.may_see_mobile(request.user, school) else masked(mobile)
