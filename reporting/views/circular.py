"""周报填报情况通报: the figures of any range of periods, and the files made from them."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from core import clock, jobs
from core.models import Job
from obligations.models import PERIODIC, ObligationKind
from reporting.circular import columns, figures, services, wording
from reporting.circular.figures import SchoolLine
from reporting.circular.forms import ChosenForm, NumberForm
from reporting.filters import supervisors
from reporting.periods import kind_asked, opened_periods
from reporting.permissions import may_circulate
from reporting.views.office import require_reporting

PER_PAGE = 50
RECENT = 5


@require_http_methods(["GET", "HEAD", "POST"])
def circular(request: HttpRequest) -> HttpResponse:
    """The figures; POST makes the Word and Excel files and leads to them."""
    require_reporting(request)
    can_make = may_circulate(request.user)
    if request.method == "POST" and not can_make:
        raise PermissionDenied("通报由推进办或市教育局生成。您可以在本页查看和打印各项数字。")
    kind = kind_asked(request.GET)
    periods = opened_periods(kind=kind)
    kinds = {"kind": kind, "kinds": [ObligationKind(each) for each in PERIODIC]}
    if not periods:
        return render(request, "reporting/circular/page.html", {"circular": None, "can_make": False} | kinds)
    chosen = ChosenForm(request.GET, periods=periods, authorities=supervisors(request))
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
    schools = services.schools_of(request.user, chosen.authority, kinds["kind"])
    counted = figures.count(schools, chosen.periods, at=clock.now())
    paginator = Paginator(_sorted(counted.schools, chosen.order), PER_PAGE)
    page = paginator.get_page(request.GET.get("page"))
    school_columns = columns.school_columns(counted)
    recent = Job.objects.visible_to(request.user).filter(kind=services.KIND)[:RECENT]
    context = kinds | {
        "circular": counted,
        "chosen": chosen,
        "number": number,
        "can_make": can_make,
        "change": wording.change_words(counted),
        "authority_headings": [column.heading for column in columns.authority_columns(counted)],
        "authority_rows": list(zip(counted.authorities, columns.authority_rows(counted), strict=False)),
        "total_row": columns.authority_rows(counted)[-1],
        "school_headings": [column.heading for column in school_columns],
        "school_rows": [(line, [column.value(line) for column in school_columns]) for line in page],
        "page": page,
        "page_numbers": paginator.get_elided_page_range(page.number),
        "recent": [(job, job.result.get("title", jobs.title(job))) for job in recent],
    }
    status = 422 if number.errors else 200
    return render(request, "reporting/circular/page.html", context, status=status)


def _sorted(schools: list[SchoolLine], by: str) -> list[SchoolLine]:
    """`schools` come by authority and code, and stay so among equals."""
    if by == "streak":
        return sorted(schools, key=lambda school: -school.weeks)
    if by == "missed":
        return sorted(schools, key=lambda school: (-school.rate.missed, -school.rate.late))
    return schools
