"""An evaluator's trainer team: the list with its share of industry, adding, changing, leaving."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts import typed
from accounts.models import Organization
from core import clock
from core.lists import ListPage
from evaluators import permissions, shares
from evaluators.filters.trainers import TrainerFilter
from evaluators.forms.trainers import LeaveForm, TrainerForm
from evaluators.models import Trainer
from evaluators.services import trainers as services
from evaluators.tables.trainers import TrainerTable

NOT_FOR_ROLE = "培训专家团队由推进办、对接专员和评价组织查看。"


class TrainerList(ListPage):
    model = Trainer
    table_class = TrainerTable
    filterset_class = TrainerFilter
    template_name = "evaluators/trainers/list.html"
    heading = "培训专家团队"
    subtitle = f"{shares.SHARE_CLAUSE}。"
    empty_text = "还没有登记培训专家。"
    export_name = "培训专家团队"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not permissions.may_see_trainers(request.user):
            raise PermissionDenied(NOT_FOR_ROLE)
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Any]:
        return super().queryset().select_related("evaluator")

    def get_table_kwargs(self) -> dict[str, Any]:
        return {"may_keep": permissions.may_keep_trainers(self.request.user)}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may_keep = permissions.may_keep_trainers(self.request.user)
        context = super().get_context_data(
            may_keep=may_keep,
            teams=team_shares(self.request.user),
            share_clause=shares.SHARE_CLAUSE,
            **kwargs,
        )
        if may_keep:
            context |= {"empty_url": reverse("trainers:new"), "empty_label": "登记专家"}
        return context


def team_shares(user: Any) -> list[tuple[Organization, shares.Share]]:
    """The share of industry of each team within the user's scope; one query."""
    teams: dict[Organization, list[Trainer]] = {}
    for trainer in Trainer.objects.visible_to(user).in_team().select_related("evaluator").defer("phone"):
        teams.setdefault(trainer.evaluator, []).append(trainer)
    return [(team, shares.share_of(members)) for team, members in teams.items()]


@typed.keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    if not permissions.may_keep_trainers(request.user):
        raise PermissionDenied(services.OWN_TEAM)

    def save(form: forms.Form) -> str:
        services.add_trainer(fields=form.cleaned_data, by=request.user, at=clock.now())
        return reverse("trainers:list")

    form = TrainerForm(sent(request), initial={"joined_on": clock.today()})
    return form_page(request, form, "登记专家", save, reverse("trainers:list"))


@typed.keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: Any) -> HttpResponse:
    trainer = _trainer(request, pk)

    def save(form: forms.Form) -> str:
        services.change_trainer(trainer, fields=form.cleaned_data, by=request.user, at=clock.now())
        return reverse("trainers:list")

    initial = {name: getattr(trainer, name) for name in services.FIELDS}
    form = TrainerForm(sent(request), initial=initial)
    return form_page(request, form, f"修改：{trainer}", save, reverse("trainers:list"))


@typed.keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest, pk: Any) -> HttpResponse:
    trainer = _trainer(request, pk)

    def save(form: forms.Form) -> str:
        services.leave(trainer, **form.cleaned_data, by=request.user, at=clock.now())
        return reverse("trainers:list")

    form = LeaveForm(sent(request), initial={"left_on": clock.today()})
    return form_page(request, form, f"退出团队：{trainer}", save, reverse("trainers:list"))


def _trainer(request: HttpRequest, pk: Any) -> Trainer:
    trainer = get_object_or_404(Trainer.objects.visible_to(request.user), pk=pk)
    own = trainer.evaluator_id == request.user.organization_id
    if not (own and permissions.may_keep_trainers(request.user)):
        raise PermissionDenied(services.OWN_TEAM)
    return trainer


def sent(request: HttpRequest) -> Any:
    """What a form is filled with: what was sent, also if that is nothing, or kept from a lost session."""
    return request.POST if request.method == "POST" else typed.take(request)


def form_page(
    request: HttpRequest, form: forms.Form, heading: str, save: Callable[[Any], str], back: str
) -> HttpResponse:
    """A plain form: `save(form)` writes and gives where to go; what it refuses comes back to the form."""
    if request.method == "POST" and form.is_valid():
        try:
            address = save(form)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, "已保存。")
            return redirect(address)
    context = {"form": form, "heading": heading, "cancel_url": back}
    return render(request, "core/form_page.html", context, status=422 if form.errors else 200)
