"""Those who watch over filings: the list, one school's filing with its versions, accept and return."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.fields import CharField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Organization, Role
from core import clock
from core.draft_pages import Difference
from core.lists import ListPage
from core.models import Attachment
from core.workflow import NotNow
from obligations.models import Obligation, ObligationKind, Outcome
from schools import filing_content as shape
from schools import permissions
from schools.filters.filings import FilingFilter
from schools.forms.filings import AcceptForm, ReturnForm
from schools.models import School, SchoolFiling, SchoolFilingVersion
from schools.services import filings
from schools.tables.filings import FilingTable
from schools.workflow import filing as lifecycle

FORMS = {"filing_accept": AcceptForm, "filing_return": ReturnForm}


def owing_or_filed(schools: QuerySet[School], at: dt.datetime) -> QuerySet[School]:
    """Schools that owe a filing or have filed one, each with how it stands.

    `filing_state` ("none": nothing submitted), `due_at` and `duty` (outcome) of the first duty,
    `pending_due_at` and `is_overdue` of what is still owed, `received_at` and `version` of the current one.
    """
    owed = Obligation.objects.filter(organization=OuterRef("pk"), kind=ObligationKind.SCHOOL_FILING)
    first = owed.filter(key=filings.DUTY_KEY)
    pending = owed.filter(outcome=Outcome.PENDING).order_by("due_at")
    submitted = Q(filing__current__isnull=False)
    return schools.filter(submitted | Exists(owed)).annotate(
        filing_state=Case(
            When(submitted, then=F("filing__state")), default=Value("none"), output_field=CharField()
        ),
        due_at=Subquery(first.values("due_at")[:1]),
        duty=Subquery(first.values("outcome")[:1]),
        pending_due_at=Subquery(pending.values("due_at")[:1]),
        is_overdue=Exists(pending.filter(due_at__lte=at)),
        received_at=F("filing__current__received_at"),
        version=F("filing__current__number"),
    )


class FilingList(ListPage):
    model = School
    table_class = FilingTable
    filterset_class = FilingFilter
    heading = "院校备案"
    subtitle = (
        "自公布试点名单之日起 1 个月内，报备联系人、机构信息和试点工作方案（晋教职成〔2020〕9号 三.1）。"
    )
    empty_text = "还没有需要备案的院校。试点名单公布后，名单上的院校会列在这里。"
    export_name = "院校备案"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not permissions.may_see_filings(request.user):
            raise PermissionDenied("院校备案由省推进办和学校的主管部门查看；院校请从“院校备案”填写本校备案。")
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Any]:
        rows = owing_or_filed(super().queryset(), clock.now())
        return rows.select_related("organization__city", "organization__supervisor").defer("contact_mobile")


def _school(request: HttpRequest, pk: int) -> School:
    """Of one's scope; an evaluator has nothing to do with a school's filing."""
    schools = School.objects.filter(organization__in=Organization.objects.visible_to(request.user))
    return get_object_or_404(schools.select_related("organization__city", "organization__supervisor"), pk=pk)


def _record(school: School) -> SchoolFiling | None:
    rows = SchoolFiling.objects.select_related("current", "reviewed_by", "draft_saved_by")
    return rows.filter(pk=school.pk).first()


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The current version, what each version changed of the one before, and what may be done."""
    school, user, at = _school(request, pk), request.user, clock.now()
    record = _record(school)
    plain = permissions.may_see_mobile(user, school)
    versions = list(record.versions.select_related("submitted_by")) if record else []
    current = versions[-1] if versions else None
    owed = list(filings.duties(school.pk))
    duty = next((duty for duty in owed if duty.key == filings.DUTY_KEY), None)
    reviews = record is not None and permissions.may_review_filings(user)
    context = {
        "school": school,
        "record": record,
        "current": current,
        "content": shape.shown(current.content, plain=plain) if current else None,
        "history": _with_differences(record, versions, plain=plain) if record else [],
        "duty": duty,
        "is_overdue": duty is not None and duty.outcome == Outcome.PENDING and duty.due_at <= at,
        "mending": next(
            (d for d in owed if d.key != filings.DUTY_KEY and d.outcome == Outcome.PENDING), None
        ),
        "offers": list(lifecycle.offers(record, user, at)) if reviews else [],
        "may_file": permissions.may_file(user, school),
        "why_not": filings.why_not_file(user, school, at),
        "is_own": user.role in Role.of_a_school(),
        "has_draft": bool(record and record.draft is not None and user.organization_id == school.pk),
        "sees_timeline": user.sees_province or plain,
    }
    return render(request, "schools/filings/detail.html", context)


def _with_differences(
    record: SchoolFiling, versions: list[SchoolFilingVersion], *, plain: bool
) -> list[tuple[SchoolFilingVersion, list[Difference]]]:
    """Newest first, each with what it changed of the one before."""
    names = {str(file.pk): file.name for file in Attachment.objects.of(record)}
    typed = [shape.typed_of(version.content) for version in versions]
    pairs = [
        (version, shape.differences(typed[i - 1], typed[i], names, plain=plain) if i else [])
        for i, version in enumerate(versions)
    ]
    return pairs[::-1]


@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    school = _school(request, pk)
    if not permissions.may_review_filings(request.user):
        raise PermissionDenied("院校备案由省推进办审核（晋教职成〔2020〕9号 三.1）。")
    record = get_object_or_404(SchoolFiling.objects.select_related("school__organization", "current"), pk=pk)
    row = lifecycle.transition(action)
    read = record.current.number if record.current else None
    form = FORMS[action](request.POST if request.method == "POST" else None, initial={"version": read})
    if form.is_valid():
        try:
            lifecycle.run(action, record, **form.cleaned_data, by=request.user, at=clock.now())
        except NotNow as refusal:
            messages.warning(request, " ".join(refusal.reasons))
            return redirect("filings:detail", pk)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"{school}：已办理“{row.label}”。")
            return redirect("filings:detail", pk)
    context = {"school": school, "record": record, "row": row, "form": form, "action": action}
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "schools/filings/review.html", context, status=status)
