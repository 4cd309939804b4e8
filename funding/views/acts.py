"""Acts on a fee standard: propose and mend, agree, file, return, refuse, withdraw."""

from typing import Any, NamedTuple

from django import forms as django_forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods

from accounts.typed import keeps_typed, take
from core import clock
from core.templatetags.portal import full_day
from core.workflow import NotNow, Transition
from funding import fees, permissions, services
from funding.forms.fees import CommentForm, FileForm, ReadForm, StandardForm
from funding.models import FeeStandard
from funding.services.standards import (
    ONLY_EVALUATOR,
    ONLY_SCHOOL,
    check,
    mark,
    not_yet_agreeable,
    require_read,
)
from funding.views.caps import fees_only
from funding.views.standards import compared, visible_standard
from funding.workflow import standards
from obligations.views.checked import CheckedFormView, require


@method_decorator(keeps_typed, name="dispatch")
class StandardCreate(CheckedFormView):
    """The evaluator's proposal; what it would be judged by is shown before it is sent."""

    form_class = StandardForm
    heading = "提出考核费用标准"
    intro = (
        "在考核成本上限范围内，与试点院校协商提出（晋教职成〔2020〕9号 三.8）。提出后由院校答复，"
        "至少一所院校同意后由省备案。"
    )
    preview_template = "funding/_standard_effect.html"
    confirm_label = "确认提出"
    done = "标准已提出，请与院校协商，由院校联系人在平台上答复。"
    saved: FeeStandard | None = None

    def check_right(self) -> None:
        fees_only(self.request)
        require(permissions.may_propose(self.request.user), ONLY_EVALUATOR)

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs = super().get_form_kwargs() | {"user": self.request.user, "instance": FeeStandard()}
        if self.request.method == "GET" and (kept := take(self.request)):
            kwargs["data"] = kept
        return kwargs

    def get_success_url(self) -> str:
        if self.saved:
            return reverse("funding:standard", args=[self.saved.pk])
        return reverse("funding:standards")

    def preview(self, form: StandardForm) -> dict[str, Any]:
        standard = form.instance
        standard.evaluator_id = self.request.user.organization_id
        standard.proposed_by, standard.proposed_at = self.request.user, clock.now()
        returned = FeeStandard.objects.filter(pk=standard.pk).first()
        check(standard, form.costs, clock.now(), returned=returned)
        return {
            "standard": standard,
            "limit": fees.Limit(standard.cap, None, standard.exam_form),
            "begun": standard.effective_from < clock.today(),
            **compared(standard, form.costs),
        }

    def save(self, form: StandardForm) -> None:
        self.saved = services.propose_standard(
            fields=form.given, costs=form.costs, by=self.request.user, at=clock.now()
        )


@method_decorator(keeps_typed, name="dispatch")
class StandardUpdate(StandardCreate):
    """A returned one, mended and proposed again."""

    heading = "修改后重新提出"
    confirm_label = "确认重新提出"
    done = "已重新提出。金额、考核形式、适用院校或生效日期有改动的，院校须重新答复。"

    def check_right(self) -> None:
        super().check_right()
        self.saved = visible_standard(self.request, self.kwargs["pk"])
        row = standards.transition("standard_propose")
        if reason := row.forbids(self.request.user, self.saved):
            raise PermissionDenied(reason)
        be_ready(row, self.saved)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().dispatch(request, *args, **kwargs)
        except NotNow as refusal:
            return refused(request, visible_standard(request, self.kwargs["pk"]), "重新提出", refusal.reasons)

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"instance": FeeStandard.objects.get(pk=self.kwargs["pk"])}

    def save(self, form: StandardForm) -> None:
        standards.run(
            "standard_propose",
            self.saved,
            fields=form.given,
            costs=form.costs,
            by=self.request.user,
            at=clock.now(),
        )


def be_ready(row: Transition, standard: FeeStandard) -> None:
    """Raises NotNow."""
    if reasons := standards.missing(row, standard, clock.now()):
        raise NotNow(reasons)


def refused(request: HttpRequest, standard: FeeStandard, label: str, reasons: list[str]) -> HttpResponse:
    context = {"standard": standard, "label": label, "reasons": reasons}
    return render(request, "funding/refused.html", context, status=409)


class Act(NamedTuple):
    form: type[django_forms.Form]
    consequences: tuple[str, ...]


ACTS = {
    "standard_file": Act(
        FileForm,
        (
            "自生效日期起执行，列入公布名单；原有标准保留为历史。",
            "此后签署的合作协议，考核费用不得高于这个标准和签署当天的上限。",
            "通知评价组织和已同意的院校。",
        ),
    ),
    "standard_return": Act(CommentForm, ("由评价组织修改后重新提出；理由发给评价组织和已同意的院校。",)),
    "standard_refuse": Act(CommentForm, ("这个标准不再办理；理由发给评价组织和已同意的院校。",)),
    "standard_withdraw": Act(ReadForm, ("这个标准不再办理；通知已同意的院校。",)),
}


@method_decorator(keeps_typed, name="dispatch")
class StandardAct(CheckedFormView):
    """One step of the office, or the evaluator's withdrawal: fill in, check, confirm."""

    preview_template = "funding/_act_effect.html"

    def check_right(self) -> None:
        fees_only(self.request)
        self.standard = visible_standard(self.request, self.kwargs["pk"])
        if self.kwargs["action"] not in ACTS:
            raise Http404
        self.row = standards.transition(self.kwargs["action"])
        if reason := self.row.forbids(self.request.user, self.standard):
            raise PermissionDenied(reason)
        self.heading = f"{self.row.label}：{self.standard}"
        self.confirm_label = self.row.label
        self.done = f"已办理：{self.row.label}。"
        be_ready(self.row, self.standard)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().dispatch(request, *args, **kwargs)
        except NotNow as refusal:
            return refused(request, self.standard, self.row.label, refusal.reasons)

    def get_form_class(self) -> Any:
        return ACTS[self.row.action].form

    def get_success_url(self) -> str:
        return reverse("funding:standard", args=[self.standard.pk])

    def get_initial(self) -> dict[str, Any]:
        return {"read": mark(self.standard)}

    def preview(self, form: Any) -> dict[str, Any]:
        shown = self.standard
        require_read(shown, form.cleaned_data["read"])
        cap = fees.cap_on(shown.certificate_level, shown.exam_form, shown.effective_from)
        return {
            "standard": shown,
            "limit": fees.Limit(cap, None, shown.exam_form),
            "agreed": shown.consents.count(),
            "consequences": ACTS[self.row.action].consequences,
            "begun": shown.effective_from < clock.today(),
            "files": self.row.action == "standard_file",
            **compared(shown),
        }

    def save(self, form: Any) -> None:
        standards.run(
            self.row.action, self.standard, **form.cleaned_data, by=self.request.user, at=clock.now()
        )


@require_http_methods(["GET", "HEAD", "POST"])
def agree(request: HttpRequest, pk: int) -> HttpResponse:
    standard = visible_standard(request, pk)
    require(permissions.may_agree(request.user), ONLY_SCHOOL)
    if reasons := not_yet_agreeable(standard, request.user, clock.now()):
        return refused(request, standard, "同意", reasons)
    form = ReadForm(request.POST if request.method == "POST" else None, initial={"read": mark(standard)})
    if form.is_valid():
        try:
            services.agree(standard, **form.cleaned_data, by=request.user, at=clock.now())
        except NotNow as refusal:
            return refused(request, standard, "同意", refusal.reasons)
        except ValidationError as refusal:
            return refused(request, standard, "同意", refusal.messages)
        messages.success(request, "本校已同意这个标准。")
        return redirect("funding:standard", pk)
    context = {
        "form": form,
        "heading": f"同意考核费用标准：{standard}",
        "text": f"{standard.evaluator}提出：{standard.certificate_level}，{standard.get_exam_form_display()}，"
        f"{standard.amount} 元/人，{full_day(standard.effective_from)}起。",
        "consequences": [
            "以本校名义同意，写入办理经过；同意后由省备案。",
            "标准有改动的，会请本校重新答复。",
        ],
        "submit_label": "本校同意",
        "cancel_url": reverse("funding:standard", args=[pk]),
    }
    return render(request, "core/confirm.html", context)


@keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
def decline(request: HttpRequest, pk: int) -> HttpResponse:
    standard = visible_standard(request, pk)
    require(permissions.may_agree(request.user), ONLY_SCHOOL)
    if reasons := not_yet_agreeable(standard, request.user, clock.now()):
        return refused(request, standard, "不同意", reasons)
    form = CommentForm(request.POST or take(request), initial={"read": mark(standard)})
    if request.method == "POST" and form.is_valid():
        try:
            services.decline(standard, **form.cleaned_data, by=request.user, at=clock.now())
        except NotNow as refusal:
            return refused(request, standard, "不同意", refusal.reasons)
        except ValidationError as refusal:
            return refused(request, standard, "不同意", refusal.messages)
        messages.success(request, "已将本校的意见告知评价组织。")
        return redirect("funding:standard", pk)
    context = {
        "form": form,
        "heading": f"不同意考核费用标准：{standard}",
        "intro": "以本校名义不同意，理由发给评价组织，写入办理经过，省推进办可以看到；此后仍可以同意。",
        "submit_label": "本校不同意",
        "cancel_url": reverse("funding:standard", args=[pk]),
    }
    return render(request, "core/form_page.html", context, status=422 if form.errors else 200)
