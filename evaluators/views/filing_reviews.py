"""Those who watch over evaluators' filings: the list, one filing with its versions, the answer."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.fields import BooleanField, CharField
from django.db.models.functions import Cast, Concat
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Role, User
from certificates.models import Certificate
from core import clock
from core.draft_pages import Difference
from core.lists import ListPage
from core.models import Attachment
from core.workflow import NotNow
from evaluators import filing_content as shape
from evaluators import permissions
from evaluators.filters.filings import FilingFilter
from evaluators.forms.filings import AcceptForm, RefuseForm, ReturnForm
from evaluators.models import Evaluator, EvaluatorFiling, EvaluatorFilingVersion
from evaluators.services import filings
from evaluators.tables.filings import FilingTable
from evaluators.workflow import filing as lifecycle
from obligations.models import Obligation, ObligationKind, Outcome
from schools.models import Programme

FORMS = {
    "evaluator_filing_accept": AcceptForm,
    "evaluator_filing_return": ReturnForm,
    "evaluator_filing_refuse": RefuseForm,
}
AFTER = {
    "evaluator_filing_accept": "办理后这一版成为备案，评价组织可以备案活动、考核站点和考核费用标准。"
    "负责人变更时可提交新版本，审核期间原备案仍然有效。",
    "evaluator_filing_return": "办理后评价组织收到退回意见，应在 5 个工作日内（第 5 个工作日 18:00 前）重新提交；"
    "首次提交的按时或迟报不变。",
    "evaluator_filing_refuse": "办理后评价组织收到理由。原来已予备案的版本仍然有效；没有的，不能备案活动、"
    "考核站点和考核费用标准。",
}
READERS = "评价组织备案由省推进办、对接专员和该评价组织查看。"


def certificates_for(user: User) -> QuerySet[Certificate]:
    """Whose filing the user may look at: the province all, a coordinator of those in charge, the owner its own."""
    if not permissions.may_see_filings(user):
        return Certificate.objects.none()
    return Certificate.objects.filter(owner__in=Evaluator.objects.visible_to(user).values("pk"))


def certificate_of(user: User, pk: int) -> Certificate:
    return get_object_or_404(certificates_for(user).select_related("owner"), pk=pk)


def owing_or_filed(
    certificates: QuerySet[Certificate], at: dt.datetime, *, whole: bool
) -> QuerySet[Certificate]:
    """Certificates that run in the province, owe a filing or have one (`whole`: all), with how it stands.

    `filing_state` ("none": nothing submitted), `is_on_file`, `due_at` and `duty` (outcome) of the first
    duty, `pending_due_at` and `is_overdue` of what is still owed, `received_at` and `version` of the newest.
    """
    running = Programme.objects.running_at(at).filter(certificate_level__certificate=OuterRef("pk"))
    mine = Obligation.objects.filter(
        organization=OuterRef("owner"), kind=ObligationKind.EVALUATOR_FILING
    ).alias(certificate=Cast(OuterRef("pk"), CharField()))
    first = mine.filter(key=F("certificate"))
    every = mine.filter(Q(key=F("certificate")) | Q(key__startswith=Concat("certificate", Value("-v"))))
    pending = every.filter(outcome=Outcome.PENDING).order_by("due_at")
    submitted = Q(filing__current__isnull=False)
    rows = certificates if whole else certificates.filter(submitted | Exists(running) | Exists(first))
    return rows.annotate(
        filing_state=Case(
            When(submitted, then=F("filing__state")), default=Value("none"), output_field=CharField()
        ),
        is_on_file=Case(
            When(filing__accepted__isnull=False, then=Value(True)),
            default=Value(False),
            output_field=BooleanField(),
        ),
        due_at=Subquery(first.values("due_at")[:1]),
        duty=Subquery(first.values("outcome")[:1]),
        pending_due_at=Subquery(pending.values("due_at")[:1]),
        is_overdue=Exists(pending.filter(due_at__lte=at)),
        received_at=F("filing__current__received_at"),
        version=F("filing__current__number"),
    )


class FilingList(ListPage):
    model = Certificate
    table_class = FilingTable
    filterset_class = FilingFilter
    heading = "评价组织备案"
    subtitle = f"在本省开展试点的评价组织，按证书填报负责人备案表（附件3），履行备案手续（{permissions.FILING_CLAUSE}）。"
    empty_text = "还没有需要备案的证书。有院校开展试点的证书会列在这里。"
    export_name = "评价组织备案"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not permissions.may_see_filings(request.user):
            raise PermissionDenied(READERS)
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Any]:
        user = self.request.user
        own = user.role == Role.EVALUATOR
        return owing_or_filed(certificates_for(user), clock.now(), whole=own).select_related("owner")


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The newest version, what each changed of the one before, and what may be done."""
    user, at = request.user, clock.now()
    certificate = certificate_of(user, pk)
    record = _record(pk)
    phones = permissions.may_see_phones(user, certificate)
    versions = list(record.versions.select_related("submitted_by")) if record else []
    content = shape.shown(versions[-1].content, phones=phones) if versions else None
    owed = list(filings.duties(certificate))
    may_file = permissions.may_file(user, certificate)
    context = {
        "certificate": certificate,
        "record": record,
        "current": versions[-1] if versions else None,
        "content": content,
        "file_rows": shape.file_rows(content) if content else [],
        "history": _with_differences(record, versions, phones=phones) if record else [],
        "duty": next((duty for duty in owed if duty.key == str(pk)), None),
        "pending": next((duty for duty in owed if duty.outcome == Outcome.PENDING), None),
        "at": at,
        "offers": _offers(record, user, at),
        "may_file": may_file,
        "may_reveal": permissions.may_reveal(user, certificate),
        "has_draft": bool(record and record.draft is not None and may_file),
    }
    return render(request, "evaluators/filings/detail.html", context)


def _record(pk: int) -> EvaluatorFiling | None:
    rows = EvaluatorFiling.objects.select_related(
        "current", "accepted", "reviewed_by", "draft_saved_by", "certificate__owner"
    )
    return rows.filter(pk=pk).first()


def _offers(record: EvaluatorFiling | None, user: User, at: dt.datetime) -> list[tuple[str, str]]:
    """(action, label) of what the office may do now."""
    if record is None or not permissions.may_review_filings(user):
        return []
    offers = lifecycle.offers(record, user, at)
    return [(o.transition.action, o.transition.label) for o in offers if o.open]


def _with_differences(
    record: EvaluatorFiling, versions: list[EvaluatorFilingVersion], *, phones: bool
) -> list[tuple[EvaluatorFilingVersion, list[Difference]]]:
    """Newest first, each with what it changed of the one before."""
    names = {str(file.pk): file.name for file in Attachment.objects.of(record)}
    typed = [shape.typed_of(version.content) for version in versions]
    pairs = [
        (version, shape.differences(typed[i - 1], typed[i], names, phones=phones) if i else [])
        for i, version in enumerate(versions)
    ]
    return pairs[::-1]


@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    certificate = certificate_of(request.user, pk)
    if not permissions.may_review_filings(request.user):
        raise PermissionDenied(f"评价组织备案由省推进办审核（{permissions.FILING_CLAUSE}）。")
    record = get_object_or_404(EvaluatorFiling.objects.select_related("certificate__owner", "current"), pk=pk)
    row = lifecycle.transition(action)
    read = record.current.number if record.current else None
    form = FORMS[action](request.POST if request.method == "POST" else None, initial={"version": read})
    if form.is_valid():
        try:
            lifecycle.run(action, record, **form.cleaned_data, by=request.user, at=clock.now())
        except NotNow as refusal:
            messages.warning(request, " ".join(refusal.reasons))
            return redirect("evaluator-filings:detail", pk)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"{certificate}：已办理“{row.label}”。")
            return redirect("evaluator-filings:detail", pk)
    context = {
        "certificate": certificate,
        "record": record,
        "row": row,
        "form": form,
        "after": AFTER[action],
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "evaluators/filings/review.html", context, status=status)
