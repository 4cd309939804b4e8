"""周报填报情况通报: the figures of any range of periods, their export, and the numbered files made from them."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from core import clock, exports, jobs
from core.models import Job
from obligations.models import ObligationKind
from reporting.circular import columns, figures, services, wording
from reporting.circular.columns import Column
from reporting.circular.figures import Circular, SchoolLine
from reporting.circular.forms import ChosenForm, NumberForm
from reporting.filters import supervisors
from reporting.periods import opened_periods
from reporting.permissions import may_circulate
from reporting.reporters import kind_asked, kinds_for, who
from reporting.views.office import require_watching

PER_PAGE = 50
RECENT = 5


@require_http_methods(["GET", "HEAD", "POST"])
def circular(request: HttpRequest) -> HttpResponse:
    """The figures. POST exports them (`figures`), or makes the Word and Excel files and leads to them."""
    require_watching(request)
    can_make = may_circulate(request.user)
    is_export = "figures" in request.POST
    if request.method == "POST" and not (can_make or is_export):
        raise PermissionDenied(
            "带发文字号的通报由推进办或市教育局生成。您可以在本页查看、导出和打印各项数字。"
        )
    kind = kind_asked(request.GET, request.user)
    periods = opened_periods(kind=kind)
    kinds = {"kind": kind, "kinds": kinds_for(request.user)}
    if not periods:
        return render(request, "reporting/circular/page.html", {"circular": None, "can_make": False} | kinds)
    chosen = ChosenForm(
        request.GET,
        periods=periods,
        authorities=supervisors(request),
        reporters=who(request.user, kind),
    )
    if is_export:
        return _export(request, chosen, kind)
    number = NumberForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and number.is_valid():
        job = services.make(
            periods=chosen.periods,
            authority=chosen.authority,
            number=number.cleaned_data["number"],
            by=request.user,
            at=clock.now(),
        )
        return redirect("core:job", job.pk)
    return _page(request, chosen, number, can_make=can_make, kinds=kinds)


def _page(
    request: HttpRequest, chosen: ChosenForm, number: NumberForm, *, can_make: bool, kinds: dict[str, Any]
) -> HttpResponse:
    counted = _counted(request, chosen, kinds["kind"])
    paginator = Paginator(_sorted(counted.schools, chosen.order), PER_PAGE)
    page = paginator.get_page(request.GET.get("page"))
    recent = Job.objects.visible_to(request.user).filter(kind=services.KIND)[:RECENT]
    by_authority, alone = columns.authority_columns(counted), columns.school_columns(counted)
    context = kinds | {
        "circular": counted,
        "chosen": chosen,
        "number": number,
        "can_make": can_make,
        "change": wording.change_words(counted),
        "names": columns.names(counted),
        "authority_columns": by_authority,
        "authority_rows": _cells(by_authority, counted.authorities),
        "authority_total": _cells(by_authority, [counted.total]),
        "school_columns": alone,
        "school_rows": _cells(alone, page.object_list),
        "school_total": [] if counted.who.has_schools else _cells(alone, [counted.total]),
        "page": page,
        "page_numbers": paginator.get_elided_page_range(page.number),
        "recent": [(job, job.result.get("title", jobs.title(job))) for job in recent],
    }
    status = 422 if number.errors else 200
    return render(request, "reporting/circular/page.html", context, status=status)


def _counted(request: HttpRequest, chosen: ChosenForm, kind: ObligationKind) -> Circular:
    whom = services.reporters_of(request.user, chosen.authority, kind)
    return figures.count(whom, chosen.periods, at=clock.now())


def _export(request: HttpRequest, chosen: ChosenForm, kind: ObligationKind) -> HttpResponse:
    """One line to each who reports, in the order of the page."""
    counted = _counted(request, chosen, kind)
    rows = columns.school_rows(counted, _sorted(counted.schools, chosen.order))
    name = f"{counted.label}{counted.noun}填报情况"
    content = exports.export_list(
        name=name,
        rows=[[column.heading for column in columns.school_columns(counted)], *rows],
        filters={key: value for key, value in request.GET.items() if value and key != "page"},
        by=request.user,
        at=counted.at,
    )
    return exports.download(content, f"{name}-{clock.local(counted.at):%Y%m%d-%H%M}.xlsx")


def _cells(table: list[Column], lines: list[Any]) -> list[tuple[Any, list[tuple[Column, Any]]]]:
    """Each line with its values, each with its column."""
    rows = columns.rows_of(table, lines)
    return [(line, list(zip(table, row, strict=True))) for line, row in zip(lines, rows, strict=True)]


def _sorted(schools: list[SchoolLine], by: str) -> list[SchoolLine]:
    """`schools` come by authority and code, and stay so among equals."""
    if by == "streak":
        return sorted(schools, key=lambda school: -school.weeks)
    if by == "missed":
        return sorted(schools, key=lambda school: (-school.rate.missed, -school.rate.late))
    return schools
