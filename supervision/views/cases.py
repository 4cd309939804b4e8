"""The list of cases, one case, and its whole record."""

import datetime as dt
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet, prefetch_related_objects
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import User
from core import clock
from core.lists import ListPage
from core.workflow import Offer
from supervision import evidence, permissions
from supervision.filters import CaseFilter, FollowUpFilter
from supervision.models import Case, CaseEvidence, FollowUp, Statement
from supervision.record import file_key, files_of, record, weeks_of
from supervision.tables import CaseTable, FollowUpTable
from supervision.workflow import procedure

BY_THE_SCHOOL = {"case_respond", "case_report"}
UNDER_WAY = set(Case.State) - {Case.State.DECIDED}
FIRST_STEPS = {Case.State.FLAGGED, Case.State.INVESTIGATING}


class CaseList(ListPage):
    model = Case
    table_class = CaseTable
    filterset_class = CaseFilter
    template_name = "supervision/case_list.html"
    heading = "案件"
    subtitle = "连续三周不填报周报的，自动触发；其他情形由推进办登记（教职成厅函〔2019〕19号 五(四)）。"
    empty_text = "没有案件。"
    export_name = "案件"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not permissions.may_see_cases(request.user):
            raise PermissionDenied("您的角色没有查看案件的权限；推进办、主管部门和本校可以查看。")
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Any]:
        cases = super().queryset().select_related("organization__supervisor", "answer_term")
        return cases.annotate(weeks=Count("evidence"))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(may_handle=permissions.may_handle(self.request.user), **kwargs)


class FollowUpList(ListPage):
    """What the office must still do after revocations (SX 四.3)."""

    model = FollowUp
    table_class = FollowUpTable
    filterset_class = FollowUpFilter
    heading = "案件后续事项"
    subtitle = "取消试点资格以后：收回专项资金，追究主要责任人责任，通报全省（晋教职成〔2020〕9号 四.3）。"
    empty_text = "没有后续事项。取消试点资格的决定作出后，会在这里列出。"
    export_name = "案件后续事项"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not permissions.may_handle(request.user):
            raise PermissionDenied("案件后续事项由省推进办办理。")
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Any]:
        return super().queryset().select_related("case__organization", "done_by")


def visible_case(request: HttpRequest, pk: int) -> Case:
    cases = Case.objects.visible_to(request.user).select_related(
        "organization__supervisor", "answer_term", "rectification_term", "proposer", "opened_by"
    )
    return get_object_or_404(cases, pk=pk)


@require_safe
def case_detail(request: HttpRequest, pk: int) -> HttpResponse:
    case = visible_case(request, pk)
    user, now = request.user, clock.now()
    rows = list(case.evidence.select_related("obligation").order_by("obligation__due_at"))
    documents = list(case.documents.select_related("file", "issued_by"))
    statements = list(_statements(case, user))
    files = files_of([*documents, *statements])
    decisions = list(case.decisions.select_related("decided_by", "supersedes"))
    standing = evidence.read_once(case)
    handles = permissions.may_handle(user) and case.state in UNDER_WAY
    context = {
        "case": case,
        "evidence": [_shown(item, case) for item in rows],
        "standing": standing,
        "needs_confirmation": not standing.is_confirmed(case.exempt_confirmed_at),
        "offers": [(o, _address(o, case)) for o in _offers(case, user, now)],
        "decisions": decisions,
        "decision": decisions[-1] if decisions else None,
        "documents": [(d, _others(files[file_key(d)], d.file_id)) for d in documents],
        "statements": [(s, files[file_key(s)]) for s in statements],
        "handles": handles,
        "may_handle": permissions.may_handle(user),
        "may_answer": permissions.may_answer(user, case),
        "may_add_files": handles and case.state in FIRST_STEPS,
        "ways_out": case.ways_out.select_related("programme__certificate_level__certificate"),
        "follow_ups": case.follow_ups.select_related("done_by") if user.sees_reporting else [],
    }
    return render(request, "supervision/case_detail.html", context)


@require_safe
def case_record(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything on paper, for whoever has to check it."""
    case = visible_case(request, pk)
    prefetch_related_objects([case], "evidence")
    weeks = list(weeks_of(case))
    told = record(case, weeks)
    listed = [week["platform_list_imported"] for week in told["weeks"]]
    context = {"case": case, "record": told, "weeks": list(zip(weeks, listed, strict=True))}
    return render(request, "supervision/case_record.html", context)


@require_safe
def case_record_json(request: HttpRequest, pk: int) -> HttpResponse:
    case = visible_case(request, pk)
    response = JsonResponse(
        record(case, list(weeks_of(case))), json_dumps_params={"ensure_ascii": False, "indent": 2}
    )
    response["Content-Disposition"] = f'attachment; filename="case-{case.pk}.json"'
    response["Cache-Control"] = "private, no-store"
    return response


def _offers(case: Case, user: User, now: dt.datetime) -> list[Offer]:
    """What this side of the case may do next: the office its acts, the school its own."""
    if not (permissions.may_handle(user) or permissions.may_answer(user, case)):
        return []
    by_school = permissions.may_answer(user, case)
    offers = procedure.offers(case, user, now)
    return [o for o in offers if (o.transition.action in BY_THE_SCHOOL) == by_school]


def _address(offer: Offer, case: Case) -> str:
    action = offer.transition.action
    if action in BY_THE_SCHOOL:
        return reverse("supervision:statement", args=[case.pk])
    return reverse("supervision:act", args=[case.pk, action])


def _statements(case: Case, user: User) -> QuerySet[Statement]:
    rows = Statement.objects.visible_to(user).filter(case=case, sent_at__isnull=False)
    return rows.select_related("term", "sent_by").order_by("sent_at")


def _others(files: list[dict[str, Any]], own: Any) -> list[dict[str, Any]]:
    return [file for file in files if file["id"] != str(own)]


def _shown(item: CaseEvidence, case: Case) -> dict[str, Any]:
    """The frozen record with its instants, and the obligation as it stands now."""
    frozen = {
        name: _instant(item.frozen[name]) for name in ("due_at", "closes_at", "filled_at", "excused_at")
    }
    was = "excused" if frozen["excused_at"] else "filled" if frozen["filled_at"] else item.frozen["outcome"]
    return {
        "period": item.frozen["period"],
        **frozen,
        "state": was,
        "added_at": item.added_at,
        "obligation": item.obligation,
        "changed": item.obligation.state != was,
        "after_notice": case.notified_at is not None and item.added_at > case.notified_at,
    }


def _instant(text: str) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None
