"""Evaluators as the office and their coordinators see them: the list, and who looks after each."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Role
from certificates.models import Certificate
from core import clock
from core.lists import ListPage
from core.workflow import NotNow
from evaluators import permissions
from evaluators.filters.charges import EvaluatorFilter
from evaluators.forms.charges import ChargeForm
from evaluators.models import Charge, Evaluator
from evaluators.services import charges
from evaluators.tables.charges import EvaluatorTable
from schools.models import Programme


def with_standing(evaluators: QuerySet[Evaluator]) -> QuerySet[Evaluator]:
    """Adds `certificates`, `on_file`, `schools` (counts), `is_charged`, `is_running`, and as lists
    `charges_now` and `organization.filed` (certificates whose filing was accepted)."""
    owner = "certificate_level__certificate__owner"
    running = Programme.objects.running_at(clock.now()).filter(**{owner: OuterRef("pk")}).order_by()
    schools = running.values(owner).annotate(number=Count("school", distinct=True)).values("number")
    open_charges = Charge.objects.filter(ended_at=None)
    owned = "organization__certificates"
    on_file = Certificate.objects.filter(filing__accepted__isnull=False)
    return (
        evaluators.annotate(
            certificates=Count(owned, distinct=True),
            on_file=Count(owned, distinct=True, filter=Q(**{f"{owned}__filing__accepted__isnull": False})),
            schools=Coalesce(Subquery(schools), 0),
            is_charged=Exists(open_charges.filter(evaluator=OuterRef("pk"))),
            is_running=Exists(running),
        )
        .select_related("organization")
        .prefetch_related(
            Prefetch("charges", open_charges.select_related("coordinator"), to_attr="charges_now"),
            Prefetch(
                owned,
                on_file.select_related("filing__accepted").defer("filing__draft").order_by("name"),
                to_attr="filed",
            ),
        )
    )


class EvaluatorList(ListPage):
    model = Evaluator
    table_class = EvaluatorTable
    filterset_class = EvaluatorFilter
    heading = "评价组织"
    empty_text = "还没有评价组织。"
    export_name = "评价组织"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not permissions.may_see_charges(request.user):
            raise PermissionDenied("评价组织名单由省推进办和对接专员查看。")
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Any]:
        if self.request.user.role == Role.COORDINATOR:
            self.heading = "我对接的评价组织"
            self.empty_text = "还没有交由您对接的评价组织。省推进办安排后会列在这里，并发通知给您。"
        return with_standing(super().queryset())

    def get_table_kwargs(self) -> dict[str, Any]:
        calls = self.request.user.role in {Role.OFFICE, Role.COORDINATOR}
        return {} if calls else {"exclude": ["contacts"]}


def _evaluator(request: HttpRequest, pk: int) -> Evaluator:
    evaluator = get_object_or_404(
        Evaluator.objects.visible_to(request.user).select_related("organization"), pk=pk
    )
    if not permissions.may_keep_charges(request.user):
        raise PermissionDenied(charges.ONLY_OFFICE)
    return evaluator


@require_http_methods(["GET", "HEAD", "POST"])
def give(request: HttpRequest, pk: int) -> HttpResponse:
    evaluator = _evaluator(request, pk)
    form = ChargeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        coordinator = form.cleaned_data["coordinator"]
        try:
            charges.give(evaluator=evaluator, coordinator=coordinator, by=request.user, at=clock.now())
        except ValidationError as refusal:
            form.add_error(None, ValidationError(refusal.messages))
        else:
            messages.success(request, f"已将“{evaluator}”交由{coordinator.name}对接。")
            return redirect("evaluators:detail", pk)
    context = {"evaluator": evaluator, "form": form}
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "evaluators/charges/give.html", context, status=status)


@require_POST
def end(request: HttpRequest, pk: int, charge: int) -> HttpResponse:
    evaluator = _evaluator(request, pk)
    found = get_object_or_404(evaluator.charges.select_related("coordinator"), pk=charge)
    try:
        charges.end(found, by=request.user, at=clock.now())
        messages.success(request, f"{found.coordinator.name}不再对接“{evaluator}”。")
    except NotNow as refusal:
        messages.warning(request, " ".join(refusal.reasons))
    return redirect("evaluators:detail", pk)
