"""Feedback on evaluators: filed by a school, handled by the office; what the evaluator is asked; numbers."""

from typing import Any, NamedTuple

import django_filters
import django_tables2 as tables
from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts import typed
from accounts.models import Organization, Role
from core import clock
from core.lists import ListPage
from core.tables import WIDE, ClosingColumn, InstantColumn, PortalTable, StateColumn
from core.templatetags import portal
from core.workflow import NotNow
from supervision import feedback_counts, permissions
from supervision.feedback_workflow import feedback as lifecycle
from supervision.forms import (
    AssignForm,
    ExplanationForm,
    FeedbackAnswerForm,
    FeedbackCloseForm,
    FeedbackForm,
    QuestionForm,
)
from supervision.models import Feedback, FeedbackQuestion
from supervision.services import feedback as services

form_methods = require_http_methods(["GET", "HEAD", "POST"])
TERM = f"收到后 {services.ANSWER_WORKING_DAYS} 个工作日内答复（本省自定，文件没有规定期限）。"


class FeedbackTable(PortalTable):
    receipt = tables.Column("回执", linkify=("supervision:feedback", [tables.A("pk")]))
    evaluator = tables.Column(attrs=WIDE)
    school = tables.Column()
    ground = tables.Column(attrs=WIDE)
    state = StateColumn()
    assignee = tables.Column()
    filed_at = InstantColumn()
    due_at = ClosingColumn(verbose_name="答复期限", accessor="term__due_at")

    class Meta(PortalTable.Meta):
        model = Feedback
        fields = ("receipt", "evaluator", "school", "ground", "state", "assignee", "filed_at", "due_at")

    def render_state(self, record: Feedback) -> str:
        overdue = record.answered_at is None and record.term.due_at <= clock.now()
        return portal.state("overdue", "逾期未答复") if overdue else shown_state(record)

    def value_state(self, record: Feedback) -> str:
        return record.get_state_display()


def shown_state(record: Feedback) -> str:
    """The badge, in the words of feedback."""
    tones = {"filed": "open", "assigned": "running", "answered": "responded", "closed": "done"}
    return portal.state(tones[record.state], record.get_state_display())


def _evaluators(request: HttpRequest) -> QuerySet[Organization]:
    about = Feedback.objects.visible_to(request.user).order_by().values("evaluator")
    return Organization.objects.filter(pk__in=about).order_by("code")


class FeedbackFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="回执、情况", method="by_text")
    state = django_filters.ChoiceFilter(label="状态", choices=Feedback.State.choices, empty_label="全部")
    ground = django_filters.ChoiceFilter(label="情形", choices=Feedback.Ground.choices, empty_label="全部")
    evaluator = django_filters.ModelChoiceFilter(label="评价组织", queryset=_evaluators, empty_label="全部")

    class Meta:
        model = Feedback
        fields: list[str] = []

    def by_text(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        return rows.filter(receipt__icontains=value.strip()) | rows.filter(text__icontains=value.strip())


class FeedbackList(ListPage):
    model = Feedback
    table_class = FeedbackTable
    filterset_class = FeedbackFilter
    template_name = "supervision/feedback/list.html"
    heading = "对评价组织的反馈"
    subtitle = f"捆绑销售、高收费、强制培训等问题（{services.CLAUSE}；教职成厅函〔2019〕19号 三(一)）。{TERM}"
    empty_text = "没有反馈。"
    export_name = "对评价组织的反馈"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not permissions.may_see_feedback(request.user):
            raise PermissionDenied("反馈由提出的学校和办理的人员查看，评价组织和市级只看数量。")
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Feedback]:
        return super().queryset().select_related("evaluator", "school", "assignee", "term")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.request.user
        return super().get_context_data(
            may_file=permissions.may_file_feedback(user),
            may_count=permissions.may_see_feedback_counts(user),
            **kwargs,
        )


@typed.keeps_typed
@form_methods
def feedback_new(request: HttpRequest) -> HttpResponse:
    """One form; the answer to it is the receipt."""
    if not permissions.may_file_feedback(request.user):
        raise PermissionDenied(f"反馈由试点院校的联系人或负责人提出（{services.CLAUSE}）。")
    form = FeedbackForm(request.POST or typed.take(request), request.FILES or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        evaluator, certificate = given.pop("about")
        try:
            filed = services.file_feedback(
                evaluator=evaluator, certificate=certificate, **given, by=request.user, at=clock.now()
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"已收到，回执 {filed.receipt}。")
            return redirect("supervision:feedback", filed.pk)
    status = 422 if form.is_bound and form.errors and request.method == "POST" else 200
    context = {"form": form, "term": TERM}
    return render(request, "supervision/feedback/new.html", context, status=status)


def _visible(request: HttpRequest, pk: Any) -> Feedback:
    rows = Feedback.objects.visible_to(request.user).select_related(
        "evaluator", "school", "certificate", "term", "assignee", "filed_by", "answered_by"
    )
    return get_object_or_404(rows, pk=pk)


@require_safe
def feedback(request: HttpRequest, pk: Any) -> HttpResponse:
    found, user = _visible(request, pk), request.user
    handles = permissions.may_answer_feedback(user, found)
    is_school = user.role in Role.of_a_school()
    context = {
        "feedback": found,
        "badge": shown_state(found),
        "offers": [o for o in lifecycle.offers(found, user, clock.now()) if o.open] if handles else [],
        "handles": handles,
        "is_school": is_school,
        # The school learns what was found, not what the evaluator was asked.
        "questions": [] if is_school else found.questions.select_related("asked_by", "answered_by"),
        "numbers": None if is_school else _numbers_of(request, found.evaluator_id),
        "clause": feedback_counts.CLAUSE,
    }
    return render(request, "supervision/feedback/detail.html", context)


def _numbers_of(request: HttpRequest, evaluator_id: int) -> feedback_counts.Numbers | None:
    return next(iter(feedback_counts.numbers(request.user, evaluator_id)), None)


class Act(NamedTuple):
    """A page of one field or two: its words, its form and the service behind it."""

    label: str
    intro: str
    form: Any
    done: str


ACTS = {
    "feedback_assign": Act("交办", "交给推进办人员，或负责该评价组织的对接专员。", AssignForm, "已交办。"),
    "feedback_answer": Act(
        "答复", f"反馈学校收到答复。{TERM}", FeedbackAnswerForm, "已答复，学校已收到通知。"
    ),
    "feedback_close": Act("办结", "措施落实后办结。", FeedbackCloseForm, "已办结。"),
    "ask": Act(
        "向评价组织了解情况",
        "评价组织只看到您写的问题，看不到反馈、学校和附件。",
        QuestionForm,
        "已发给评价组织。",
    ),
}


@typed.keeps_typed
@form_methods
def feedback_act(request: HttpRequest, pk: Any, action: str) -> HttpResponse:
    found, act = _visible(request, pk), ACTS.get(action)
    if act is None:
        raise Http404
    _require_right(request, found, action)
    extra = {"record": found} if action == "feedback_assign" else {}
    form = act.form(request.POST or typed.take(request), **extra)
    if request.method == "POST" and form.is_valid():
        try:
            _carry_out(request, found, action, form)
        except NotNow as refusal:
            form.add_error(None, refusal.reasons)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, act.done)
            return redirect("supervision:feedback", found.pk)
    context = {
        "heading": f"{act.label}：{found}",
        "intro": act.intro,
        "form": form,
        "submit_label": act.label,
        "cancel_url": reverse("supervision:feedback", args=[found.pk]),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "core/form_page.html", context, status=status)


def _require_right(request: HttpRequest, found: Feedback, action: str) -> None:
    """Raises PermissionDenied."""
    if action == "ask":
        reason = "" if permissions.may_answer_feedback(request.user, found) else "由办理反馈的人员了解情况。"
    else:
        reason = lifecycle.transition(action).forbids(request.user, found)
    if reason:
        raise PermissionDenied(reason)


def _carry_out(request: HttpRequest, found: Feedback, action: str, form: forms.Form) -> None:
    given = {**form.cleaned_data, "by": request.user, "at": clock.now()}
    if action == "ask":
        services.ask_evaluator(found, **given)
    else:
        lifecycle.run(action, found, **given)


# --- the evaluator's side


class QuestionTable(PortalTable):
    text = tables.Column("问题", linkify=("supervision:feedback-question", [tables.A("pk")]), attrs=WIDE)
    evaluator = tables.Column()
    asked_at = InstantColumn()
    state = StateColumn(verbose_name="状态", orderable=False)

    class Meta(PortalTable.Meta):
        model = FeedbackQuestion
        fields = ("text", "evaluator", "asked_at", "state")

    def render_text(self, value: str) -> str:
        return value if len(value) <= 60 else f"{value[:60]}…"

    def render_state(self, record: FeedbackQuestion) -> str:
        return portal.state(record.state, self.value_state(record))

    def value_state(self, record: FeedbackQuestion) -> str:
        return "已说明" if record.answered_at else "待说明"


class QuestionList(ListPage):
    model = FeedbackQuestion
    table_class = QuestionTable
    heading = "了解情况"
    subtitle = "省推进办就评价组织在本省的工作提出的问题。"
    empty_text = "没有要说明的问题。"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not permissions.may_see_questions(request.user):
            raise PermissionDenied("由被了解情况的评价组织和办理人员查看。")
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[FeedbackQuestion]:
        return super().queryset().select_related("evaluator")


@typed.keeps_typed
@form_methods
def feedback_question(request: HttpRequest, pk: Any) -> HttpResponse:
    """Nothing here names the feedback: it is the evaluator's page."""
    rows = FeedbackQuestion.objects.visible_to(request.user).select_related("evaluator", "answered_by")
    question = get_object_or_404(rows, pk=pk)
    may_answer = permissions.may_answer_question(request.user, question)
    if request.method == "POST" and not may_answer:
        raise PermissionDenied("由被了解情况的评价组织说明。")
    form = ExplanationForm(request.POST or typed.take(request))
    if request.method == "POST" and form.is_valid():
        try:
            services.answer_question(question, **form.cleaned_data, by=request.user, at=clock.now())
            messages.success(request, "说明已送达省推进办。")
        except ValidationError as error:
            # Somebody else of the organisation was first: the page shows what was said.
            messages.warning(request, "".join(error.messages))
        return redirect("supervision:feedback-question", pk)
    context = {"question": question, "form": form, "may_answer": may_answer and not question.answered_at}
    status = 422 if request.method == "POST" else 200
    return render(request, "supervision/feedback/question.html", context, status=status)


@require_safe
def counts(request: HttpRequest) -> HttpResponse:
    """Numbers only; an evaluator sees its own by ground, without months or schools that would tell who."""
    user = request.user
    if not permissions.may_see_feedback_counts(user):
        raise PermissionDenied("反馈数量供推进办、对接专员、市级和评价组织查看。")
    rows = feedback_counts.numbers(user)
    context = {
        "rows": rows,
        "is_evaluator": user.role == Role.EVALUATOR,
        "is_city": user.role == Role.CITY_BUREAU,
        "many": feedback_counts.MANY,
        "many_schools": feedback_counts.MANY_SCHOOLS,
        "months": feedback_counts.MONTHS,
        "clause": feedback_counts.CLAUSE,
    }
    return render(request, "supervision/feedback/counts.html", context)
