"""The review of applications: the queue, one item, all items of one application."""

import datetime as dt
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe
from django_tables2.rows import BoundRows

from core import clock
from core.lists import ListPage
from core.workflow import Offer
from obligations.rates import rate
from schools import content as shape
from schools import eligibility, permissions, queue, results, rules
from schools.filters.reviews import QueueFilter
from schools.models import (
    AnnualPlan,
    Application,
    ApplicationItem,
    ApplicationRound,
    ExpertOpinion,
    School,
)
from schools.services import reviews
from schools.services.rounds import standing_closings
from schools.tables.reviews import QueueTable
from schools.workflow import review

QUEUE_ONLY = (
    "申报由市教育局初审、省推进办审核（晋教职成〔2020〕9号 三.1；鄂教职成办函〔2021〕7号 四.2），"
    "审核页面只供这些部门查看。院校的申报由本校在“我的申报”中查看。"
)
MOST_LISTED = 10
OVER = {ApplicationItem.State.WITHDRAWN, ApplicationItem.State.REJECTED}
OWN_ACTIONS = {*reviews.OF_THE_CITY, *reviews.OF_THE_PROVINCE}


def check_right(user: Any) -> None:
    if not permissions.may_see_queue(user):
        raise PermissionDenied(QUEUE_ONLY)


class Queue(ListPage):
    """What was handed in, within one's scope: what waits for the reader in the newest round comes first."""

    model = ApplicationItem
    table_class = QueueTable
    filterset_class = QueueFilter
    template_name = "schools/reviews/queue.html"
    heading = "申报审核"
    export_name = "审核结果表"
    empty_text = "现在没有等待您办理的申报项目。要看已办理的，请清除条件。"
    clear_query = "?round=&state="

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        check_right(request.user)
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Any]:
        return queue.listed(super().queryset().handed_in())

    def get_table_kwargs(self) -> dict[str, Any]:
        return {"may_tick": bool(reviews.actions_of(self.request.user))}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        table, chosen = context["table"], context["filter"]
        items = queue.page(table.page.object_list.data.values_list("pk", flat=True))
        table.page.object_list = BoundRows(items, table=table)
        table.beside(self.request.user, items)
        found = chosen.form.cleaned_data.get("round") if chosen.is_valid() else None
        return context | {
            "actions": reviews.actions_of(self.request.user),
            "may_ask": permissions.may_ask_experts(self.request.user),
            "round": found,
            "closed_since": self._closed_since(found),
            "query": self.request.GET.urlencode(),
        }

    def _closed_since(self, round: ApplicationRound | None) -> dt.datetime | None:
        """When the reader's own step closed for schools without an extension of their own; None before."""
        state = reviews.waiting_state(self.request.user)
        if round is None or not state:
            return None
        closings = standing_closings(round, None)
        closes = closings.city if state == ApplicationItem.State.SUBMITTED else closings.province
        return closes if closes <= clock.now() else None

    def _filtered(self) -> Any:
        filterset, table = super()._filtered()
        if self.request.method == "POST":
            table.in_full()
            table.data.data = queue.rows(table.data.data)
            table.beside(self.request.user, table.data.data)
        return filterset, table


def visible_item(request: HttpRequest, pk: int) -> ApplicationItem:
    user = request.user
    items = ApplicationItem.objects.visible_to(user).handed_in().with_total()
    item = get_object_or_404(
        queue.with_neighbours(items, user, reviews.waiting_state(user)).select_related(
            "application__round",
            "application__school__organization__supervisor",
            "application__school__organization__city",
            "application__reviewer",
            "application__current",
            "certificate_level__certificate__owner",
            "agreement",
            "decided_by",
        ),
        pk=pk,
    )
    check_right(user)
    return item


@require_safe
def item_detail(request: HttpRequest, pk: int) -> HttpResponse:
    item = visible_item(request, pk)
    user, at = request.user, clock.now()
    eligibility.load([item], at, drafts=False)
    offers = _offers(user, item, at)
    sent = queue.handed_in_with(item)
    former = sent[1] if len(sent) > 1 else None
    context = {
        "item": item,
        "application": item.application,
        "school": item.application.school,
        "last": _last_year(item),
        "other_plan": _other_plan(item),
        "upheld": results.upheld_against([item])[item.pk] if permissions.may_see_objections(user) else [],
        "version": sent[0] if sent else None,
        "former": former,
        "changes": queue.changes_since(item, former, sent[0]) if former else [],
        "returned_at": queue.past_returns([item]).get(item.pk),
        "record": _record(request, item.application.school),
        "limit": item.ground.limit,
        "opinions": ExpertOpinion.objects.visible_to(user).filter(item=item).select_related("expert"),
        "may_ask": permissions.may_ask_experts(user),
        "offers": offers,
        "open_offers": [offer for offer in offers if offer.open],
        "shut_offers": [offer for offer in offers if not offer.open],
        "closes": queue.step_closes(item),
        "before": item.before,
        "after": item.after,
    }
    return render(request, "schools/reviews/item.html", context)


@require_safe
def application_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """All items of one application: what obligations lead to."""
    applications = Application.objects.visible_to(request.user).submitted()
    application = get_object_or_404(
        applications.select_related(
            "round", "reviewer", "current__submitted_by", "school__organization__supervisor"
        ),
        pk=pk,
    )
    check_right(request.user)
    mine = ApplicationItem.objects.visible_to(request.user).handed_in().filter(application=application)
    items = list(queue.rows(mine).order_by("pk"))
    returned = queue.past_returns(items)
    # Taking up again what was decided is done on the item's own page.
    actions = [row for row in reviews.actions_of(request.user) if row.action not in reviews.TAKEN_UP_AGAIN]
    decidable = {state for action in actions for state in action.sources}
    context = {
        "application": application,
        "items": [(item, queue.step_closes(item), returned.get(item.pk)) for item in items],
        "actions": actions,
        "decidable": decidable,
        "is_any_decidable": any(item.state in decidable for item in items),
        "record": _record(request, application.school),
        "may_open": permissions.may_open_school(request.user, application.school.organization),
        "planned": sum(item.planned for item in items if item.state not in OVER),
        "is_any_over": any(item.state in OVER for item in items),
    }
    return render(request, "schools/reviews/application.html", context)


def _offers(user: Any, item: ApplicationItem, at: dt.datetime) -> list[Offer]:
    """What reviewers may do next with it, each open or with its reasons; a mere reader gets none."""
    if not reviews.actions_of(user):
        return []
    offers = review.offers(item, user, at)
    return [offer for offer in offers if offer.transition.action in OWN_ACTIONS]


def _other_plan(item: ApplicationItem) -> str:
    """What an approval would make of the year's plan, while one may come."""
    if item.decided_at or item.state == ApplicationItem.State.WITHDRAWN:
        return ""
    return rules.other_plan(item, shape.facts_of(item), item.ground)


def _last_year(item: ApplicationItem) -> dict[str, Any]:
    """The plan of the year before, and the approved item that set it; one query and its majors, or none where
    the item's ground knows of no plan."""
    year = item.application.round.year - 1
    school, level = item.application.school_id, item.certificate_level_id
    plans = AnnualPlan.objects.filter(programme__school=school, programme__certificate_level=level, year=year)
    plans = plans.select_related("programme", "source__agreement").prefetch_related("source__majors")
    has_plan = item.ground.last_plan is not None
    plan = plans.order_by("-programme__started_at").first() if has_plan else None
    return {"year": year, "plan": plan, "item": plan.source if plan else None}


def _record(request: HttpRequest, school: School) -> dict[str, Any] | None:
    """The school's reporting this year; None for who does not see its reporting."""
    user = request.user
    if not (user.sees_reporting and permissions.may_open_school(user, school.organization)):
        return None
    behind, owing = queue.behind_and_open(user, school.pk)
    return {
        "rate": rate(queue.weeklies(user, [school.pk])),
        "behind": behind[:MOST_LISTED],
        "open": owing[:MOST_LISTED],
    }
