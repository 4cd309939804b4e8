"""A report to be read, and what those who watch over it may do with it."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.functional import cached_property
from django.views.decorators.http import require_safe

from accounts import typed as kept_typed
from accounts.models import Organization
from accounts.typed import keeps_typed
from core import clock
from core.draft_pages import Difference
from core.lists import ListPage
from obligations import disputes
from obligations.models import Obligation, Outcome, PlatformFiling
from obligations.permissions import may_dispute, may_excuse
from obligations.rates import rate
from reporting import content as shape
from reporting import permissions, services
from reporting.actions import Action, why_not_fill, why_not_return
from reporting.forms import ReturnForm, told
from reporting.history import HistoryFilter, HistoryTable
from reporting.models import ReportVersion
from reporting.sheet import Sheet, sheet_for, until_words, year_of
from reporting.streaks import current_streaks
from reporting.views import as_of
from reporting.views.weekly import (
    form_methods,
    page_context,
    page_of_summary,
    report_of,
    texts_of,
    weekly_or_404,
)
from schools.models import Programme


@require_safe
def report(request: HttpRequest, pk: int) -> HttpResponse:
    """The report to be read and printed: current version, older ones, receipts, timeline, actions."""
    at = clock.now()
    if page := page_of_summary(request, pk, "detail"):
        return page
    obligation = weekly_or_404(request, pk)
    found = report_of(obligation)
    sheet = sheet_for(obligation)
    versions = list(found.versions.select_related("submitted_by__organization")) if found else []
    current = versions[-1] if versions else None
    names = _names(versions, sheet)
    context = page_context(
        request,
        obligation,
        at,
        current=current,
        content=current.content if current else None,
        rows=told(current.content, sheet.before, names) if current else [],
        texts=texts_of(current.content) if current else [],
        previous=sheet.previous,
        year=year_of(obligation),
        history=_with_differences(versions, names),
        listed=_listed(obligation),
        disputes=obligation.disputes.order_by("filed_at", "pk"),
        may_take_file=bool(current) and permissions.may_take_platform_file(request.user, obligation),
        actions=_actions(request, obligation, current, at),
    )
    return render(request, "reporting/weekly/report.html", context)


def _listed(obligation: Obligation) -> PlatformFiling | None:
    """What the national platform's lists say of this week: the first filing there."""
    listed = PlatformFiling.objects.filter(
        organization=obligation.organization_id,
        period=obligation.period_id,
        platform_import__undone_at=None,
    )
    return listed.select_related("platform_import").order_by("filed_at", "pk").first()


def _names(versions: list[ReportVersion], sheet: Sheet) -> dict[str, str]:
    """Programmes of all versions by id: one that ended meanwhile is still named."""
    told_of = {pk for version in versions for pk in version.content["programmes"]}
    ended = Programme.objects.filter(pk__in=told_of - set(sheet.names)).select_related(
        "certificate_level__certificate"
    )
    return sheet.names | {str(programme.pk): str(programme) for programme in ended.order_by("pk")}


def _with_differences(
    versions: list[ReportVersion], names: dict[str, str]
) -> list[tuple[ReportVersion, list[Difference]]]:
    """Newest first, each with what it changed of the one before."""
    typed = [shape.typed_of(version.content) for version in versions]
    pairs = [
        (version, shape.differences(typed[i - 1], typed[i], names) if i else [])
        for i, version in enumerate(versions)
    ]
    return pairs[::-1]


def _actions(
    request: HttpRequest, obligation: Obligation, current: ReportVersion | None, at: dt.datetime
) -> list[Action]:
    actions = []
    user = request.user
    if user.organization_id == obligation.organization_id:
        label = "更正周报" if current else "填写周报"
        url = reverse("reporting:edit", args=[obligation.pk])
        actions.append(Action(label, url, why_not_fill(user, obligation, at)))
    if may_dispute(user, obligation) and obligation.outcome == Outcome.MISSED:
        url = reverse("obligations:dispute-new", args=[obligation.pk])
        actions.append(Action("提出异议", url, disputes.why_not(obligation)))
    if permissions.may_return(user, obligation):
        url = reverse("reporting:return", args=[obligation.pk])
        actions.append(Action("退回更正", url, why_not_return(obligation, current)))
    if may_excuse(user, obligation):
        label, name = ("撤销谅解", "withdraw-excuse") if obligation.excused_at else ("谅解未报", "excuse")
        actions.append(Action(label, reverse(f"reporting:{name}", args=[obligation.pk])))
    return actions


@keeps_typed
@form_methods
def return_report(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a filed report back, with the reason."""
    obligation = weekly_or_404(request, pk)
    if not permissions.may_return(request.user, obligation):
        raise PermissionDenied("只有省推进办和学校的主管部门可以退回周报。")
    form = ReturnForm(request.POST or kept_typed.take(request) or None)
    if request.method == "POST" and form.is_valid():
        try:
            correction = services.return_for_correction(
                obligation=obligation, reason=form.cleaned_data["reason"], by=request.user, at=clock.now()
            )
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            messages.success(request, f"已退回并通知学校，{until_words(correction)}。")
            return redirect("reporting:report", obligation.pk)
    context = {"form": form, "obligation": obligation, "period": obligation.period}
    return render(request, "reporting/weekly/return.html", context)


class History(ListPage):
    """A school's weeks, with what they come to; without `pk` in the address those of one's own school."""

    template_name = "reporting/weekly/history.html"
    table_class = HistoryTable
    filterset_class = HistoryFilter
    export_name = "历次周报"
    empty_text = "还没有开始的周报周期。"

    @cached_property
    def organization(self) -> Organization:
        schools = Organization.objects.visible_to(self.request.user).schools()
        found = get_object_or_404(schools, pk=self.kwargs.get("pk", self.request.user.organization_id))
        if not permissions.may_see_history(self.request.user, found):
            raise PermissionDenied("您的角色不查看各校的填报情况。")
        return found

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if text := request.GET.get("as_of", "").strip():
            return as_of.record(request, self.organization, text)
        return super().get(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Obligation]:
        weeks = (
            Obligation.objects.visible_to(self.request.user).weekly().filter(organization=self.organization)
        )
        arrived = Coalesce("received_at", "filled_at")
        return (
            weeks.opened(clock.now()).annotate(arrived_at=arrived).select_related("period", "report__current")
        )

    def get_heading(self) -> str:
        return f"{self.organization} 历次周报"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        streak = current_streaks([self.organization.pk], at=clock.now()).get(self.organization.pk)
        weeks = context["filter"].qs if context["filter"].is_valid() else self.queryset()
        today = f"{clock.local(clock.now()):%Y-%m-%d}"
        sums = {"rate": rate(weeks), "streak": streak.weeks if streak else 0}
        return context | sums | {"today": today, "organization": self.organization}
