"""A school's teachers and their qualifications; trainers per student; the province's rule."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import typed
from accounts.models import Role
from core import clock
from core.lists import ListPage
from evaluators import permissions, shares
from evaluators.filters.teachers import RatioFilter, TeacherFilter
from evaluators.forms.teachers import QualificationForm, RuleForm, TeacherForm
from evaluators.forms.trainers import LeaveForm
from evaluators.models import Qualification, SignUp, Teacher, TrainingRule
from evaluators.services import teachers as services
from evaluators.tables.teachers import RatioTable, TeacherTable
from evaluators.views.trainers import form_page, sent

NOT_FOR_ROLE = "教师和资格由推进办、市教育局和本校查看，评价组织查看报名参加其活动的教师。"
NOT_ASKED = "本省未作要求。省里制定规则、写明每名培训师对应的学生数以后，这里按院校和证书显示师生比。"
QUALIFICATION = ("certificate_level", "kind", "number", "obtained_on", "valid_until")


class TeacherList(ListPage):
    model = Teacher
    table_class = TeacherTable
    filterset_class = TeacherFilter
    template_name = "evaluators/teachers/list.html"
    heading = "教师与资格"
    empty_text = "还没有登记教师。"
    export_name = "教师与资格"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not permissions.may_see_teachers(request.user):
            raise PermissionDenied(NOT_FOR_ROLE)
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Any]:
        held = Qualification.objects.visible_to(self.request.user)
        rows = super().queryset().select_related("school__organization")
        rows = rows.prefetch_related(
            Prefetch(
                "qualifications",
                held.select_related("certificate_level__certificate"),
                to_attr="shown_qualifications",
            )
        )
        return rows.defer("phone", "school__contact_mobile")

    def get_table_kwargs(self) -> dict[str, Any]:
        return {"own": self.request.user.role in Role.of_a_school()}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.request.user
        may_keep = permissions.may_keep_teachers(user)
        soon = Qualification.objects.visible_to(user).expiring(clock.today())
        context = super().get_context_data(
            may_keep=may_keep,
            expiring=soon.values("teacher").distinct().count(),
            may_see_ratios=permissions.may_see_ratios(user),
            **kwargs,
        )
        if may_keep:
            context |= {"empty_url": reverse("teachers:new"), "empty_label": "登记教师"}
        return context


@require_safe
def detail(request: HttpRequest, pk: Any) -> HttpResponse:
    teacher, user, today = _teacher(request, pk), request.user, clock.today()
    held = Qualification.objects.visible_to(user).filter(teacher=teacher)
    held = held.select_related("certificate_level__certificate", "activity")
    sign_ups = SignUp.objects.visible_to(user).active().filter(teacher=teacher)
    own = permissions.may_keep_teachers(user) and user.organization_id == teacher.school_id
    context = {
        "teacher": teacher,
        "qualifications": [(q, q.state_on(today)) for q in held],
        "sign_ups": sign_ups.select_related("activity").order_by("-activity__starts_at"),
        "own": own,
        # What other organisations did with the teacher is not for an evaluator.
        "sees_record": user.role != Role.EVALUATOR,
    }
    return render(request, "evaluators/teachers/detail.html", context)


def _teacher(request: HttpRequest, pk: Any) -> Teacher:
    rows = Teacher.objects.visible_to(request.user).select_related("school__organization")
    found: Teacher = get_object_or_404(rows, pk=pk)
    return found


def _own_teacher(request: HttpRequest, pk: Any) -> Teacher:
    teacher = _teacher(request, pk)
    own = teacher.school_id == request.user.organization_id
    if not (own and permissions.may_keep_teachers(request.user)):
        raise PermissionDenied(services.OWN_SCHOOL)
    return teacher


def _address(teacher: Teacher) -> str:
    return reverse("teachers:detail", args=[teacher.pk])


@typed.keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    if not permissions.may_keep_teachers(request.user):
        raise PermissionDenied(services.OWN_SCHOOL)

    def save(form: forms.Form) -> str:
        given = form.cleaned_data
        return _address(services.add_teacher(fields=given, by=request.user, at=clock.now()))

    form = TeacherForm(sent(request))
    return form_page(request, form, "登记教师", save, reverse("teachers:list"))


@typed.keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: Any) -> HttpResponse:
    teacher = _own_teacher(request, pk)

    def save(form: forms.Form) -> str:
        services.change_teacher(teacher, fields=form.cleaned_data, by=request.user, at=clock.now())
        return _address(teacher)

    initial = {name: getattr(teacher, name) for name in services.FIELDS}
    form = TeacherForm(sent(request), initial=initial)
    return form_page(request, form, f"修改：{teacher}", save, _address(teacher))


@typed.keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest, pk: Any) -> HttpResponse:
    teacher = _own_teacher(request, pk)

    def save(form: forms.Form) -> str:
        services.leave(teacher, **form.cleaned_data, by=request.user, at=clock.now())
        return _address(teacher)

    form = LeaveForm(sent(request), initial={"left_on": clock.today()})
    return form_page(request, form, f"登记离校：{teacher}", save, _address(teacher))


# --- Qualifications


@typed.keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
def qualify(request: HttpRequest, pk: Any) -> HttpResponse:
    teacher = _own_teacher(request, pk)

    def save(form: forms.Form) -> str:
        services.hold(teacher=teacher, fields=form.cleaned_data, by=request.user, at=clock.now())
        return _address(teacher)

    form = QualificationForm(sent(request), school_id=teacher.school_id)
    return form_page(request, form, f"登记资格：{teacher}", save, _address(teacher))


@typed.keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
def qualification(request: HttpRequest, pk: int) -> HttpResponse:
    """Change or renew one that the school entered."""
    held, teacher = _own_qualification(request, pk)

    def save(form: forms.Form) -> str:
        services.hold(
            teacher=teacher, fields=form.cleaned_data, qualification=held, by=request.user, at=clock.now()
        )
        return _address(teacher)

    initial = {name: getattr(held, name) for name in QUALIFICATION}
    form = QualificationForm(
        sent(request),
        school_id=teacher.school_id,
        keep=held.certificate_level_id,
        initial=initial | {"certificate_level": held.certificate_level_id},
    )
    return form_page(request, form, f"修改资格：{teacher}", save, _address(teacher))


@require_http_methods(["GET", "HEAD", "POST"])
def remove_qualification(request: HttpRequest, pk: int) -> HttpResponse:
    held, teacher = _own_qualification(request, pk)
    if request.method == "POST":
        services.remove_qualification(held, by=request.user, at=clock.now())
        messages.success(request, "已删除。")
        return redirect(_address(teacher))
    context = {
        "heading": f"删除资格：{teacher}",
        "text": f"{held.certificate_level} {held.get_kind_display()}。只用于登记有误的；到期的不必删除。",
        "dangerous": True,
        "submit_label": "删除",
        "cancel_url": _address(teacher),
    }
    return render(request, "core/confirm.html", context)


def _own_qualification(request: HttpRequest, pk: int) -> tuple[Qualification, Teacher]:
    rows = Qualification.objects.visible_to(request.user)
    held = get_object_or_404(rows.select_related("certificate_level__certificate"), pk=pk)
    teacher = _own_teacher(request, held.teacher_id)
    if held.activity_id is not None:
        raise PermissionDenied(services.FROM_ACTIVITY)
    return held, teacher


# --- Trainers per student


class RatioList(ListPage):
    table_class = RatioTable
    filterset_class = RatioFilter
    template_name = "evaluators/teachers/ratios.html"
    heading = "培训师与学生之比"
    empty_text = "您可以查看的范围内，今年没有试点计划。"
    export_name = "培训师与学生之比"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not permissions.may_see_ratios(request.user):
            raise PermissionDenied("师生比由推进办、市教育局和本校查看。")
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Any]:
        rows = shares.with_majors(shares.ratios(self.request.user, clock.today()))
        rows = rows.select_related("school__organization", "certificate_level__certificate")
        return rows.defer("courses", "school__contact_mobile")

    def get_table_kwargs(self) -> dict[str, Any]:
        return {"own": self.request.user.role in Role.of_a_school()}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user, today = self.request.user, clock.today()
        rule = TrainingRule.objects.on(today)
        if rule.students_per_trainer is None:
            self.filterset_class = None
            self.empty_text = NOT_ASKED
        return super().get_context_data(
            rule=rule,
            rules=TrainingRule.objects.visible_to(user),
            today=today,
            lacking=shares.ratios(user, today).filter(lacking__gt=0).count(),
            clause=shares.RATIO_CLAUSE,
            may_set=permissions.may_set_training_rule(user),
            **kwargs,
        )


@typed.keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
def rule(request: HttpRequest) -> HttpResponse:
    if not permissions.may_set_training_rule(request.user):
        raise PermissionDenied(services.RULES_BY)

    def save(form: forms.Form) -> str:
        services.set_rule(fields=form.cleaned_data, by=request.user, at=clock.now())
        return reverse("teachers:ratios")

    form = RuleForm(sent(request), initial={"effective_from": clock.today()})
    return form_page(request, form, "制定师资培训规则", save, reverse("teachers:ratios"))


@require_POST
def remove_rule(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(TrainingRule.objects.visible_to(request.user), pk=pk)
    try:
        services.remove_rule(found, by=request.user, at=clock.now())
    except ValidationError as error:
        messages.error(request, error.messages[0])
    else:
        messages.success(request, "已撤销。")
    return redirect("teachers:ratios")
