"""Programmes: the list, one programme, and what office and school keep of it."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Role, User
from core import clock
from core.lists import ListPage
from core.models import Event
from schools import permissions, services, standing
from schools.filters.programmes import ProgrammeFilter
from schools.forms.programmes import CoursesForm
from schools.forms.schools import EndForm, PlanForm, ProgrammeForm
from schools.models import Agreement, ApplicationItem, PlatformApproval, Programme
from schools.services.programmes import COURSES_ARE_THE_SCHOOLS
from schools.tables.programmes import ProgrammeTable
from schools.views.schools import OFFICE_ONLY, form_page, school_to_edit

OF_A_PROGRAMME = ("programme_started", "programme_ended", "plan_set")


def asked_year(request: HttpRequest) -> int:
    """The year that the address names, this one where it names none that can be."""
    text = request.GET.get("year", "")
    this = clock.today().year
    return int(text) if text.isdecimal() and len(text) == 4 and int(text) <= this + 1 else this


class ProgrammeList(ListPage):
    """What runs, sleeps or has ended within one's scope, as one year's plans make it."""

    model = Programme
    table_class = ProgrammeTable
    filterset_class = ProgrammeFilter
    template_name = "schools/programmes/list.html"
    heading = "试点项目"
    subtitle = "一校一证一级为一个项目；没有本年度计划的为休眠，周报不填。"
    empty_text = "您可以查看的范围内还没有试点项目。申报获批准，或推进办导入名册后，会列在这里。"
    export_name = "试点项目"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not permissions.may_see_programmes(request.user):
            raise PermissionDenied("试点项目由推进办、主管部门、本校和证书的培训评价组织查看。")
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Any]:
        year = asked_year(self.request)
        programmes = super().queryset().with_state(clock.now(), year)
        programmes = standing.with_agreement(programmes, clock.today())
        return standing.with_platform(programmes, year).select_related(
            "school__organization__city", "certificate_level__certificate"
        )

    def get_table_kwargs(self) -> dict[str, Any]:
        year = asked_year(self.request)
        return {
            "year": year,
            "listed": year in standing.listed_years(),
            # On one's own page they say nothing; a file travels.
            "of_one_school": self.request.user.role in Role.of_a_school() and self.request.method != "POST",
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        mine, now, today = Programme.objects.visible_to(self.request.user), clock.now(), clock.today()
        coming = standing.next_year(today)
        return super().get_context_data(
            year=today.year,
            dormant=mine.dormant_at(now, today.year).count(),
            coming=coming,
            unplanned=mine.dormant_at(now, coming).count() if coming else 0,
            may_compare=permissions.may_see_platform_differences(self.request.user),
            may_import_states=permissions.may_import_platform_states(self.request.user),
            **kwargs,
        )


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    programme = _programme(request, pk)
    now, today, user = clock.now(), clock.today(), request.user
    is_running = programme.ended_at is None or programme.ended_at > now
    years = _years(programme, user)
    planned = {year["year"] for year in years if year["plan"]}
    coming = standing.next_year(today)
    office = permissions.may_edit(user, programme.school)
    agreements = Agreement.objects.of_school(programme.school_id, today).filter(
        certificate_level=programme.certificate_level_id
    )
    sees_record = user.sees_province or permissions.may_see_mobile(user, programme.school)
    context = {
        "programme": programme,
        "school": programme.school,
        "level": programme.certificate_level,
        "is_running": is_running,
        "state": ("active" if today.year in planned else "dormant") if is_running else "ended",
        "year": today.year,
        "years": years,
        "coming": coming if is_running and coming not in planned else None,
        "agreements": list(agreements.in_force(today).select_related("evaluator")),
        "agreement_clause": standing.AGREEMENT_CLAUSE,
        "may_plan": office and is_running,
        "may_tell": permissions.may_tell_courses(user, programme) and is_running,
        "events": _events(programme) if sees_record else None,
    }
    return render(request, "schools/programmes/detail.html", context)


def _years(programme: Programme, user: User) -> list[dict[str, Any]]:
    """Ours beside the national platform's, newest year first: {year, plan, approved, source,
    source_url, said, difference}."""
    plans = {plan.year: plan for plan in programme.plans.select_related("source__application__round")}
    said = PlatformApproval.objects.filter(
        organization=programme.school_id, certificate_level=programme.certificate_level_id
    )
    there = {approval.year: approval for approval in said}
    listed = standing.listed_years()
    rows = []
    for year in sorted(plans.keys() | there.keys(), reverse=True):
        plan = plans.get(year)
        source = plan.source if plan else None
        rows.append(
            {
                "year": year,
                "plan": plan,
                "source": source,
                "source_url": _source_url(source, user),
                "approved": source.planned_new + source.carried_over if source else None,
                "said": there.get(year),
                "is_listed": year in listed,
                "difference": standing.difference(
                    year,
                    plan.candidates if plan else None,
                    there.get(year),
                    ended_at=programme.ended_at,
                    listed=year in listed,
                ),
            }
        )
    return rows


def _source_url(source: ApplicationItem | None, user: User) -> str:
    """Where the user reads the application that set a plan; "" where it is none of the user's business."""
    if source is None:
        return ""
    if permissions.may_see_queue(user):
        return reverse("reviews:item", args=[source.pk])
    return reverse("applications:item", args=[source.pk]) if user.role in Role.of_a_school() else ""


def _events(programme: Programme) -> list[Event]:
    """The programme's own events, and the school's that name its certificate level while it ran."""
    name = str(programme.certificate_level)
    of_school = Event.objects.about(programme.school.organization).filter(
        action__in=OF_A_PROGRAMME, at__gte=programme.started_at
    )
    if programme.ended_at:
        of_school = of_school.filter(at__lte=programme.ended_at)
    named = [
        event
        for event in of_school.select_related("target_type")
        if event.changes.get("证书") == name or any(key.startswith(f"{name} ") for key in event.changes)
    ]
    own = Event.objects.about(programme).select_related("target_type")
    return sorted([*named, *own], key=lambda event: (event.at, event.pk))


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, pk: int) -> HttpResponse:
    school = school_to_edit(request, pk)

    @transaction.atomic
    def save(form: forms.Form) -> str:
        level, candidates = form.cleaned_data["certificate_level"], form.cleaned_data["candidates"]
        who: dict[str, Any] = {"by": request.user, "at": clock.now()}
        programme = services.start_programme(school=school, level=level, **who)
        if candidates is not None:
            year = clock.today().year
            services.set_annual_plan(programme=programme, year=year, candidates=candidates, **who)
        return _address(programme)

    intro = (
        "推进办手工开设的项目没有申报记录，页面会注明；经批次申报批准的，由批准自动开设，不在这里登记。"
        f"合作协议仍须补签并登记（{standing.AGREEMENT_CLAUSE}）。"
    )
    cancel_url = reverse("schools:detail", args=[school.pk])
    form = ProgrammeForm(request.POST or None)
    return form_page(request, form, f"{school}：开设试点项目", save, cancel_url, intro=intro)


@require_http_methods(["GET", "HEAD", "POST"])
def plan(request: HttpRequest, pk: int) -> HttpResponse:
    programme = _programme_to_edit(request, pk)

    def save(form: forms.Form) -> str:
        services.set_annual_plan(programme=programme, **form.cleaned_data, by=request.user, at=clock.now())
        return _address(programme)

    form = PlanForm(request.POST or None, programme=programme, year=asked_year(request))
    heading = f"{programme.school}：{programme} 年度计划"
    return form_page(request, form, heading, save, _address(programme))


@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, pk: int) -> HttpResponse:
    programme = _programme_to_edit(request, pk)

    def save(form: forms.Form) -> str:
        reason = form.cleaned_data["reason"]
        services.end_programme(programme=programme, reason=reason, by=request.user, at=clock.now())
        return _address(programme)

    context = {
        "text": "自现在起该校不再开展这个证书等级的试点，以后各周的周报中不再出现；已报的数据保留。",
        "dangerous": True,
        "submit_label": "结束试点项目",
        "template": "core/confirm.html",
    }
    heading = f"{programme.school}：结束 {programme}"
    return form_page(request, EndForm(request.POST or None), heading, save, _address(programme), **context)


@require_http_methods(["GET", "HEAD", "POST"])
def courses(request: HttpRequest, pk: int) -> HttpResponse:
    programme = _programme(request, pk)
    if not permissions.may_tell_courses(request.user, programme):
        raise PermissionDenied(COURSES_ARE_THE_SCHOOLS)

    def save(form: forms.Form) -> str:
        services.tell_courses(programme=programme, **form.cleaned_data, by=request.user, at=clock.now())
        return _address(programme)

    form = CoursesForm(request.POST or None, request.FILES or None, initial={"courses": programme.courses})
    intro = (
        "学校要把证书培训内容融入专业人才培养方案，修订课程（晋教职成〔2020〕9号 三.4；鄂教职成办函〔2021〕7号 三.3）。"
        "上传的文件保留在项目页上。"
    )
    return form_page(request, form, f"{programme}：融入课程", save, _address(programme), intro=intro)


def _address(programme: Programme) -> str:
    return reverse("schools:programme", args=[programme.pk])


def _programme(request: HttpRequest, pk: int) -> Programme:
    programmes = Programme.objects.visible_to(request.user).select_related(
        "school__organization__city",
        "school__organization__supervisor",
        "certificate_level__certificate__owner",
        "origin__application__round",
    )
    return get_object_or_404(programmes, pk=pk)


def _programme_to_edit(request: HttpRequest, pk: int) -> Programme:
    programme = _programme(request, pk)
    if not permissions.may_edit(request.user, programme.school):
        raise PermissionDenied(OFFICE_ONLY)
    return programme
