"""Exam sites: published conditions, applications, their reviews, the list, the public page."""

import datetime as dt
from collections.abc import Callable
from typing import Any, NamedTuple

from django import forms as django_forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts import typed
from accounts.models import User
from certificates.models import Certificate
from core import clock
from core.forms import VersionForm
from core.lists import ListPage
from core.workflow import NotNow
from evaluators import nearest, permissions
from evaluators.filters.sites import OWN, PublicFilter, SiteFilter
from evaluators.forms import sites as forms
from evaluators.models import ExamSite, SiteCondition
from evaluators.services import sites as services
from evaluators.services.site_conditions import current_condition
from evaluators.tables.sites import SiteTable
from evaluators.workflow import SITE_CLAUSE
from evaluators.workflow import site as lifecycle
from schools.models import School

NOT_FOR_ROLE = "考核站点由试点各方办理；公布的条件和站点请看“考核站点（公布）”。"
State = ExamSite.State


class Act(NamedTuple):
    """A step on one site: its label, what it asks for, what carries it out, what follows."""

    label: str
    form: type[django_forms.Form]
    carry_out: Callable[..., Any]
    consequences: tuple[str, ...]
    dangerous: bool = False


def _verb(action: str, form: type[django_forms.Form], *consequences: str) -> Act:
    row = lifecycle.transition(action)
    return Act(row.label, form, lifecycle.verbs[action], consequences, row.dangerous)


ACTS = {
    "agree": _verb("site_agree", VersionForm, "转省推进办备案，期限五个工作日。", "通知学校。"),
    "file": _verb(
        "site_file",
        VersionForm,
        "自备案起是考核站点，列入公布名单，计入覆盖表。",
        "通知学校和评价组织。",
    ),
    "return": _verb("site_return", forms.RefusalForm, "由学校修改后重新申报，再由评价组织办理。"),
    "refuse": _verb("site_refuse", forms.RefusalForm, "这次申报不再办理；学校可以另行申报。"),
    "withdraw": _verb("site_withdraw", forms.CommentForm, "这次申报不再办理；以后可以重新申报。"),
    "end": _verb(
        "site_end", forms.EndForm, "不再列入公布名单，不计入覆盖表；记录保留。", "通知学校和评价组织。"
    ),
    "ask-to-end": Act(
        "请求撤销站点",
        forms.CommentForm,
        services.ask_to_end,
        ("由省推进办办理；撤销以前仍是考核站点。",),
        dangerous=True,
    ),
    "keep": Act("不撤销，继续设站", forms.CommentForm, services.keep, ("答复学校，站点不变。",)),
}


# --- Lists


class SiteList(ListPage):
    model = ExamSite
    table_class = SiteTable
    filterset_class = SiteFilter
    template_name = "evaluators/sites/list.html"
    heading = "考核站点"
    subtitle = f"评价组织公布条件，试点院校对照申报，评价组织同意后报省备案（{SITE_CLAUSE}）。"
    empty_text = "还没有考核站点。由试点院校对照评价组织公布的条件申报。"
    export_name = "考核站点"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        require_seer(request.user)
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Any]:
        user = self.request.user
        party = ExamSite.objects.of_party(user).filter(pk=OuterRef("pk"))
        return sites_of(user).annotate(is_party=Exists(party))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.request.user
        return super().get_context_data(
            may_import=permissions.may_import_sites(user),
            may_apply=permissions.may_apply_for_sites(user),
            may_see_coverage=permissions.may_see_coverage(user),
            is_school=permissions.is_of_a_school(user),
            own_label=OWN.get(user.role, ""),
            **kwargs,
        )


@login_not_required
@require_safe
def public(request: HttpRequest) -> HttpResponse:
    """Conditions of now and filed sites, certificate by certificate, for everybody."""
    conditions = SiteCondition.objects.current()
    filed = ExamSite.objects.filed()
    chosen = PublicFilter(request.GET or None, queryset=Certificate.objects.all(), request=request)
    is_valid = not chosen.is_bound or chosen.is_valid()
    city = chosen.form.cleaned_data.get("city") if chosen.is_bound and is_valid else None
    shown = chosen.qs if is_valid else Certificate.objects.none()
    shown = shown.filter(
        Exists(conditions.filter(certificate=OuterRef("pk")))
        | Exists(filed.filter(certificate=OuterRef("pk")))
    )
    sites = (
        (filed.filter(city=city) if city else filed).select_related("city", "county").order_by("city", "pk")
    )
    certificates = shown.select_related("owner").prefetch_related(
        Prefetch("site_conditions", conditions, to_attr="conditions_now"),
        Prefetch("sites", sites, to_attr="filed_sites"),
    )
    paginator = Paginator(certificates.order_by("name", "pk"), 20)
    page = paginator.get_page(request.GET.get("page"))
    context = {
        "filter": chosen,
        "page": page,
        "page_numbers": list(paginator.get_elided_page_range(page.number)),
        "count": paginator.count,
        "is_filtered": bool(request.GET),
        "day": clock.today(),
    }
    return render(request, "evaluators/sites/public.html", context)


# --- Applying


@typed.keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
def apply(request: HttpRequest, certificate: int) -> HttpResponse:
    user, at = request.user, clock.now()
    if not permissions.may_apply_for_sites(user):
        raise PermissionDenied(services.BY_THE_SCHOOL)
    wanted = get_object_or_404(Certificate.objects.select_related("owner"), pk=certificate)
    against = current_condition(wanted)
    if against is None or (refusal := services.why_not_apply(user, wanted, at)):
        reasons = [services.NO_CONDITION if against is None else refusal]
        return _refused(request, f"申报考核站点：{wanted}", reasons, reverse("sites:conditions"))
    school = School.objects.get(pk=user.organization_id)
    there = own_sites(school.pk).get(wanted.pk)
    # The same form sent again meets the first in the service.
    if there and request.method != "POST":
        return redirect(_address(there))
    draft = ExamSite(certificate=wanted, school=school)
    return _application(
        request, draft, against, lambda given: services.apply(wanted, **given, by=user, at=at)
    )


@typed.keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """A returned application, mended against the condition of now."""
    site, user, at = _site(request, pk), request.user, clock.now()
    row = lifecycle.transition("site_reapply")
    if reason := row.forbids(user, site):
        raise PermissionDenied(reason)
    against = current_condition(site.certificate)
    reasons = lifecycle.missing(row, site, at)
    if reasons or against is None:
        return _refused(request, row.label, reasons or [services.NO_CONDITION], _address(site))
    return _application(
        request, site, against, lambda given: lifecycle.run("site_reapply", site, **given, by=user, at=at)
    )


def _application(
    request: HttpRequest, site: ExamSite, against: SiteCondition, send: Callable[[dict[str, Any]], ExamSite]
) -> HttpResponse:
    form = forms.SiteForm(
        request.POST if request.method == "POST" else typed.take(request),
        request.FILES or None,
        instance=site,
        against=against,
        city=site.school.organization.city,
    )
    if request.method == "POST" and form.is_valid():
        try:
            sent = send(form.given())
        except ValidationError as error:
            form.add_error(None, _placed(error, form))
        except NotNow as refusal:
            return _refused(request, "申报考核站点", refusal.reasons, _address(site))
        else:
            messages.success(request, "已申报，待评价组织同意。")
            return redirect(_address(sent))
    context = {"form": form, "site": site, "condition": against}
    return render(request, "evaluators/sites/form.html", context, status=422 if form.errors else 200)


def _placed(error: ValidationError, form: django_forms.Form) -> ValidationError:
    """What the service says of fields that this form has not goes to the top."""
    if not hasattr(error, "error_dict"):
        return error
    placed: dict[str, list[Any]] = {}
    for name, texts in error.message_dict.items():
        placed.setdefault(name if name in form.fields else "__all__", []).extend(texts)
    return ValidationError(placed)


# --- One site


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    site, user, at = _site(request, pk), request.user, clock.now()
    is_party = permissions.may_see_review(user, site)
    context = {
        "site": site,
        "is_party": is_party,
        "is_own": _is_own(site, user),
        "answered_by": "省推进办" if site.returned_from == State.AGREED else "评价组织",
        "duty": services.duties_of(site).pending().select_related("organization").first()
        if is_party
        else None,
        "offers": _offers(site, user, at),
        "anew": _anew(site, user, at),
        "may_edit": not lifecycle.transition("site_reapply").forbids(user, site)
        and site.state == State.RETURNED,
        "loss": nearest.loss_of(site, at) if is_party and site.state == State.FILED else None,
        "year": clock.today().year,
    }
    return render(request, "evaluators/sites/detail.html", context)


@typed.keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
def act(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    site, user, at = _site(request, pk), request.user, clock.now()
    if action not in ACTS:
        raise Http404
    row = ACTS[action]
    if refusal := _forbids(action, site, user):
        raise PermissionDenied(refusal)
    if reasons := _not_now(action, site, at):
        return _refused(request, row.label, reasons, _address(site))
    data = request.POST if request.method == "POST" else typed.take(request)
    form = row.form(data, initial={"ended_on": clock.today(), "version": site.version})
    if request.method == "POST" and form.is_valid():
        try:
            row.carry_out(site, **form.cleaned_data, by=user, at=at)
        except ValidationError as error:
            form.add_error(None, error)
        except NotNow as refusal:
            return _refused(request, row.label, refusal.reasons, _address(site))
        else:
            messages.success(request, f"已办理：{row.label}。")
            return redirect(_address(site))
    is_ending = action in {"end", "ask-to-end"}
    context = {
        "site": site,
        "row": row,
        "form": form,
        "loss": nearest.loss_of(site, at) if is_ending else None,
        "year": clock.today().year,
    }
    return render(request, "evaluators/sites/act.html", context, status=422 if form.errors else 200)


class Anew(NamedTuple):
    """After an application that came to nothing: the school's site since then, or why not to apply; ""."""

    there: ExamSite | None
    refusal: str


def _anew(site: ExamSite, user: User, at: dt.datetime) -> Anew | None:
    """For the contact of the school whose application is over."""
    if site.state not in {State.REFUSED, State.ENDED} or not _is_own(site, user):
        return None
    there = own_sites(site.school_id).get(site.certificate_id)
    return Anew(there, services.why_not_apply(user, site.certificate, at))


def _is_own(site: ExamSite, user: User) -> bool:
    return permissions.may_apply_for_sites(user) and user.organization_id == site.school_id


def _offers(site: ExamSite, user: User, at: dt.datetime) -> list[dict[str, Any]]:
    """The steps that stand next for this user, each open or with the reasons why it is not."""
    by_state: dict[str, tuple[str, ...]] = {
        State.APPLIED: ("agree", "return", "refuse", "withdraw"),
        State.AGREED: ("file", "return", "refuse", "withdraw"),
        State.RETURNED: ("withdraw",),
        State.FILED: ("end", "keep", "ask-to-end"),
    }
    return [
        {
            "row": ACTS[action],
            "address": reverse("sites:act", args=[site.pk, action]),
            "reasons": _not_now(action, site, at),
        }
        for action in by_state.get(site.state, ())
        if not _forbids(action, site, user) and (action != "keep" or site.ending_asked_at)
    ]


def _forbids(action: str, site: ExamSite, user: User) -> str:
    if action == "ask-to-end":
        return "" if _is_own(site, user) else services.ENDING_BY_THE_SCHOOL
    if action == "keep":
        return "" if permissions.may_file_sites(user) else services.ANSWERED_BY_THE_OFFICE
    return lifecycle.transition(f"site_{action}").forbids(user, site)


def _not_now(action: str, site: ExamSite, at: dt.datetime) -> list[str]:
    if action == "ask-to-end":
        return services.why_not_ask_to_end(site)
    if action == "keep":
        return services.why_not_keep(site)
    return lifecycle.missing(lifecycle.transition(f"site_{action}"), site, at)


def _refused(request: HttpRequest, label: str, reasons: list[str], back: str) -> HttpResponse:
    context = {"label": label, "reasons": reasons, "back": back}
    return render(request, "evaluators/sites/refused.html", context, status=409)


def require_seer(user: User) -> None:
    if not permissions.may_see_sites(user):
        raise PermissionDenied(NOT_FOR_ROLE)


def sites_of(user: User) -> QuerySet[ExamSite]:
    return ExamSite.objects.visible_to(user).select_related(
        "certificate__owner", "school__organization__city", "city", "county", "condition"
    )


def own_sites(school_id: int) -> dict[int, ExamSite]:
    """Certificate → the school's site or open application for it; one query."""
    return {site.certificate_id: site for site in ExamSite.objects.standing().filter(school=school_id)}


def _site(request: HttpRequest, pk: int) -> ExamSite:
    found = sites_of(request.user).select_related(
        "school__organization__supervisor", "applied_by__organization"
    )
    return get_object_or_404(found, pk=pk)


def _address(site: ExamSite) -> str:
    return reverse("sites:detail", args=[site.pk]) if site.pk else reverse("sites:conditions")
