"""A school's application as a whole: the rounds, the list of what is to be done, check, receipt, paper."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Role
from core import clock, links
from core.drafts import ChangedSince
from core.workflow import NotNow
from schools import content as shape
from schools import eligibility
from schools.eligibility import Standing
from schools.forms.applications import AddItemsForm
from schools.models import Application, ApplicationItem, ApplicationRound, ApplicationVersion, School
from schools.permissions import NOT_THE_APPLICANT, may_apply, may_see_own_applications
from schools.services import applications as services

State = ApplicationItem.State
MOST_ROUNDS = 20


def application_or_404(request: HttpRequest, pk: int) -> Application:
    rows = Application.objects.visible_to(request.user).select_related(
        "round", "school__organization", "reviewer", "current__submitted_by"
    )
    return get_object_or_404(rows.prefetch_related("round__extensions"), pk=pk)


def own_application(request: HttpRequest, pk: int) -> Application:
    application = application_or_404(request, pk)
    if not may_apply(request.user, application.school):
        raise PermissionDenied(NOT_THE_APPLICANT)
    return application


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """A school's rounds: what it applied for, and where it may."""
    if not may_see_own_applications(request.user):
        raise PermissionDenied("这里是院校自己的申报。各校的申报情况见“申报批次”。")
    school = get_object_or_404(School.objects.select_related("organization"), pk=request.user.organization_id)
    at = clock.now()
    rounds = ApplicationRound.objects.visible_to(request.user).prefetch_related("extensions")[:MOST_ROUNDS]
    states = ApplicationItem.objects.only("application", "state", "returned_from")
    begun = school.applications.select_related("current").prefetch_related(Prefetch("items", states))
    mine = {row.round_id: row for row in begun}
    rows = [
        {
            "round": round,
            "application": mine.get(round.pk),
            "waiting": _waiting(mine.get(round.pk), round, at),
            "closing": round.closings_of(school.pk).school,
            "reasons": eligibility.door(round, school, at),
        }
        for round in rounds
    ]
    context = {"rows": rows, "school": school, "may_apply": may_apply(request.user, school)}
    return render(request, "schools/applications/list.html", context)


def _waiting(application: Application | None, round: ApplicationRound, at: dt.datetime) -> int:
    """How many items the school has yet to hand in, drafts and returned ones, while they may be."""
    if application is None:
        return 0
    application.round = round
    items = application.items.all()
    return sum(eligibility.is_open(item) and not eligibility.closed(item, at) for item in items)


@require_POST
def start(request: HttpRequest, round: int) -> HttpResponse:
    at = clock.now()
    found = get_object_or_404(ApplicationRound.objects.visible_to(request.user), pk=round)
    schools = School.objects.select_related("organization")
    school = schools.filter(pk=request.user.organization_id).first()
    if school is None:
        raise PermissionDenied(NOT_THE_APPLICANT)
    try:
        application = services.start_application(round=found, school=school, by=request.user, at=at)
    except ValidationError as refusal:
        for reason in refusal.messages:
            messages.error(request, reason)
        return redirect("applications:list")
    return redirect("applications:detail", application.pk)


# --- What is to be done


@dataclass(frozen=True)
class Card:
    """One item on the list; for the school alone `standing`, while it is filled in, and what it may do
    `afterwards`, once it is rejected."""

    item: ApplicationItem
    standing: Standing | None
    is_late: bool
    afterwards: str

    @property
    def files(self) -> int:
        return len(self.item.kept_files)

    @property
    def planned(self) -> int:
        return self.standing.facts.total if self.standing else self.item.planned_total


def is_of_the_school(request: HttpRequest) -> bool:
    """Whoever sees an application from within its school; all others read what was sent."""
    return request.user.role in Role.of_a_school()


def cards_of(items: list[ApplicationItem], at: dt.datetime, *, drafts: bool) -> list[Card]:
    standings = {s.item.pk: s for s in eligibility.standings(items, at, drafts=drafts)}
    return [
        Card(
            item,
            standings[item.pk] if drafts and eligibility.is_open(item) else None,
            eligibility.is_open(item) and bool(eligibility.closed(item, at)),
            eligibility.after_rejection(item, at) if drafts and item.state == State.REJECTED else "",
        )
        for item in items
    ]


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    application = application_or_404(request, pk)
    return _show(request, application, AddItemsForm(application=application))


def _show(
    request: HttpRequest, application: Application, form: AddItemsForm, status: int = 200
) -> HttpResponse:
    at = clock.now()
    own = may_apply(request.user, application.school)
    rows = application.items.visible_to(request.user).select_related("certificate_level__certificate__owner")
    items = list(rows.order_by("pk"))
    cards = cards_of(items, at, drafts=is_of_the_school(request))
    waiting = [card for card in cards if card.standing and not card.is_late]
    over = {State.WITHDRAWN, State.REJECTED}
    counted = [card for card in cards if card.item.state not in over and not card.is_late]
    closed = eligibility.door(application.round, application.school, at)
    context = {
        "application": application,
        "round": application.round,
        "school": application.school,
        "closings": application.round.closings_of(application.school_id),
        "cards": cards,
        "waiting": waiting,
        "complete": sum(1 for card in waiting if card.standing and card.standing.is_complete),
        "waiting_planned": sum(card.planned for card in waiting),
        "counted": len(counted),
        "planned": sum(card.planned for card in counted),
        "drafts": _others_drafts(request, application),
        "closed": closed,
        "until": _until(card.item for card in waiting),
        "may_apply": own,
        "form": form,
        "versions": _versions(request, application),
    }
    return render(request, "schools/applications/detail.html", context, status=status)


def _others_drafts(request: HttpRequest, application: Application) -> int:
    """How many the school has not handed in, for whoever reviews the whole; an expert knows only the own."""
    if is_of_the_school(request) or request.user.role == Role.EXPERT:
        return 0
    return application.items.filter(state=State.DRAFT).count()


def _until(items: Iterable[ApplicationItem]) -> dt.datetime | None:
    """When the first of these items closes: a returned one has its own time, later than the school's."""
    return min((eligibility.deadline(item) for item in items), default=None)


def _versions(request: HttpRequest, application: Application) -> list[ApplicationVersion]:
    """Newest first; an expert reads the items asked about, not what was sent as a whole."""
    if request.user.role == Role.EXPERT:
        return []
    return list(application.versions.select_related("submitted_by").order_by("-number"))


@require_POST
def add(request: HttpRequest, pk: int) -> HttpResponse:
    application = own_application(request, pk)
    form = AddItemsForm(request.POST, application=application)
    if not form.is_valid():
        return _show(request, application, form, status=422)
    try:
        added = services.add_items(
            application=application, levels=form.cleaned_data["levels"], by=request.user, at=clock.now()
        )
    except ValidationError as refusal:
        messages.error(request, "；".join(refusal.messages))
        return redirect("applications:detail", pk)
    if len(added) == 1:
        return redirect("applications:item", added[0].pk)
    messages.success(request, f"已添加 {len(added)} 个证书等级，请逐项填写。")
    return redirect("applications:detail", pk)


@require_POST
def add_running(request: HttpRequest, pk: int) -> HttpResponse:
    application = own_application(request, pk)
    try:
        added, planned = services.add_running(application=application, by=request.user, at=clock.now())
    except ValidationError as refusal:
        messages.error(request, "；".join(refusal.messages))
    else:
        words = f"已添加 {len(added)} 个在试点的证书等级，有本年度或上年计划的已带入人数，请核对。"
        if not added:
            words = "没有可添加的在试点证书等级。" if planned else "在试点的证书等级都已在列。"
        if planned:
            words += (
                f"另有 {planned} 个没有添加：{application.round.year} 年计划已在别的批次批准，不必再报；"
                "确需调整人数的，请在“证书等级”中选择添加。"
            )
        messages.success(request, words)
    return redirect("applications:detail", pk)


# --- Check and send


def content_of(standing: Standing) -> shape.Content:
    agreement = standing.ground.agreement_of(standing.item, standing.facts)
    return shape.content_of(standing.item, standing.facts, agreement)


@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest, pk: int) -> HttpResponse:
    """Check your answers; POST sends. The token names what was shown, so resending finds the receipt."""
    at = clock.now()
    application = own_application(request, pk)
    if request.method == "POST":
        token = request.POST.get("token", "")
        if sent := application.versions.filter(token=token).first():
            return redirect("applications:receipt", sent.receipt)
    waiting = services.waiting_items(application, at)
    if not waiting:
        # Whoever comes back to look has sent already; only one who sends must hear that it is too late.
        sends = request.method == "POST"
        closed = eligibility.door(application.round, application.school, at) if sends else []
        messages.warning(request, "；".join(closed) or "没有待提交的项目。")
        return redirect("applications:detail", pk)
    reasons: list[str] = []
    if request.method == "POST":
        only_complete = bool(request.POST.get("only_complete"))
        try:
            sent = services.submit_application(
                application=application, token=token, by=request.user, at=at, only_complete=only_complete
            )
            return redirect("applications:receipt", sent.receipt)
        except ChangedSince as refusal:
            messages.warning(request, str(refusal))
            return redirect("applications:check", pk)
        except NotNow as refusal:
            reasons = refusal.reasons
    rows = [(standing, shape.told(content_of(standing))) for standing in waiting]
    context = {
        "application": application,
        "round": application.round,
        "school": application.school,
        "until": _until(standing.item for standing in waiting),
        "rows": rows,
        "complete": sum(1 for standing in waiting if standing.is_complete),
        "incomplete": [standing for standing in waiting if not standing.is_complete],
        "planned": sum(standing.facts.total for standing in waiting),
        "token": services.token_of(waiting),
        "reasons": reasons,
    }
    return render(request, "schools/applications/check.html", context, status=422 if reasons else 200)


# --- What was sent


def _version_or_404(request: HttpRequest, receipt: str) -> ApplicationVersion:
    versions = ApplicationVersion.objects.visible_to(request.user).select_related(
        "application__round", "application__school__organization", "submitted_by"
    )
    found: ApplicationVersion = get_object_or_404(versions, receipt=receipt)
    if request.user.role == Role.EXPERT:
        raise PermissionDenied("专家查阅被征求意见的项目，不查阅整份申报。")
    return found


@require_safe
def receipt(request: HttpRequest, receipt: str) -> HttpResponse:
    version = _version_or_404(request, receipt)
    items = list(version.application.items.filter(draft__isnull=True).values_list("pk", flat=True))
    context = {
        "version": version,
        "application": version.application,
        "items": shape.sent_in(version.content),
        "others": shape.beside(version.content),
        "sent_items": items,
        "replaced": version.application.current_id != version.pk,
    }
    return render(request, "schools/applications/receipt.html", context)


@require_safe
def version(request: HttpRequest, receipt: str) -> HttpResponse:
    """One version to be read and printed, and what differs from the one before."""
    found = _version_or_404(request, receipt)
    former = found.application.versions.filter(number=found.number - 1).first()
    beside = [item | {"state": state, "word": word} for item, state, word in shape.beside(found.content)]
    own_address = request.build_absolute_uri(reverse("applications:version", args=[found.receipt]))
    context = {
        "version": found,
        "address": own_address,
        "qr": links.qr(own_address),
        "application": found.application,
        "content": found.content,
        "rows": [(item, shape.told(item)) for item in [*shape.sent_in(found.content), *beside]],
        "former": former,
        "changes": shape.changes(former.content, found.content) if former else [],
    }
    return render(request, "schools/applications/version.html", context)


@require_safe
def paper(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole application as it stands now, drafts included where one may see them."""
    application = application_or_404(request, pk)
    items = application.items.visible_to(request.user).exclude(state=State.WITHDRAWN).order_by("pk")
    standings = eligibility.standings(list(items), clock.now(), drafts=is_of_the_school(request))
    context = {
        "application": application,
        "version": None,
        "content": {"name": str(application.school), "round": str(application.round)},
        "rows": [
            (
                content_of(standing)
                | {"state": standing.item.state, "word": standing.item.get_state_display()},
                shape.told(content_of(standing)),
            )
            for standing in standings
        ],
        "former": None,
        "changes": [],
    }
    return render(request, "schools/applications/version.html", context)
