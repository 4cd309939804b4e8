"""The lists of fee standards, for those who work here and for the public, and one standard."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db.models import BooleanField, Case, Count, F, OuterRef, QuerySet, Value, When
from django.db.models.functions import Greatest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe

from accounts.models import Organization, Role, User
from core import clock
from core.lists import ListPage
from core.workflow import Offer
from funding import fees, permissions
from funding.filters.fees import PublicStandardFilter, StandardFilter
from funding.models import FeePolicy, FeeStandard
from funding.services.standards import Costs, declined, not_yet_agreeable
from funding.tables.fees import PublicStandardTable, StandardTable
from funding.views.caps import fees_only
from funding.workflow import standards


class StandardList(ListPage):
    model = FeeStandard
    table_class = StandardTable
    filterset_class = StandardFilter
    template_name = "funding/standards.html"
    heading = "考核费用标准"
    subtitle = "评价组织在上限范围内与试点院校协商提出，报省教育厅备案（晋教职成〔2020〕9号 三.8）。"
    empty_text = "还没有考核费用标准。由评价组织提出，院校同意后报省备案。"
    export_name = "考核费用标准"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        fees_only(request)
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Any]:
        today = clock.today()
        rows: QuerySet[Any] = FeeStandard.objects.visible_to(self.request.user).with_standing(today)
        # What is still to come goes by the cap of its own first day.
        rows = fees.with_cap(
            rows.annotate(judged_on=Greatest("effective_from", Value(today))),
            level="certificate_level",
            exam_form="exam_form",
            day=OuterRef("judged_on"),
        )
        above = Case(When(amount__gt=F("cap_amount"), then=True), default=False, output_field=BooleanField())
        rows = rows.annotate(is_above_cap=above, agreed=Count("consents"))
        return rows.select_related("certificate_level__certificate", "evaluator", "organization")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(may_propose=permissions.may_propose(self.request.user), **kwargs)


def visible_standard(request: HttpRequest, pk: int) -> FeeStandard:
    found = FeeStandard.objects.visible_to(request.user).select_related(
        "certificate_level__certificate", "evaluator", "organization", "cap", "proposed_by", "filed_by"
    )
    return get_object_or_404(found, pk=pk)


@require_safe
def standard(request: HttpRequest, pk: int) -> HttpResponse:
    shown = visible_standard(request, pk)
    user, now = request.user, clock.now()
    day = max(shown.effective_from, clock.today())
    history = FeeStandard.objects.visible_to(user).filed().with_standing(clock.today())
    context = {
        "standard": shown,
        "limit": fees.Limit(
            fees.cap_on(shown.certificate_level, shown.exam_form, day), None, shown.exam_form
        ),
        "day": day,
        "today": clock.today(),
        "is_open": shown.state in {FeeStandard.State.PROPOSED, FeeStandard.State.RETURNED},
        **compared(shown),
        "consents": _consents(shown, user),
        "agreed": shown.consents.count(),
        "history": history.filter(certificate_level=shown.certificate_level).select_related("organization"),
        "offers": [(offer, _address(offer, shown)) for offer in _offers(shown, user)],
        "may_agree": permissions.may_agree(user) and shown.state == FeeStandard.State.PROPOSED,
        "declined": declined(shown, user.organization) if permissions.may_agree(user) else None,
        # It names every school that agreed.
        "sees_timeline": user.sees_province or user.role == Role.EVALUATOR,
        "not_agreeable": not_yet_agreeable(shown, user, now) if permissions.may_agree(user) else [],
    }
    return render(request, "funding/standard.html", context)


def compared(shown: FeeStandard, costs: Costs | None = None) -> dict[str, Any]:
    """The standard it takes over from, and its costs: `costs` where they are not kept yet."""
    if costs is None:
        costs = {cost.element: cost.amount for cost in shown.costs.select_related("element")}
    replaced = fees.standard_on(
        shown.certificate_level, shown.effective_from, school_id=shown.organization_id
    )
    return {"replaced": replaced, "costs": list(costs.items()), "total": sum(costs.values())}


def _consents(shown: FeeStandard, user: User) -> list[Any]:
    """The province and the evaluator see each school that agreed; others those in their scope."""
    found = shown.consents.select_related("organization")
    if user.role != Role.EVALUATOR:
        found = found.filter(organization__in=Organization.objects.visible_to(user))
    return list(found)


def _offers(shown: FeeStandard, user: User) -> list[Offer]:
    """What this side may do next: the evaluator its acts, the office its own."""
    side = _side(user, shown)
    return [o for o in standards.offers(shown, user, clock.now()) if o.transition.action in side]


def _side(user: User, shown: FeeStandard) -> set[str]:
    if permissions.may_file_standards(user):
        return {"standard_file", "standard_return", "standard_refuse"}
    if permissions.may_propose(user):
        return {"standard_propose", "standard_withdraw"}
    return set()


def _address(offer: Offer, shown: FeeStandard) -> str:
    if offer.transition.action == "standard_propose":
        return reverse("funding:standard-edit", args=[shown.pk])
    return reverse("funding:standard-act", args=[shown.pk, offer.transition.action])


@method_decorator(login_not_required, name="dispatch")
class PublicStandards(ListPage):
    """The filed standards that hold today, for everybody, without signing in."""

    table_class = PublicStandardTable
    filterset_class = PublicStandardFilter
    template_name = "funding/public.html"
    heading = "考核费用标准（公布）"
    subtitle = "已备案、现行的职业技能等级证书考核费用标准（教职成厅函〔2019〕19号 三(二)；晋教职成〔2020〕9号 三.8）。"
    empty_text = "目前没有现行的备案标准。"

    def queryset(self) -> QuerySet[Any]:
        today = clock.today()
        rows = FeeStandard.objects.current(today)
        if fees.policy_on(today).scope == FeePolicy.Scope.PROVINCE:
            rows = rows.filter(organization=None)
        rows = rows.select_related("certificate_level__certificate", "evaluator", "organization")
        return rows.order_by("certificate_level__certificate__name", "certificate_level__level", "pk")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(day=clock.today(), **kwargs)
