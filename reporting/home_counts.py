"""What waits on a home beside reporting: numbers that lead to their lists, all of them in one query."""

import functools
import operator
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import F, IntegerField, QuerySet, Subquery, Sum
from django.db.models.expressions import Combinable
from django.urls import reverse

from accounts.models import Role, User
from certificates.models import CreditProposal
from certificates.permissions import may_review as may_review_proposals
from core import clock
from evaluators import permissions as evaluator_permissions
from evaluators.models import Activity, EvaluatorFiling, ExamSite
from funding.models import Allocation, FeeStandard
from funding.permissions import may_file_standards
from obligations.models import ObligationKind
from reporting.models import ReportVersion
from schools import agreement_lists, differences, permissions
from schools.models import ApplicationItem, ExpertOpinion, Objection, SchoolFiling
from schools.services import reviews

DOERS = {Role.OFFICE, Role.CITY_BUREAU}


class Counted(Subquery):
    """The number of rows of a query, as an expression."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


class Figure(NamedTuple):
    """A number above zero, its words, and the list that holds just these rows."""

    label: str
    url: str
    number: int


Line = tuple[str, str, list[QuerySet[Any]]]


def counts(user: User) -> list[Figure]:
    """What waits for this user, in the order of the work; what there is none of is left out."""
    lines = list(_lines(user))
    if not lines:
        return []
    sums = [_sum_of(queries) for _, _, queries in lines]
    found = User.objects.filter(pk=user.pk).values_list(*sums).get()
    return [Figure(label, url, count) for (label, url, _), count in zip(lines, found, strict=True) if count]


def _sum_of(queries: list[QuerySet[Any]]) -> Combinable:
    counted: list[Combinable] = [Counted(rows.order_by().values("pk")) for rows in queries]
    return functools.reduce(operator.add, counted)


def _lines(user: User) -> Iterator[Line]:
    if state := reviews.waiting_state(user):
        items = ApplicationItem.objects.visible_to(user).filter(state=state)
        word = ApplicationItem.State(state).label
        yield f"申报项目{word}", _list("reviews:queue", f"round=&state={state}"), [items]
    if permissions.may_review_filings(user):
        filings = SchoolFiling.objects.visible_to(user).filter(state=SchoolFiling.State.SUBMITTED)
        yield "院校备案待审核", _list("filings:list", "state=submitted"), [filings]
    if permissions.may_publish(user):
        open_ = Objection.objects.visible_to(user).unanswered()
        yield "异议待答复", _list("publications:objections", "state=open"), [open_]
    if may_file_standards(user):
        yield _standards(user, FeeStandard.State.PROPOSED, "考核费用标准待备案")
    if permissions.is_expert(user):
        asked = ExpertOpinion.objects.visible_to(user).waiting()
        yield "意见待提出", _list("opinions:list", "state=asked"), [asked]
    if user.role == Role.EVALUATOR:
        yield _standards(user, FeeStandard.State.RETURNED, "考核费用标准退回修改")
    yield from _of_evaluators(user)
    if user.role in Role.of_a_school():
        yield _sites(user, ExamSite.State.RETURNED, "考点申报退回修改")
    yield from _of_agreements(user)
    if user.role in DOERS:
        at, year = clock.now(), clock.today().year
        kinds = [differences.rows(kind, user, at).filter(year=year) for kind in differences.Kind]
        yield "与国家平台不一致", _list("schools:platform-differences"), kinds


def _standards(user: User, state: str, label: str) -> Line:
    rows = FeeStandard.objects.visible_to(user).filter(state=state)
    return label, _list("funding:standards", f"state={state}"), [rows]


def _of_evaluators(user: User) -> Iterator[Line]:
    """What waits of evaluators' filings, proposals, activities and sites: for the office, for those in whose
    charge they are, for the evaluators themselves."""
    if evaluator_permissions.may_review_filings(user) or user.role == Role.COORDINATOR:
        yield _filings(user, EvaluatorFiling.State.SUBMITTED, "评价组织备案待审核")
    if may_review_proposals(user):
        state = CreditProposal.State.SUBMITTED
        proposals = CreditProposal.objects.visible_to(user).filter(state=state)
        yield "学分记录建议待审核", _list("credit:list", f"state={state}"), [proposals]
    if user.role == Role.EVALUATOR:
        yield _filings(user, EvaluatorFiling.State.RETURNED, "评价组织备案退回修改")
        awaited = Activity.objects.visible_to(user).awaiting_results(clock.now())
        yield "活动待登记结果", _list("activities:list", "results=awaited"), [awaited]
        yield _sites(user, ExamSite.State.APPLIED, "考核站点待同意")


def _filings(user: User, state: str, label: str) -> Line:
    rows = EvaluatorFiling.objects.visible_to(user).filter(state=state)
    return label, _list("evaluator-filings:list", f"state={state}"), [rows]


def _sites(user: User, state: str, label: str) -> Line:
    return (
        label,
        _list("sites:list", f"state={state}"),
        [ExamSite.objects.visible_to(user).filter(state=state)],
    )


def _of_agreements(user: User) -> Iterator[Line]:
    """Those who sign are told what ends and what waits for them; those who watch, what is missing."""
    day = clock.today()
    signs = user.role in Role.of_a_school() or user.role == Role.EVALUATOR
    if signs or user.role in DOERS:
        missing = agreement_lists.missing(user, day)
        yield "项目没有生效的协议", _list("agreements:missing"), [missing]
    if signs:
        expiring, awaiting = agreement_lists.expiring(user, day), agreement_lists.awaiting(user, day)
        yield "协议 60 天内到期", _list("agreements:list", "state=expiring"), [expiring]
        yield "协议待院校确认", _list("agreements:list", "state=unconfirmed"), [awaiting]


def _list(name: str, query: str = "") -> str:
    return reverse(name) + (f"?{query}" if query else "")


class Money(NamedTuple):
    """Yuan: what was allocated to the school for the year, and what its weekly reports say was spent."""

    year: int
    allocated: Decimal
    spent: Decimal


def money(user: User) -> Money | None:
    """Of a school that was given something this year; two queries."""
    year = clock.today().year
    given = Allocation.objects.visible_to(user).filter(year=year).aggregate(sum=Sum("amount"))["sum"]
    if given is None:
        return None
    current = ReportVersion.objects.visible_to(user).filter(report__current=F("pk"))
    weeks = current.filter(
        report__obligation__kind=ObligationKind.WEEKLY_REPORT, report__obligation__key__startswith=f"{year}-W"
    )
    spent = [Decimal(content["money_spent"]) for content in weeks.values_list("content", flat=True)]
    return Money(year, given, sum(spent, Decimal(0)))
