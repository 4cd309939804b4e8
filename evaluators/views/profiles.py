"""An evaluator's page: its certificates, and the schools that run them in the province."""

from typing import Any

from django.db.models import Count, F, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.models import Role
from certificates.models import CertificateLevel
from core import clock
from evaluators import panels, permissions
from evaluators.models import Evaluator
from evaluators.views.filing_reviews import certificates_for, owing_or_filed
from schools.models import AnnualPlan, Programme


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Counts and plans are of the schools within the user's scope."""
    evaluators = Evaluator.objects.visible_to(request.user).select_related("organization")
    evaluator = get_object_or_404(evaluators, pk=pk)
    year = clock.today().year
    in_scope = Programme.objects.all()
    # Who is in charge of the evaluator sees where it runs; no school is in a coordinator's own scope.
    if request.user.role != Role.COORDINATOR:
        in_scope = in_scope.visible_to(request.user)
    programmes = in_scope.running_at(clock.now()).filter(
        certificate_level__certificate__owner=evaluator.organization_id
    )
    schools = _schools(programmes, year)
    dormant = programmes.dormant_at(clock.now(), year)
    context = {
        "evaluator": evaluator,
        "year": year,
        "own_school": request.user.role in Role.of_a_school(),
        "levels": _levels(evaluator, programmes, year),
        "schools": schools,
        "planned": sum(school["planned"] for school in schools),
        "dormant": dormant.count(),
        "filings": _filings(request, evaluator),
        "charges": _charges(request, evaluator),
        "may_keep_charges": permissions.may_keep_charges(request.user),
        "opens_schools": request.user.role != Role.COORDINATOR,
        "panels": panels.of(request.user, evaluator),
    }
    return render(request, "evaluators/detail.html", context)


def _filings(request: HttpRequest, evaluator: Evaluator) -> Any:
    """How the filing of each certificate stands, for those who may look at filings."""
    mine = certificates_for(request.user).filter(owner=evaluator.organization_id)
    return owing_or_filed(mine, clock.now(), whole=True).order_by("name")


def _charges(request: HttpRequest, evaluator: Evaluator) -> Any:
    """Who looks after it now: for the office and the coordinators, and for itself."""
    if not permissions.may_see_filings(request.user):
        return evaluator.charges.none()
    return evaluator.charges.filter(ended_at=None).select_related("coordinator").order_by("given_at")


def _planned(programmes: QuerySet[Programme], year: int, by: str) -> dict[int, int]:
    """Candidates planned in `year` by the value of `by`."""
    plans = AnnualPlan.objects.filter(programme__in=programmes, year=year).order_by()
    return dict(plans.values_list(by).annotate(Sum("candidates")))


def _levels(evaluator: Evaluator, programmes: QuerySet[Programme], year: int) -> list[dict[str, Any]]:
    """The certificate levels in the catalogue's order, each with its schools and planned candidates."""
    levels = (
        CertificateLevel.objects.filter(certificate__owner=evaluator.organization_id)
        .select_related("certificate")
        .order_by("certificate__batch", "certificate__name", "level")
    )
    running = dict(
        programmes.order_by().values_list("certificate_level").annotate(Count("school", distinct=True))
    )
    planned = _planned(programmes, year, "programme__certificate_level")
    return [
        {"level": level, "schools": running.get(level.pk, 0), "planned": planned.get(level.pk, 0)}
        for level in levels
    ]


def _schools(programmes: QuerySet[Programme], year: int) -> list[dict[str, Any]]:
    planned = _planned(programmes, year, "programme__school")
    rows = (
        programmes.order_by("school__organization__code")
        .values("school", name=F("school__organization__name"), city=F("school__organization__city__name"))
        .annotate(levels=Count("pk"))
    )
    return [{**row, "planned": planned.get(row["school"], 0)} for row in rows]
