"""Cooperation agreements: the lists, registering one, one of them, and the steps afterwards."""

import datetime as dt
from collections.abc import Callable
from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts import typed
from accounts.models import User
from certificates.models import CertificateLevel
from core import clock
from core.links import local_path
from core.lists import ListPage
from core.templatetags.portal import full_day
from schools import agreement_lists as lists
from schools import agreement_rules as rules
from schools import permissions
from schools.filters.agreements import AgreementFilter, MissingFilter
from schools.forms.agreements import AgreementForm, EndForm, FilesForm, ReasonForm, renewal
from schools.models import Agreement, ApplicationItem
from schools.services import agreements as services
from schools.services import filling_in
from schools.tables.agreements import AgreementTable, MissingTable

NOT_FOR_ROLE = "您的角色没有查看合作协议的权限；推进办、市教育局、评价组织和签署协议的院校可以查看。"


class Act(NamedTuple):
    """A step on one agreement: its name, what it asks for, what carries it out, what is said afterwards."""

    label: str
    form: type[forms.Form]
    carry_out: Callable[..., Any]
    done: str
    dangerous: bool = False


ACTS = {
    "confirm": Act("确认共同签署", forms.Form, services.confirm, "已确认，协议对本校作数。"),
    "decline": Act("答复不参加", ReasonForm, services.decline, "已答复不参加。"),
    "add": Act("补充文件", FilesForm, services.add_files, "文件已保存。"),
    "end": Act("终止协议", EndForm, services.end, "已登记终止。", dangerous=True),
    "void": Act("作废", ReasonForm, services.void, "已作废。请重新登记正确的协议。", dangerous=True),
}


class AgreementList(ListPage):
    model = Agreement
    table_class = AgreementTable
    filterset_class = AgreementFilter
    template_name = "schools/agreements/list.html"
    heading = "合作协议"
    subtitle = f"签署试点合作协议前，不得开展试点；鼓励院校联合与评价组织协商（{rules.CLAUSE}）。"
    empty_text = "您可以查看的范围内还没有合作协议。由签署协议的院校联系人登记。"
    export_name = "合作协议"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        _require_seer(request.user)
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Any]:
        rows = lists.agreements(self.request.user, clock.today())
        rows = rows.select_related("certificate_level__certificate", "evaluator", "registered_by")
        return rows.prefetch_related("parties__school__organization")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user, day = self.request.user, clock.today()
        context = super().get_context_data(
            may_register=permissions.may_register_agreements(user),
            missing=lists.missing(user, day).count(),
            expiring=lists.expiring(user, day).count(),
            awaiting=lists.awaiting(user, day).count(),
            **kwargs,
        )
        if context["may_register"]:
            context |= {"empty_url": reverse("agreements:new"), "empty_label": "登记协议"}
        return context


class MissingList(ListPage):
    """Running programmes without an agreement in force: of the first roster, or expired, or ended."""

    table_class = MissingTable
    filterset_class = MissingFilter
    heading = "没有生效协议的试点项目"
    subtitle = f"签署试点合作协议前，不得开展试点（{rules.CLAUSE}）。正在开展的，请尽快签署并登记。"
    empty_text = "每个正在开展的试点项目都有生效的合作协议。"
    export_name = "没有生效协议的试点项目"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        _require_seer(request.user)
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Any]:
        rows = lists.with_last_agreement(lists.missing(self.request.user, clock.today()))
        return rows.select_related("certificate_level__certificate__owner", "school__organization__city")

    def get_table_kwargs(self) -> dict[str, Any]:
        return {"may_register": permissions.may_register_agreements(self.request.user)}


@typed.keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    user = request.user
    if not permissions.may_register_agreements(user):
        raise PermissionDenied(services.BY_THE_SCHOOL)
    form = AgreementForm(
        request.POST or typed.take(request), request.FILES or None, user=user, initial=_asked(request)
    )
    if request.method == "POST" and form.is_valid():
        try:
            agreement = services.register(**form.given(), by=user, at=clock.now())
        except ValidationError as error:
            form.add_error(None, error)
        else:
            chosen = _choose(request, agreement)
            messages.success(request, f"已登记{agreement}{'，并已选用' if chosen else ''}。")
            return redirect(form.cleaned_data["next"] or _address(agreement))
    context = {
        "form": form,
        "heading": "登记合作协议",
        "intro": _bounds_today(request),
        "submit_label": "登记",
        "cancel_url": local_path(request.GET.get("next", "")) or reverse("agreements:list"),
    }
    return render(request, "core/form_page.html", context, status=422 if form.errors else 200)


def _choose(request: HttpRequest, agreement: Agreement) -> bool:
    """Whether the item from whose page one came to register waits for it: it is chosen there."""
    wanted, at = request.GET.get("item", ""), clock.now()
    rows = ApplicationItem.objects.visible_to(request.user).filter(
        is_renewal=False, certificate_level=agreement.certificate_level
    )
    item = rows.filter(pk=wanted).first() if wanted.isdecimal() else None
    if item is None or filling_in.locked(item, at):
        return False
    filling_in.choose_agreement(item=item, agreement=agreement, by=request.user, at=at)
    typed.forget(request, reverse("applications:item", args=[item.pk]))
    return True


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    agreement, user, at = _agreement(request, pk), request.user, clock.now()
    school_id = lists.own_school(user) or agreement.organization_id
    items = ApplicationItem.objects.visible_to(user).handed_in().filter(agreement=agreement)
    party = rules.party_of(agreement, user)
    context = {
        "agreement": agreement,
        "parties": list(agreement.parties.all()),
        "fee_words": lists.fee_words(agreement, school_id),
        "items": items.select_related("application__round", "application__school__organization"),
        "programmes": lists.resting_on(agreement, user, at).select_related("school__organization"),
        "offers": _offers(agreement, user, at),
        "may_renew": permissions.may_register_agreements(user) and party and party.state == "confirmed",
    }
    return render(request, "schools/agreements/detail.html", context)


@typed.keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
def act(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    agreement, user, row = _agreement(request, pk), request.user, ACTS[action]
    if refusal := rules.forbids(action, agreement, user):
        raise PermissionDenied(refusal)
    form = row.form(
        request.POST if request.method == "POST" else typed.take(request),
        request.FILES or None,
        initial={"ended_on": clock.today()},
    )
    if request.method == "POST" and form.is_valid():
        try:
            row.carry_out(agreement, **form.cleaned_data, by=user, at=clock.now())
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, row.done)
            return redirect(_address(agreement))
    context = {
        "agreement": agreement,
        "row": row,
        "form": form,
        "refusal": rules.not_now(action, agreement, user, clock.now()),
        "consequences": CONSEQUENCES[action](agreement, user),
    }
    return render(request, "schools/agreements/act.html", context, status=422 if form.errors else 200)


def _on_confirm(agreement: Agreement, user: User) -> list[str]:
    return [
        f"本校以 {agreement.fee:.2f} 元/人的考核费用共同签署这份协议，"
        f"有效期至{full_day(agreement.valid_until)}。",
        "确认后可以用于本校的申报；之后只能终止，不能撤回确认。",
    ]


def _on_decline(agreement: Agreement, user: User) -> list[str]:
    return ["本校不是这份协议的一方；协议对其他院校不变。", "登记的院校会收到您写的原因。"]


def _on_add(agreement: Agreement, user: User) -> list[str]:
    return ["文件加入这份协议，原有文件保留，上传后不能撤下。", "评价组织和签署的院校都能看到。"]


def _on_end(agreement: Agreement, user: User) -> list[str]:
    alone = rules.stays_for_others(agreement, user)
    scope = "只终止本校的协议，其他院校不变。" if alone else "协议自终止日期起对全部签署院校失效。"
    lines = [scope, "原因和材料，培训评价组织和共同签署的院校都能看到。"]
    if bare := lists.left_without(agreement, user, clock.now()):
        names = "、".join(f"{programme.school} {programme}" for programme in bare)
        lines.append(f"这些试点项目将没有生效的协议，须另行签署并登记（{rules.CLAUSE}）：{names}。")
    return lines


def _on_void(agreement: Agreement, user: User) -> list[str]:
    return [
        "登记有误的才作废：这份协议从签署之日起不作数，不能恢复，记录保留。",
        "作废后请重新登记正确的协议。停止合作的，请用“终止协议”。",
    ]


CONSEQUENCES = {
    "confirm": _on_confirm,
    "decline": _on_decline,
    "add": _on_add,
    "end": _on_end,
    "void": _on_void,
}


def _offers(agreement: Agreement, user: User, at: dt.datetime) -> list[dict[str, Any]]:
    """The steps that stand next for this user, each open or with the reason why it is not."""
    if agreement.ended_on:
        return []
    party = rules.party_of(agreement, user)
    is_asked = party is not None and party.state == "unconfirmed"
    actions = ["confirm", "decline"] if is_asked else ["add", "end", "void"]
    if party is not None and party.state in {"left", "declined"}:
        actions = []
    return [
        {
            "row": ACTS[action],
            "address": reverse(f"agreements:{action}", args=[agreement.pk]),
            "reason": rules.not_now(action, agreement, user, at),
        }
        for action in actions
        if not rules.forbids(action, agreement, user)
    ]


def _asked(request: HttpRequest) -> dict[str, Any]:
    """What the address gives: a level, an agreement to renew, where to go afterwards."""
    asked: dict[str, Any] = {"next": local_path(request.GET.get("next", ""))}
    renew = request.GET.get("renew", "")
    if renew.isdecimal():
        old = Agreement.objects.visible_to(request.user).prefetch_related("parties")
        asked |= renewal(get_object_or_404(old, pk=renew), request.user.organization_id)
    if level := request.GET.get("level", ""):
        asked["certificate_level"] = level
    return asked


def _bounds_today(request: HttpRequest) -> str:
    """Before one types a fee: what would bind it, where the address names the level."""
    intro = f"先与评价组织协商培训、考核等费用，签署协议以后在这里登记（{rules.CLAUSE}）。"
    wanted = request.GET.get("level", "")
    level = CertificateLevel.objects.filter(pk=wanted).first() if wanted.isdecimal() else None
    if level is None:
        return intro
    words = [text for text, _ in lists.bounds(level, clock.today(), request.user.organization_id)]
    return f"{intro}今天签署的，{'；'.join(words)}。"


def _require_seer(user: User) -> None:
    if not permissions.may_see_agreements(user):
        raise PermissionDenied(NOT_FOR_ROLE)


def _agreement(request: HttpRequest, pk: int) -> Agreement:
    rows = lists.agreements(request.user, clock.today()).select_related(
        "evaluator", "certificate_level__certificate", "registered_by__organization"
    )
    found: Agreement = get_object_or_404(rows.prefetch_related("parties__school__organization"), pk=pk)
    return found


def _address(agreement: Agreement) -> str:
    return reverse("agreements:detail", args=[agreement.pk])
