"""Coverage by exam sites: the table, its gaps, a school's nearest sites, little-used neighbours."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_http_methods, require_safe

from accounts import typed
from accounts.models import City
from certificates.models import Certificate
from core import clock, exports
from evaluators import coverage, permissions
from evaluators import nearest as distances
from evaluators.forms.coverage import CoverageForm
from evaluators.forms.sites import PlaceForm, RuleForm
from evaluators.models import SchoolPlace, SiteRule
from evaluators.services import coverage as services
from schools.models import School

# Certificates on one page: some 30 × 17 cells.
PER_PAGE = 30
GAPS_PER_PAGE = 50
UNKNOWN_CITY = "所在市未登记"


class Asked(NamedTuple):
    """What the address asks for, and what was found."""

    form: CoverageForm
    found: dict[coverage.Key, coverage.Cell]
    table: coverage.Table
    cities: list[tuple[str | None, str]]


def _asked(request: HttpRequest, *, only_gaps: bool = False) -> Asked:
    """Raises PermissionDenied."""
    user = request.user
    if not permissions.may_see_coverage(user):
        raise PermissionDenied("考点覆盖表由省级、市教育局、对接专员和评价组织查看；院校请看“本校就近考点”。")
    form = CoverageForm(request.GET)
    given = form.cleaned_data if form.is_valid() else {}
    city, certificate = given.get("city"), given.get("certificate")
    scope = coverage.scope_of(
        user, city=city.pk if city else None, certificate=certificate.pk if certificate else None
    )
    scope.is_empty = scope.is_empty or not form.is_valid()
    found = coverage.cells(scope, clock.now())
    table = coverage.table(found, only_gaps=only_gaps or given.get("only") == "gaps")
    known = dict(City.objects.values_list("pk", "name"))
    codes = sorted(table.columns, key=lambda code: code or "~")
    return Asked(form, found, table, [(code, known.get(code or "", UNKNOWN_CITY)) for code in codes])


@require_http_methods(["GET", "HEAD", "POST"])
def table(request: HttpRequest) -> HttpResponse:
    """Certificates down, cities across, so many certificates at a time. POST exports all of it."""
    asked = _asked(request)
    if request.method == "POST":
        return _export(request, asked, "考点覆盖")
    paginator = Paginator(asked.table.rows, PER_PAGE)
    page = paginator.get_page(request.GET.get("page"))
    named = coverage.names(row.certificate for row in page.object_list)
    context = {
        "form": asked.form,
        "cities": asked.cities,
        "rows": [_row(row, named[row.certificate], asked.cities) for row in page.object_list],
        "columns": [asked.table.columns[code] for code, _ in asked.cities],
        "sum": asked.table.sum,
        "count": paginator.count,
        "page": page,
        "page_numbers": list(paginator.get_elided_page_range(page.number)),
        "is_filtered": any(request.GET.values()),
        "year": clock.today().year,
        "principle": coverage.PRINCIPLE,
    }
    return render(request, "evaluators/coverage/table.html", context)


def _row(row: coverage.Row, certificate: Certificate, cities: list[tuple[str | None, str]]) -> SafeString:
    """The certificate's line; put together as text, as a page holds hundreds of cells."""
    sites = reverse("sites:list")

    def cell(code: str | None, city: str) -> str:
        numbers = row.cells.get(code)
        if numbers is None:
            return "<td></td>"
        href = f"{sites}?certificate={row.certificate}&amp;city={code or ''}&amp;state=filed"
        return f'<td data-label="{escape(city)}"{_mark(numbers)}>{_words(numbers, href)}</td>'

    cells = "".join(cell(code, city) for code, city in cities)
    name = f"{escape(certificate.short_name)}<small>{escape(certificate.owner.name)}</small>"
    total = f'<td data-label="合计" class="sum">{_words(row.sum)}{_gaps(row.sum)}</td>'
    return mark_safe(f'<tr><th scope="row">{name}</th>{total}{cells}</tr>')  # noqa: S308


def _mark(cell: coverage.Cell) -> str:
    return ' class="gap"' if cell.gaps else ""


def _gaps(cell: coverage.Cell) -> str:
    return f"<b>缺 {cell.gaps} 市</b>" if cell.gaps else ""


def _words(cell: coverage.Cell, href: str = "") -> str:
    sites = f"{cell.sites} 站 {cell.places} 位"
    if href and cell.sites:
        sites = f'<a href="{href}">{sites}</a>'
    if href and cell.gaps:
        sites = "<b>缺考点</b>"
    return f"<span>{cell.schools} 校 {cell.planned} 人</span><span>{sites}</span>"


class Gap(NamedTuple):
    certificate: Certificate
    city: str
    cell: coverage.Cell
    # Filed sites of the certificate in other cities.
    elsewhere: int


@require_http_methods(["GET", "HEAD", "POST"])
def gaps(request: HttpRequest) -> HttpResponse:
    """Only where schools run a certificate and no site stands, most candidates first. POST exports them."""
    asked = _asked(request, only_gaps=True)
    if request.method == "POST":
        return _export(request, asked, "考点缺口")
    lines = [(row.certificate, code, cell) for row in asked.table.rows for code, cell in row.cells.items()]
    lines.sort(key=lambda line: (-line[2].planned, -line[2].schools, line[0], line[1] or "~"))
    paginator = Paginator(lines, GAPS_PER_PAGE)
    page = paginator.get_page(request.GET.get("page"))
    named = coverage.names({certificate for certificate, _, _ in page.object_list})
    elsewhere = coverage.sites_in_all(named)
    cities = dict(asked.cities)
    context = {
        "form": asked.form,
        "gaps": [
            Gap(named[pk], cities[code], cell, elsewhere.get(pk, 0)) for pk, code, cell in page.object_list
        ],
        "sum": asked.table.sum,
        "count": paginator.count,
        "page": page,
        "page_numbers": list(paginator.get_elided_page_range(page.number)),
        "is_filtered": any(request.GET.values()),
        "year": clock.today().year,
        "principle": coverage.PRINCIPLE,
    }
    return render(request, "evaluators/coverage/gaps.html", context)


def _export(request: HttpRequest, asked: Asked, name: str) -> HttpResponse:
    at = clock.now()
    filters = {key: value for key, value in request.GET.items() if value and key != "page"}
    content = exports.export_list(name=name, rows=_lines(asked), filters=filters, by=request.user, at=at)
    return exports.download(content, f"{name}-{clock.local(at):%Y%m%d-%H%M}.xlsx")


def _lines(asked: Asked) -> Iterator[list[Any]]:
    """One line a city and certificate, the sum last."""
    named = coverage.names(row.certificate for row in asked.table.rows)
    yield ["证书", "培训评价组织", "市", "开设院校", "计划人数", "考核站点", "考位", "缺口"]
    for row in asked.table.rows:
        certificate = named[row.certificate]
        for code, city in asked.cities:
            if code in row.cells:
                yield [certificate.name, certificate.owner.name, city, *row.cells[code]]
    yield ["合计（同一院校每个证书计一次）", "", "", *asked.table.sum]


# --- Side by side


@require_safe
def pairs(request: HttpRequest) -> HttpResponse:
    if not permissions.may_see_coverage(request.user):
        raise PermissionDenied("相邻站点的使用情况由省级、市教育局、对接专员和评价组织查看。")
    sites = distances.filed_sites(request.user)
    context = {
        "pairs": distances.side_by_side(sites, clock.now()),
        "threshold": SiteRule.threshold(),
        "year": clock.today().year,
        "clause": distances.SHARING,
        "kilometres": distances.SIDE_BY_SIDE_KM,
        "may_set": permissions.may_set_site_rule(request.user),
    }
    return render(request, "evaluators/coverage/side_by_side.html", context)


@typed.keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
def rule(request: HttpRequest) -> HttpResponse:
    if not permissions.may_set_site_rule(request.user):
        raise PermissionDenied("站点使用率规则由省推进办制定。")
    data = request.POST if request.method == "POST" else typed.take(request)
    form = RuleForm(data, initial={"candidates_per_place": SiteRule.threshold()})
    if request.method == "POST" and form.is_valid():
        try:
            services.set_rule(**form.cleaned_data, by=request.user, at=clock.now())
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, "已保存。")
            return redirect("sites:side-by-side")
    context = {
        "form": form,
        "heading": "站点使用率规则",
        "intro": "同一证书的两个站点相邻，且每个考位的计划人数都低于这个数的，提示使用不足；没有制定的按 0.50。",
        "cancel_url": reverse("sites:side-by-side"),
    }
    return render(request, "core/form_page.html", context, status=422 if form.errors else 200)


# --- A school


@require_safe
def nearest(request: HttpRequest) -> HttpResponse:
    school = _own_school(request)
    context = {
        "school": school,
        "lines": distances.of_school(school, clock.now()),
        "place": SchoolPlace.objects.filter(pk=school.pk).select_related("county").first(),
        "may_apply": permissions.may_apply_for_sites(request.user),
        "principle": coverage.PRINCIPLE,
    }
    return render(request, "evaluators/coverage/nearest.html", context)


@typed.keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
def place(request: HttpRequest) -> HttpResponse:
    school = _own_school(request)
    if not permissions.may_apply_for_sites(request.user):
        raise PermissionDenied("学校位置由本校联系人登记。")
    now = SchoolPlace.objects.filter(pk=school.pk).first() or SchoolPlace(school=school)
    data = request.POST if request.method == "POST" else typed.take(request)
    form = PlaceForm(data, instance=now, city=school.organization.city)
    if request.method == "POST" and form.is_valid():
        try:
            services.set_place(fields=form.cleaned_data, by=request.user, at=clock.now())
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, "已登记学校位置。")
            return redirect("sites:nearest")
    context = {
        "form": form,
        "heading": "登记学校位置",
        "intro": "只用来计算到各考核站点的距离。不知道经纬度的，只选县（市、区）。",
        "cancel_url": reverse("sites:nearest"),
    }
    return render(request, "core/form_page.html", context, status=422 if form.errors else 200)


def _own_school(request: HttpRequest) -> School:
    if not permissions.is_of_a_school(request.user):
        raise PermissionDenied("本页供院校查看本校的就近考点；其他各方请看“考点覆盖”。")
    rows = School.objects.visible_to(request.user).select_related("organization__city")
    return get_object_or_404(rows, pk=request.user.organization_id)
