"""Proposals of credit records: who owes one, the proposal, its filling in, checking and review."""

from typing import Any

import django_tables2 as tables
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts import typed as kept_typed
from certificates import permissions, services
from certificates.filters import ProposalFilter
from certificates.forms import ProposalForm, PublishForm, ReviewForm
from certificates.models import CreditProposal
from certificates.workflow import proposal as lifecycle
from core import clock, draft_files
from core.drafts import ChangedSince, DraftConflict, token_of
from core.lists import ListPage
from core.tables import WIDE, InstantColumn, PortalTable, StateColumn
from core.templatetags import portal
from core.workflow import NotNow

form_methods = require_http_methods(["GET", "HEAD", "POST"])
TONES = {"draft": "pending", "submitted": "first_reviewed", "accepted": "accepted", "returned": "returned"}


def badge(proposal: CreditProposal) -> str:
    return portal.state(TONES[proposal.state], proposal.get_state_display())


class ProposalTable(PortalTable):
    certificate = tables.Column(linkify=("credit:detail", [tables.A("pk")]), attrs=WIDE)
    owner = tables.Column("评价组织", accessor="certificate__owner")
    published_on = tables.Column("公布日期", accessor="certificate__published_on")
    due = tables.Column("期限", accessor="certificate__published_on", orderable=False)
    received = InstantColumn(verbose_name="提出时间", accessor="current__received_at")
    state = StateColumn()

    class Meta(PortalTable.Meta):
        model = CreditProposal
        fields = ("certificate", "owner", "published_on", "due", "received", "state")

    def render_published_on(self, value: Any) -> str:
        return portal.day(value)

    def render_due(self, value: Any) -> str:
        return portal.closing(services.proposal_due(value))

    def render_state(self, record: CreditProposal) -> str:
        return badge(record)

    def value_state(self, record: CreditProposal) -> str:
        return record.get_state_display()


class ProposalList(ListPage):
    model = CreditProposal
    table_class = ProposalTable
    filterset_class = ProposalFilter
    template_name = "certificates/list.html"
    heading = "学分记录建议"
    subtitle = f"证书公布后 1 个月内，评价组织提出所体现学习成果的学分记录建议方案（{permissions.CLAUSE}）。"
    empty_text = "还没有登记公布日期的证书，没有要提出的建议。"
    export_name = "学分记录建议"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not permissions.may_see_proposals(request.user):
            raise PermissionDenied("学分记录建议供省级各方和该证书的评价组织查看。")
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Any]:
        return super().queryset().select_related("certificate__owner", "current")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(may_publish=permissions.may_review(self.request.user), **kwargs)


@form_methods
def publish(request: HttpRequest) -> HttpResponse:
    if not permissions.may_review(request.user):
        raise PermissionDenied("证书公布日期由省推进办登记。")
    form = PublishForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            found = services.publish_certificate(**form.cleaned_data, by=request.user, at=clock.now())
            messages.success(request, "公布日期已登记，评价组织已收到通知。")
            return redirect("credit:detail", found.pk)
        except ValidationError as error:
            form.add_error(None, error)
    context = {
        "heading": "登记证书公布日期",
        "intro": "从公布之日起 1 个月内，评价组织应提出学分记录建议。登记错了可以再登记一次改正。",
        "form": form,
        "cancel_url": reverse("credit:list"),
    }
    return render(request, "core/form_page.html", context, status=422 if form.errors else 200)


def _visible(request: HttpRequest, pk: int) -> CreditProposal:
    rows = CreditProposal.objects.visible_to(request.user).select_related(
        "certificate__owner", "current__submitted_by", "reviewed_by", "draft_saved_by"
    )
    return get_object_or_404(rows, pk=pk)


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    found, user = _visible(request, pk), request.user
    owed = list(services.duties(found))
    context = {
        "proposal": found,
        "badge": badge(found),
        "duty": owed[-1] if owed else None,
        "may_propose": permissions.may_propose(user, found),
        "offers": [o for o in lifecycle.offers(found, user, clock.now()) if o.open]
        if permissions.may_review(user)
        else [],
        "versions": found.versions.select_related("submitted_by").order_by("-number"),
    }
    return render(request, "certificates/detail.html", context)


def _own(request: HttpRequest, pk: int) -> CreditProposal:
    found = _visible(request, pk)
    if not permissions.may_propose(request.user, found):
        raise PermissionDenied(f"学分记录建议由该证书的评价组织提出（{permissions.CLAUSE}）。")
    return found


def _start(found: CreditProposal) -> dict[str, str]:
    """The draft, else what was filed."""
    if found.draft is not None or found.current is None:
        return found.draft or {}
    content = found.current.content
    return {"text": content["text"], "files": " ".join(file["id"] for file in content["files"])}


@kept_typed.keeps_typed
@form_methods
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Saving keeps the draft; `check` goes on to the page where it is checked."""
    found = _own(request, pk)
    start = _start(found)
    files = draft_files.files_of(found, start)
    initial = {
        "revision": found.draft_revision,
        "text": start.get("text", ""),
        "kept": draft_files.ids_of(start),
    }
    posted = request.POST or kept_typed.kept(request)
    form = ProposalForm(posted, request.FILES or None, files=files, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            services.save_draft(
                proposal=found,
                typed=form.typed,
                revision=form.cleaned_data["revision"],
                uploads=form.cleaned_data["uploads"],
                by=request.user,
                at=clock.now(),
            )
        except DraftConflict as conflict:
            who = conflict.record.draft_saved_by
            form.add_error(
                None, f"{who or '别人'}刚刚保存或提交了另一份。请另存您的文字，重新打开本页后合并。"
            )
        except ValidationError as error:
            form.add_error("uploads", error)
        else:
            kept_typed.forget(request)
            if request.POST.get("action") == "check":
                return redirect("credit:check", pk)
            messages.success(request, "草稿已保存，尚未提交。")
            return redirect("credit:edit", pk)
    status = 422 if request.method == "POST" else 200
    return render(request, "certificates/edit.html", {"proposal": found, "form": form}, status=status)


@form_methods
def check(request: HttpRequest, pk: int) -> HttpResponse:
    """Check your answers; POST sends. The token names draft and content, so resending finds the receipt."""
    found = _own(request, pk)
    sent = found.versions.filter(token=request.POST.get("token", "")).first()
    if sent:
        return redirect("credit:detail", pk)
    if found.draft is None:
        return redirect("credit:edit", pk)
    if request.method == "POST":
        token = request.POST.get("token", "")
        try:
            version = services.submit_proposal(found, token=token, by=request.user, at=clock.now())
        except ChangedSince as refusal:
            messages.warning(request, str(refusal))
            return redirect("credit:check", pk)
        except ValidationError as error:
            messages.error(request, "".join(error.messages))
            return redirect("credit:edit", pk)
        messages.success(request, f"已收到，回执 {version.receipt}。")
        return redirect("credit:detail", pk)
    content = services.content_of(found)
    context = {"proposal": found, "content": content, "token": token_of(found, content)}
    return render(request, "certificates/check.html", context)


@form_methods
def review(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    found = _visible(request, pk)
    if action not in ("credit_accept", "credit_return"):
        raise Http404
    row = lifecycle.transition(action)
    if reason := row.forbids(request.user, found):
        raise PermissionDenied(reason)
    read = found.current.number if found.current else None
    form = ReviewForm(request.POST or None, initial={"version": read})
    if request.method == "POST" and form.is_valid():
        try:
            lifecycle.run(action, found, **form.cleaned_data, by=request.user, at=clock.now())
            messages.success(request, "已办理，评价组织已收到通知。")
            return redirect("credit:detail", pk)
        except NotNow as refusal:
            form.add_error(None, refusal.reasons)
        except ValidationError as error:
            form.add_error(None, error)
    context = {
        "heading": f"{row.label}：{found}",
        "form": form,
        "submit_label": row.label,
        "cancel_url": reverse("credit:detail", args=[pk]),
    }
    return render(request, "core/form_page.html", context, status=422 if form.errors else 200)
