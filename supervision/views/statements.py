"""What the school says: write and attach, check, send, receipt. Works with scripts off."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import typed
from core import clock
from core.models import Attachment
from core.workflow import NotNow
from supervision import permissions, services
from supervision.forms import StatementForm
from supervision.models import Case, Statement
from supervision.views.cases import visible_case


def _own_case(request: HttpRequest, pk: int) -> Case:
    case = visible_case(request, pk)
    if not permissions.may_answer(request.user, case):
        raise PermissionDenied("陈述申辩和整改报告由本案所涉学校的联系人或负责人提交。")
    return case


def _draft(case: Case) -> Statement | None:
    return Statement.objects.filter(term=case.term).first() if case.term else None


@typed.keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
def statement(request: HttpRequest, pk: int) -> HttpResponse:
    """Write; saving leads to the page where it is checked before it is sent."""
    case = _own_case(request, pk)
    draft = _draft(case)
    if case.term is None or (draft and draft.sent_at):
        return _closed(request, case, draft)
    started = {"text": draft.text} if draft else {}
    form = StatementForm(request.POST or typed.take(request), request.FILES or None, initial=started)
    if request.method == "POST" and form.is_valid():
        try:
            services.save_statement(case, by=request.user, at=clock.now(), **form.cleaned_data)
        except NotNow as refusal:
            form.add_error(None, refusal.reasons)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            return redirect("supervision:statement-check", pk)
    context = {"case": case, "form": form, "term": case.term, "files": _files(draft)}
    return render(request, "supervision/statement.html", context)


def _files(draft: Statement | None) -> list[Attachment]:
    return list(Attachment.objects.of(draft)) if draft else []


def _closed(request: HttpRequest, case: Case, sent: Statement | None) -> HttpResponse:
    if sent:
        return redirect("supervision:statement-receipt", sent.receipt)
    reasons = [f"案件现在是“{case.get_state_display()}”，没有正在进行的陈述申辩或整改期限。"]
    return render(request, "supervision/refused.html", {"case": case, "reasons": reasons}, status=409)


@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest, pk: int) -> HttpResponse:
    """Check your answers; POST sends."""
    case = _own_case(request, pk)
    if request.method == "POST":
        try:
            sent = services.send_statement(case, by=request.user, at=clock.now())
        except NotNow as refusal:
            # The other half of a double click was first.
            term = Case.objects.get(pk=pk).answer_term
            twin = Statement.objects.filter(term=term).exclude(receipt="").first()
            if twin and case.term == term:
                return redirect("supervision:statement-receipt", twin.receipt)
            context = {"case": case, "reasons": refusal.reasons}
            return render(request, "supervision/refused.html", context, status=409)
        return redirect("supervision:statement-receipt", sent.receipt)
    draft = _draft(case)
    if draft is None or draft.sent_at:
        return redirect("supervision:statement", pk)
    context = {"case": case, "draft": draft, "term": case.term, "files": _files(draft)}
    return render(request, "supervision/statement_check.html", context)


@require_POST
def discard_file(request: HttpRequest, pk: int, file_pk: str) -> HttpResponse:
    case = _own_case(request, pk)
    draft = get_object_or_404(Statement, term=case.term) if case.term else None
    if draft is None:
        raise Http404
    file = get_object_or_404(Attachment.objects.of(draft), pk=file_pk)
    try:
        services.discard_file(draft, file, by=request.user, at=clock.now())
    except NotNow as refusal:
        messages.warning(request, "；".join(refusal.reasons))
    else:
        messages.success(request, f"已删去“{file.name}”。")
    return redirect("supervision:statement", pk)


@require_safe
def receipt(request: HttpRequest, receipt: str) -> HttpResponse:
    sent = get_object_or_404(
        Statement.objects.visible_to(request.user)
        .filter(sent_at__isnull=False)
        .select_related("case__organization", "term", "sent_by"),
        receipt=receipt,
    )
    context = {"statement": sent, "case": sent.case, "files": _files(sent)}
    return render(request, "supervision/statement_receipt.html", context)
