"""The office's and the cities' pages: the matrix, who has not reported, reminders."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from core import clock, exports
from obligations.models import Obligation, ObligationKind, Period
from obligations.permissions import may_govern
from reporting import matrix as grid
from reporting import nonreporters, reminders
from reporting.filters import MatrixFilter, NonReporterFilter, report_asked, reporting
from reporting.periods import opened_periods
from reporting.permissions import may_remind, may_watch_reports
from reporting.reporters import of_kinds
from reporting.streaks import current_weeks

PER_PAGE = 50


def require_watching(request: HttpRequest) -> None:
    if not may_watch_reports(request.user):
        raise PermissionDenied(
            "填报情况由推进办、市教育局、领导组和审计督导查看；对接专员查看所负责评价组织的。"
        )


@require_safe
def matrix(request: HttpRequest) -> HttpResponse:
    """Who reports × periods. What follows the page is asked for alone: `group`, the rows of one supervising
    authority as they come into view; `total`, the rates of all."""
    require_watching(request)
    kind = report_asked(request)
    chosen = MatrixFilter(
        request.GET, queryset=reporting(request), request=request, periods=opened_periods(kind=kind)
    )
    columns = chosen.columns_asked()
    if "total" in request.GET:
        totals = grid.rate_cells(grid.totals(chosen.qs, columns))
        return render(request, "reporting/office/_matrix_total.html", {"totals": totals})
    wanted = chosen.qs
    if group := request.GET.get("group"):
        wanted = wanted.filter(supervisor=int(group) or None) if group.isdecimal() else wanted.none()
    parts = grid.groups(wanted, columns)
    whole = bool(group) or "all" in request.GET
    shown, later = (parts, []) if whole else grid.split(parts, len(columns))
    found = grid.cells(shown, columns)
    context = {"groups": _with_rows(shown, columns, found), "columns": columns, "later": later}
    if group:
        return render(request, "reporting/office/_matrix_groups.html", context)
    context |= {
        "filter": chosen,
        "marks": grid.MARKS.items(),
        "unknown": grid.unknown_cells(columns),
        "totals": None if later else grid.rate_cells(found.totals),
        "kind": kind,
        "count": sum(len(part.schools) for part in parts),
    }
    return render(request, "reporting/office/matrix.html", context)


def _with_rows(
    parts: list[grid.Group], columns: list[Period], found: grid.Cells
) -> list[tuple[grid.Group, str, str]]:
    """Each group with its rates and its rows."""
    streaks: dict[int, int] = {}
    if all(period.kind == ObligationKind.WEEKLY_REPORT for period in columns):
        mine = Obligation.objects.weekly().filter(organization__in=list(found.texts))
        streaks = current_weeks(mine, at=clock.now())
    return [
        (part, grid.rate_cells(found.rates[part.pk]), grid.school_rows(part, columns, found, streaks))
        for part in parts
    ]


@require_http_methods(["GET", "HEAD", "POST"])
def non_reporters(request: HttpRequest) -> HttpResponse:
    """Who still owes a period's report. POST exports what the filters leave."""
    require_watching(request)
    chosen = _non_reporters(request)
    lines = nonreporters.found_by(chosen, request.user)
    if request.method == "POST":
        return _export(request, nonreporters.as_table(lines, chosen))
    paginator = Paginator(lines, PER_PAGE)
    page = paginator.get_page(request.GET.get("page"))
    context = {
        "filter": chosen,
        "period": chosen.period,
        "count": paginator.count,
        "page": page,
        "page_numbers": paginator.get_elided_page_range(page.number),
        "rows": nonreporters.add_details(page.object_list),
        "can_remind": may_remind(request.user),
        "can_excuse": may_govern(request.user),
    }
    return render(request, "reporting/office/non_reporters.html", context)


def _non_reporters(request: HttpRequest) -> NonReporterFilter:
    periods = opened_periods(kind=report_asked(request))
    return NonReporterFilter(request.GET, queryset=reporting(request), request=request, periods=periods)


def _export(request: HttpRequest, rows: list[list[Any]]) -> HttpResponse:
    at = clock.now()
    filters = {name: value for name, value in request.GET.items() if value}
    content = exports.export_list(name="未报名单", rows=rows, filters=filters, by=request.user, at=at)
    return exports.download(content, f"未报名单-{clock.local(at):%Y%m%d-%H%M}.xlsx")


def chosen_obligations(request: HttpRequest) -> list[Any]:
    """What was ticked (`obligation`), or all that the list's filters leave (`everything`).

    POST carries the very ids that were shown for confirmation.
    """
    if request.method == "POST":
        return nonreporters.selected(request.POST.get("obligations", "").split(","), request.user)
    if "everything" in request.GET:
        return [line.obligation for line in nonreporters.found_by(_non_reporters(request), request.user)]
    return nonreporters.selected(request.GET.getlist("obligation"), request.user)


def list_of(request: HttpRequest, obligations: list[Obligation]) -> str:
    """The list of non-reporters from which those were chosen, or the one asked for where none was."""
    kind = obligations[0].kind if obligations else report_asked(request)
    return reverse("reporting:non-reporters", query={"report": kind})


@require_http_methods(["GET", "HEAD", "POST"])
def remind(request: HttpRequest) -> HttpResponse:
    """Shows first who will be reminded, and who cannot be; POST tells them."""
    if not may_remind(request.user):
        raise PermissionDenied("只有推进办和院校的主管部门可以提醒填报。")
    obligations = chosen_obligations(request)
    back = list_of(request, obligations)
    if not obligations:
        messages.warning(request, "请先勾选要提醒的单位。")
        return redirect(back)
    at = clock.now()
    whom = of_kinds(obligation.organization.kind for obligation in obligations)
    if request.method == "POST":
        sent = reminders.remind(obligations=obligations, by=request.user, at=at)
        told = f"{len(sent.reachable)} {whom.measure}{whom.noun}"
        messages.success(request, f"已提醒 {told}，共 {sent.people} 人。")
        return redirect(back)
    found = reminders.recipients(obligations, at=at)
    context = {"found": found, "by": request.user.organization, "whom": whom, "back": back}
    return render(request, "reporting/office/remind.html", context)
