"""异议: filed by the school, answered by the office, seen by both and by who supervises the school."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from core import clock
from core.lists import ListPage
from core.models import Attachment
from core.workflow import NotNow
from obligations import disputes, permissions
from obligations.dispute_forms import AnswerForm, ClaimForm, DisputeFilter
from obligations.models import Dispute, Obligation
from obligations.tables import DisputeTable
from obligations.views.checked import require

form_methods = require_http_methods(["GET", "HEAD", "POST"])


class DisputeList(ListPage):
    model = Dispute
    table_class = DisputeTable
    filterset_class = DisputeFilter
    heading = "异议"
    subtitle = "院校对未报记录提出异议，推进办说明理由答复。记录、异议、答复都保留。"
    empty_text = "没有异议。院校可在未报周次的周报页面提出。"
    export_name = "异议"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        require(permissions.may_see_disputes(request.user), "异议供院校、主管部门和推进办查看。")
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Dispute]:
        return super().queryset().select_related("obligation__organization", "obligation__period")

    def get_table_kwargs(self) -> dict[str, Any]:
        return {"user": self.request.user}


def _dispute(request: HttpRequest, pk: int) -> Dispute:
    found = Dispute.objects.visible_to(request.user).select_related(
        "obligation__organization", "obligation__period", "filed_by", "answered_by"
    )
    return get_object_or_404(found, pk=pk)


@require_safe
def dispute(request: HttpRequest, pk: int) -> HttpResponse:
    found = _dispute(request, pk)
    at = clock.now()
    is_open = found.state == Dispute.State.OPEN
    files = list(Attachment.objects.of(found).select_related("uploaded_by"))
    schools = [f for f in files if f.uploaded_by.organization_id == found.organization_id]
    context = {
        "dispute": found,
        "obligation": found.obligation,
        "is_overdue": found.is_overdue(at),
        "claim_files": schools,
        "answer_files": [f for f in files if f not in schools],
        "may_answer": is_open and permissions.may_answer_dispute(request.user),
        "may_withdraw": is_open and permissions.may_dispute(request.user, found.obligation),
    }
    return render(request, "obligations/dispute.html", context)


@form_methods
def dispute_new(request: HttpRequest, pk: int) -> HttpResponse:
    """`pk` is the missed obligation's."""
    obligation = get_object_or_404(
        Obligation.objects.visible_to(request.user).select_related("organization", "period"), pk=pk
    )
    require(permissions.may_dispute(request.user, obligation), disputes.ONLY_SCHOOL)
    back = reverse("reporting:report", args=[pk])
    if reason := disputes.why_not(obligation):
        messages.error(request, f"不能提出异议：{reason}。")
        return redirect(back)
    form = ClaimForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            filed = disputes.file_dispute(
                obligation,
                claim=form.cleaned_data["claim"],
                files=form.cleaned_data["evidence"],
                by=request.user,
                at=clock.now(),
            )
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, "异议已提出，推进办和主管部门已收到通知。")
            return redirect("obligations:dispute", filed.pk)
    context = {
        "heading": "对未报提出异议",
        "intro": f"{obligation.organization}　{obligation.title}：记为未报。推进办在规定的工作日内说明理由答复；异议期间仍可补报。",
        "form": form,
        "submit_label": "提出异议",
        "cancel_url": back,
    }
    return render(request, "core/form_page.html", context, status=422 if form.errors else 200)


@form_methods
def dispute_answer(request: HttpRequest, pk: int) -> HttpResponse:
    found = _dispute(request, pk)
    require(permissions.may_answer_dispute(request.user), disputes.ONLY_OFFICE)
    form = AnswerForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            disputes.DISPUTE.run(
                given["verdict"],
                found,
                answer=given["answer"],
                files=given["evidence"],
                by=request.user,
                at=clock.now(),
            )
        except NotNow as refusal:
            messages.error(request, f"没有答复：{refusal}")
            return redirect("obligations:dispute", pk)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, "已答复，院校已收到通知。")
            return redirect("obligations:dispute", pk)
    context = {
        "heading": "答复异议",
        "intro": f"{found.obligation.organization}　{found.obligation.title}。异议理由：{found.claim}",
        "form": form,
        "submit_label": "答复",
        "cancel_url": reverse("obligations:dispute", args=[pk]),
    }
    return render(request, "core/form_page.html", context, status=422 if form.errors else 200)


@form_methods
def dispute_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    found = _dispute(request, pk)
    require(permissions.may_dispute(request.user, found.obligation), disputes.ONLY_SCHOOL)
    address = reverse("obligations:dispute", args=[pk])
    if request.method == "POST":
        try:
            disputes.DISPUTE.run("dispute_withdrawn", found, by=request.user, at=clock.now())
            messages.success(request, "异议已撤回。")
        except NotNow as refusal:
            messages.error(request, f"没有撤回：{refusal}")
        return redirect(address)
    context = {
        "heading": "撤回异议",
        "text": f"撤回对{found.obligation.title}的异议？",
        "consequences": ["未报记录不变，异议和撤回都留在记录里。", "有新的证据时可以再次提出。"],
        "submit_label": "撤回",
        "cancel_url": address,
    }
    return render(request, "core/confirm.html", context)
