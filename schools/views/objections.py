"""Objections: handed in and followed without signing in, answered by the office."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core import clock
from core.api import PortalThrottle
from core.fields import masked
from core.lists import ListPage
from obligations.views.checked import require
from schools import permissions, results
from schools.filters.publications import ObjectionFilter
from schools.forms.publications import (
    FollowForm,
    ObjectionAnswerForm,
    ObjectionForm,
    ReasonForm,
    TakenDownForm,
)
from schools.models import ApplicationItem, Objection, ResultList
from schools.services import objections as services
from schools.tables.publications import ObjectionTable
from schools.views.publications import public_list

form_methods = require_http_methods(["GET", "HEAD", "POST"])
SEEN_BY = "公示异议供省级查看，由省推进办答复。异议人请凭受理编号查询。"
_RECEIPT = "objection_receipt"


class ObjectionThrottle(PortalThrottle):
    """Objections from one address."""

    scope = "objection"

    def get_rate(self) -> str:
        return "5/hour"


class FollowThrottle(PortalThrottle):
    """Receipts tried from one address."""

    scope = "objection-follow"

    def get_rate(self) -> str:
        return "20/hour"


_OFTEN = {
    ObjectionThrottle: "同一网络地址一小时内最多提交 5 件异议，这一件没有提交。请稍后再试，或用电话、来信向省推进办提出。",
    FollowThrottle: "查询过于频繁，请一小时后再试，或向省推进办询问。",
}


def _within_rate(request: HttpRequest, form: Any, throttle: type[PortalThrottle]) -> bool:
    """Whether this address may go on; what is refused is told at the top of the form."""
    if throttle().allow_request(request, None):
        return True
    form.add_error(None, ValidationError(_OFTEN[throttle], code="too_often"))
    return False


def _status(form: Any) -> int:
    if form.has_error("__all__", "too_often"):
        return 429
    return 422 if form.errors else 200


# --- without signing in


@login_not_required
@never_cache
@form_methods
def objection_new(request: HttpRequest, pk: int) -> HttpResponse:
    """An objection to a running 公示; its receipt stands on the next page."""
    shown, at = public_list(pk), clock.now()
    if not shown.is_open(at):
        return render(request, "schools/publications/objection_closed.html", {"shown": shown}, status=403)
    form = ObjectionForm(
        request.POST or None, result_list=shown, initial={"school": request.GET.get("school", "")}
    )
    if request.method == "POST" and form.is_valid() and _within_rate(request, form, ObjectionThrottle):
        given = form.cleaned_data
        school = given.pop("school")
        try:
            kept = services.receive_objection(result_list=shown, school_code=school, **given, at=at)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            request.session[_RECEIPT] = kept.receipt
            return redirect("publications:objected", shown.pk)
    context = {"shown": shown, "form": form}
    return render(request, "schools/publications/objection_new.html", context, status=_status(form))


@login_not_required
@never_cache
@require_safe
def objected(request: HttpRequest, pk: int) -> HttpResponse:
    """The receipt of what was just handed in from this browser."""
    receipt = request.session.get(_RECEIPT)
    if not receipt:
        return redirect("publications:list", pk)
    context = {"shown": public_list(pk), "receipt": receipt, "days": services.ANSWER_WORKING_DAYS}
    return render(request, "schools/publications/objected.html", context)


@login_not_required
@never_cache
@form_methods
def follow(request: HttpRequest) -> HttpResponse:
    """How an objection stands, for who knows its receipt and contact; an unknown receipt and a wrong
    contact get one answer."""
    form, found = FollowForm(request.POST or None), None
    if request.method == "POST" and form.is_valid() and _within_rate(request, form, FollowThrottle):
        found = services.find_objection(**form.cleaned_data)
        if found is None:
            form.add_error(None, "没有找到：受理编号与联系方式不相符。请核对后再查。")
    context = {"form": form, "objection": found}
    return render(request, "schools/publications/follow.html", context, status=_status(form))


# --- the office


class ObjectionList(ListPage):
    model = Objection
    table_class = ObjectionTable
    filterset_class = ObjectionFilter
    heading = "公示异议"
    subtitle = "网上提交的和来电、来信登记的。异议人的信息不列入。"
    empty_text = "没有异议。公示期内，公众可在公示页面提出。"
    export_name = "公示异议"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        require(permissions.may_see_objections(request.user), SEEN_BY)
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Objection]:
        rows = super().queryset().with_due().select_related("about", "result_list")
        return rows.defer("result_list__rows", "name", "contact")


def _objection(request: HttpRequest, pk: Any) -> Objection:
    found = Objection.objects.visible_to(request.user).select_related(
        "about", "result_list__round", "taken_by", "answered_by"
    )
    return get_object_or_404(found.defer("result_list__rows"), pk=pk)


def _show(request: HttpRequest, found: Objection, **more: Any) -> HttpResponse:
    user = request.user
    acts = permissions.may_publish(user)
    listed = ApplicationItem.objects.visible_to(user).filter(pk__in=results.items_about(found))
    context = {
        "objection": found,
        "owed": services.owed_answer(found),
        "items": listed.select_related("certificate_level__certificate").order_by("pk"),
        "may_open": found.about and permissions.may_open_school(user, found.about),
        "masked_name": masked(found.name, head=1, tail=0),
        "masked_contact": masked(found.contact),
        "may_answer": acts and not found.answered_at,
        "may_keep": acts and found.is_upheld,
        "may_reveal": permissions.may_reveal_objector(user),
        "reason_form": ReasonForm(),
        "revealed": None,
        **more,
    }
    return render(request, "schools/publications/objection.html", context)


@require_safe
def objection(request: HttpRequest, pk: Any) -> HttpResponse:
    return _show(request, _objection(request, pk))


@require_POST
def reveal(request: HttpRequest, pk: Any) -> HttpResponse:
    found = _objection(request, pk)
    require(permissions.may_reveal_objector(request.user), "异议人的信息只供省推进办核实异议时查看。")
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _show(request, found, reason_form=form)
    revealed = services.reveal_objector(
        found, reason=form.cleaned_data["reason"], by=request.user, at=clock.now()
    )
    response = _show(request, found, revealed=revealed)
    response["Cache-Control"] = "no-store"
    return response


@form_methods
def answer(request: HttpRequest, pk: Any) -> HttpResponse:
    found = _objection(request, pk)
    require(permissions.may_publish(request.user), services.ONLY_OFFICE)

    def save(given: dict[str, Any]) -> None:
        services.answer_objection(
            found,
            is_upheld=given["verdict"] == "upheld",
            answer=given["answer"],
            by=request.user,
            at=clock.now(),
        )

    form = ObjectionAnswerForm(request.POST or None)
    return _act(request, found, form, save, "答复异议", "已答复，异议人凭受理编号可以看到。")


@form_methods
def keep(request: HttpRequest, pk: Any) -> HttpResponse:
    found = _objection(request, pk)
    require(permissions.may_publish(request.user), services.ONLY_OFFICE)

    def save(given: dict[str, Any]) -> None:
        services.keep_listed(found, **given, by=request.user, at=clock.now())

    form = ReasonForm(request.POST or None)
    return _act(request, found, form, save, "写明名单不变的理由", "理由已记录。")


def _act(
    request: HttpRequest, found: Objection, form: Any, save: Any, heading: str, done: str
) -> HttpResponse:
    back = reverse("publications:objection", args=[found.pk])
    if request.method == "POST" and form.is_valid():
        try:
            save(form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, done)
            return redirect(back)
    context = {
        "heading": heading,
        "intro": f"{found.receipt}　{found.about or '不针对某一所院校'}：{found.text}",
        "form": form,
        "submit_label": heading,
        "cancel_url": back,
    }
    return render(request, "core/form_page.html", context, status=_status(form))


@form_methods
def take_down(request: HttpRequest, pk: int) -> HttpResponse:
    """One that came by phone or letter within the days of the 公示."""
    shown = get_object_or_404(ResultList.objects.visible_to(request.user).proposed(), pk=pk)
    require(permissions.may_publish(request.user), services.ONLY_OFFICE)
    form = TakenDownForm(request.POST or None, result_list=shown)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            kept = services.receive_objection(
                result_list=shown,
                school_code=given.pop("school"),
                **given,
                by=request.user,
                at=clock.now(),
            )
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, f"已登记，受理编号 {kept.receipt}。请告知异议人。")
            return redirect("publications:objection", kept.pk)
    context = {
        "heading": "登记来电、来信的异议",
        "intro": shown.title,
        "form": form,
        "submit_label": "登记",
        "cancel_url": reverse("publications:round", args=[shown.round_id]),
    }
    return render(request, "core/form_page.html", context, status=_status(form))
