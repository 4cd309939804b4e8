"""Activities: the list, the calendar, one of them, filing, changing, signing up, results."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import typed
from accounts.models import Role, User
from core import clock
from core.lists import ListPage
from core.workflow import NotNow
from evaluators import calendar, permissions, shares
from evaluators.filters.activities import ActivityFilter
from evaluators.forms.activities import ActivityForm, CommentForm, ResultsForm, SignUpForm, stored
from evaluators.models import Activity, SignUp, Teacher, TrainingRule
from evaluators.services import activities as services
from evaluators.services import activity_rules, signups
from evaluators.tables.activities import ActivityTable
from evaluators.views.trainers import sent
from evaluators.workflow import activity as lifecycle

NOT_FOR_ROLE = "您的角色没有查看活动备案的权限；推进办、对接专员、市教育局、评价组织和有关院校可以查看。"
REWRITING = {"change": "activity_change", "complete": "activity_complete"}
COMMENTED = {"return": "activity_return", "cancel": "activity_cancel"}
CONSEQUENCES = {
    "activity_return": ["活动退回评价组织补充，补充后重新备案；首次备案的时间不变。", "理由发给评价组织。"],
    "activity_cancel": ["活动取消，不能恢复；确要举行的须另行备案。", "理由发给已报名的院校。"],
}


def require_seer(user: User) -> None:
    if not permissions.may_see_activities(user):
        raise PermissionDenied(NOT_FOR_ROLE)


class ActivityList(ListPage):
    model = Activity
    table_class = ActivityTable
    filterset_class = ActivityFilter
    template_name = "evaluators/activities/list.html"
    heading = "活动备案"
    subtitle = f"标准宣贯、培训、考核、颁证、会议等活动，提前备案（{activity_rules.CLAUSE}）。"
    empty_text = "您可以查看的范围内还没有备案的活动。"
    export_name = "活动备案"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        require_seer(request.user)
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Any]:
        rows = super().queryset().with_taken()
        return rows.select_related("evaluator", "certificate", "city")

    def get_table_kwargs(self) -> dict[str, Any]:
        # An evaluator reads its own activities only.
        return {"exclude": ["evaluator"]} if self.request.user.role == Role.EVALUATOR else {}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user, now = self.request.user, clock.now()
        mine = Activity.objects.visible_to(user)
        may_file = permissions.may_file_activities(user)
        context = super().get_context_data(
            may_file=may_file,
            late=mine.filed_late().count(),
            to_record=mine.awaiting_results(now).count() if may_file else 0,
            coming=mine.coming(now).filter(state=Activity.State.FILED).count(),
            **kwargs,
        )
        if may_file:
            context |= {"empty_url": reverse("activities:new"), "empty_label": "备案活动"}
        return context


@require_safe
def month(request: HttpRequest) -> HttpResponse:
    require_seer(request.user)
    first = calendar.asked(request.GET.get("month", ""), clock.today())
    context = {
        "month": calendar.month_of(request.user, first),
        "today": clock.today(),
    }
    return render(request, "evaluators/activities/calendar.html", context)


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    activity, user, at = _activity(request, pk), request.user, clock.now()
    trainers = list(activity.trainers.defer("phone"))
    keeps = permissions.may_keep_activity(user, activity.evaluator_id)
    sign_ups = list(_sign_ups(activity, user))
    share = shares.share_of(trainers)
    context = {
        "activity": activity,
        "late": services.LATE if activity.was_filed_late else "",
        "trainers": trainers,
        "share": share,
        "share_clause": shares.SHARE_CLAUSE,
        "team": shares.team_share(activity.evaluator_id) if keeps or user.sees_province else None,
        "cities": list(activity.cities.all()),
        "schools": _schools(activity, user),
        "fee_reference": activity_rules.fee_reference(activity),
        "fee_is_above": activity_rules.is_above_reference(activity),
        "voluntary": services.VOLUNTARY,
        "taken": activity.sign_ups.active().count(),
        "sign_ups": sign_ups,
        # Those that are others' to do are no news here.
        "offers": [
            offer
            for offer in lifecycle.offers(activity, user, at)
            if not offer.transition.forbids(user, activity)
        ],
        "own_school": user.role in Role.of_a_school(),
        "may_sign_up": permissions.may_sign_up(user),
        "no_sign_up": signups.why_no_sign_up(activity, user, at),
        "keeps": keeps,
        "no_results": signups.why_no_results(activity, user, at),
        # It names every school that the activity is for: a school is told only of itself.
        "sees_record": user.role not in Role.of_a_school(),
    }
    return render(request, "evaluators/activities/detail.html", context)


def _activity(request: HttpRequest, pk: int) -> Activity:
    rows = Activity.objects.visible_to(request.user).select_related("evaluator", "certificate", "city")
    found: Activity = get_object_or_404(rows, pk=pk)
    return found


def _schools(activity: Activity, user: User) -> list[Any]:
    """The named ones; a school is not told which others."""
    rows = activity.schools.select_related("organization").defer("contact_mobile")
    if user.role in Role.of_a_school():
        rows = rows.filter(pk=user.organization_id)
    return list(rows)


def _sign_ups(activity: Activity, user: User) -> QuerySet[SignUp]:
    rows = SignUp.objects.visible_to(user).active().filter(activity=activity)
    rows = rows.select_related("teacher__school__organization")
    return rows.defer("teacher__phone", "teacher__school__contact_mobile").order_by(
        "teacher__school", "teacher__staff_number"
    )


# --- Filing and changing


@typed.keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    user = request.user
    if not permissions.may_file_activities(user):
        raise PermissionDenied(services.ONLY_EVALUATOR)
    form = ActivityForm(sent(request), request.FILES or None, user=user, initial={"fee": 0})
    if request.method == "POST" and form.is_valid():
        try:
            activity = services.file_activity(**form.given(), by=user, at=clock.now())
        except ValidationError as error:
            _show(form, error)
        else:
            _say_filed(request, activity)
            return redirect("activities:detail", activity.pk)
    return _form_page(request, form, "备案活动", reverse("activities:list"), "备案")


def _show(form: ActivityForm, error: ValidationError) -> None:
    """At the fields; what this form does not ask stands above."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for name, texts in error.message_dict.items():
        form.add_error(name if name in form.fields else None, texts)


def _say_filed(request: HttpRequest, activity: Activity) -> None:
    if activity.was_filed_late:
        messages.warning(request, f"已备案。{services.LATE}。")
    else:
        messages.success(request, "已备案，并通知有关院校。")
    share = shares.share_of(activity.trainers.all())
    if activity.kind == Activity.Kind.TRAINING and not share.total:
        messages.warning(
            request, f"没有列出授课专家，无法对照（{shares.SHARE_CLAUSE}）。请在活动开始前补充。"
        )
    if share.is_short:
        messages.warning(request, f"授课专家{share.words}，低于要求（{shares.SHARE_CLAUSE}）。")


def _form_page(
    request: HttpRequest, form: ActivityForm, heading: str, back: str, submit_label: str
) -> HttpResponse:
    team = shares.team_share(request.user.organization_id or 0)
    rule = TrainingRule.objects.on(clock.today())
    context = {
        "form": form,
        "heading": heading,
        "intro": f"活动须在开始前备案（{activity_rules.CLAUSE}）。{services.VOLUNTARY}",
        "team": team,
        "share_clause": shares.SHARE_CLAUSE,
        "rule": rule,
        "submit_label": submit_label,
        "cancel_url": back,
    }
    status = 422 if form.errors else 200
    return render(request, "evaluators/activities/form.html", context, status=status)


@typed.keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
def rewrite(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Change before the start, or complete what was returned."""
    activity, user, action = _activity(request, pk), request.user, REWRITING[verb]
    row = lifecycle.transition(action)
    if reason := row.forbids(user, activity):
        raise PermissionDenied(reason)
    if missing := lifecycle.missing(row, activity, clock.now()):
        return refused(request, activity, row.label, missing)
    form = ActivityForm(
        sent(request),
        request.FILES or None,
        user=user,
        activity=activity,
        initial=stored(activity),
    )
    if request.method == "POST" and form.is_valid():
        try:
            done = lifecycle.run(action, activity, **form.given(), by=user, at=clock.now())
        except NotNow as refusal:
            return refused(request, activity, row.label, refusal.reasons)
        except ValidationError as error:
            _show(form, error)
        else:
            if done:
                messages.success(request, "已保存，并通知已报名的院校。")
            else:
                messages.info(request, "没有改动，不用保存，也没有发通知。")
            return redirect("activities:detail", pk)
    back = reverse("activities:detail", args=[pk])
    return _form_page(request, form, f"{row.label}：{activity}", back, row.label)


def refused(request: HttpRequest, activity: Activity, label: str, reasons: list[str]) -> HttpResponse:
    context = {"activity": activity, "label": label, "reasons": reasons}
    return render(request, "evaluators/activities/refused.html", context, status=409)


@typed.keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
def comment(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Return for completion, or cancel, each with its reason."""
    activity, user, action = _activity(request, pk), request.user, COMMENTED[verb]
    row = lifecycle.transition(action)
    if reason := row.forbids(user, activity):
        raise PermissionDenied(reason)
    if missing := lifecycle.missing(row, activity, clock.now()):
        return refused(request, activity, row.label, missing)
    form = CommentForm(sent(request))
    if request.method == "POST" and form.is_valid():
        try:
            lifecycle.run(action, activity, **form.cleaned_data, by=user, at=clock.now())
        except NotNow as refusal:
            return refused(request, activity, row.label, refusal.reasons)
        messages.success(request, f"已办理：{row.label}。")
        return redirect("activities:detail", pk)
    context = {
        "heading": f"{row.label}：{activity}",
        "text": f"{activity.evaluator}，{activity.certificate}。",
        "consequences": CONSEQUENCES[action],
        "form": form,
        "dangerous": row.dangerous,
        "submit_label": row.label,
        "cancel_url": reverse("activities:detail", args=[pk]),
    }
    return render(request, "core/confirm.html", context, status=422 if form.errors else 200)


# --- Signing up


@typed.keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest, pk: int) -> HttpResponse:
    activity, user, at = _activity(request, pk), request.user, clock.now()
    if not permissions.may_sign_up(user):
        raise PermissionDenied(signups.BY_THE_SCHOOL)
    if reason := signups.why_no_sign_up(activity, user, at):
        return refused(request, activity, "报名", [reason])
    signed = SignUp.objects.active().filter(activity=activity).values("teacher")
    teachers = Teacher.objects.filter(school=user.organization_id, left_on=None).exclude(pk__in=signed)
    form = SignUpForm(sent(request), teachers=teachers.defer("phone"))
    if request.method == "POST" and form.is_valid():
        chosen = list(form.cleaned_data["teachers"])
        try:
            done = signups.sign_up(activity, teachers=chosen, by=user, at=at)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"已报名 {len(done)} 人。")
            return redirect("activities:detail", pk)
    taken = SignUp.objects.active().filter(activity=activity).count()
    context = {
        "activity": activity,
        "form": form,
        "has_teachers": teachers.exists(),
        "left": None if activity.places is None else max(0, activity.places - taken),
        "voluntary": services.VOLUNTARY,
    }
    status = 422 if form.errors else 200
    return render(request, "evaluators/activities/sign_up.html", context, status=status)


@require_POST
def cancel_sign_up(request: HttpRequest, pk: int) -> HttpResponse:
    rows = SignUp.objects.visible_to(request.user).active().select_related("teacher", "activity")
    row = get_object_or_404(rows, pk=pk)
    try:
        signups.cancel_sign_up(row, by=request.user, at=clock.now())
    except ValidationError as error:
        return refused(request, row.activity, "取消报名", error.messages)
    messages.success(request, f"已取消{row.teacher}的报名。")
    return redirect("activities:detail", row.activity_id)


# --- What came of it


@typed.keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
def results(request: HttpRequest, pk: int) -> HttpResponse:
    activity, user, at = _activity(request, pk), request.user, clock.now()
    if not permissions.may_keep_activity(user, activity.evaluator_id):
        raise PermissionDenied(signups.BY_THE_EVALUATOR)
    if reason := signups.why_no_results(activity, user, at):
        return refused(request, activity, "登记到会和结果", [reason])
    rows = list(_sign_ups(activity, user))
    form = ResultsForm(
        sent(request),
        activity=activity,
        rows=rows,
        initial={"obtained_on": clock.today()},
    )
    if request.method == "POST" and form.is_valid():
        try:
            count = signups.record_results(activity, marks=form.marks(), grant=form.grant(), by=user, at=at)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, f"已登记 {count} 人。")
            return redirect("activities:detail", pk)
    context = {"activity": activity, "form": form}
    status = 422 if form.errors else 200
    return render(request, "evaluators/activities/results.html", context, status=status)
