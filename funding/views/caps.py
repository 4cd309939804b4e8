"""Pages of cost caps, of the province's rule for fees, and of the levels that lack a cap or a standard."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Case, CharField, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods, require_safe

from accounts.typed import keeps_typed
from certificates.models import CertificateLevel, ExamForm
from core import clock
from core.lists import ListPage
from core.templatetags.portal import full_day
from funding import fees, permissions, running, services
from funding.filters.fees import CapFilter, GapFilter
from funding.forms.fees import CapForm, ExamFormForm, FeePolicyForm
from funding.models import FeeCap, FeePolicy, FeeStandard
from funding.services.caps import CAPS_BY, RULES_BY, standards_above
from funding.tables.fees import CapTable, GapTable
from obligations.views.checked import CheckedFormView, require

NOT_FOR_YOU = "考核费用的上限与标准供参与试点工作的人员查看；公布的标准见“考核费用标准（公布）”。"


def fees_only(request: HttpRequest) -> None:
    require(permissions.may_see_fees(request.user), NOT_FOR_YOU)


class CapList(ListPage):
    model = FeeCap
    table_class = CapTable
    filterset_class = CapFilter
    template_name = "funding/caps.html"
    heading = "考核成本上限"
    subtitle = "教育部委托有关机构论证提出并公示（教职成厅函〔2019〕19号 三(二)）。本平台不预置金额，由推进办、省级财务按文件登记。"
    empty_text = "还没有登记上限。没有上限的，考核费用标准照常受理，并列为“未设上限”。"
    export_name = "考核成本上限"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        fees_only(request)
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Any]:
        caps = FeeCap.objects.visible_to(self.request.user).with_standing(clock.today())
        return caps.select_related("certificate_level__certificate")

    def get_table_kwargs(self) -> dict[str, Any]:
        return {"may_set": permissions.may_set_caps(self.request.user)}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(may_set=permissions.may_set_caps(self.request.user), **kwargs)


@method_decorator(keeps_typed, name="dispatch")
class CapCreate(CheckedFormView):
    form_class = CapForm
    heading = "登记考核成本上限"
    intro = "按规定上限的文件登记。原有上限保留，新上限自生效日期起适用。"
    preview_template = "funding/_cap_effect.html"
    success_url = reverse_lazy("funding:caps")
    done = "上限已登记。"

    def check_right(self) -> None:
        fees_only(self.request)
        require(permissions.may_set_caps(self.request.user), CAPS_BY)

    def preview(self, form: CapForm) -> dict[str, Any]:
        return {"cap": form.instance, "above": standards_above(form.instance), "today": clock.today()}

    def save(self, form: CapForm) -> None:
        services.set_cap(fields=form.cleaned_data, by=self.request.user, at=clock.now())


@require_http_methods(["GET", "HEAD", "POST"])
def cap_remove(request: HttpRequest, pk: int) -> HttpResponse:
    cap = get_object_or_404(FeeCap.objects.visible_to(request.user), pk=pk)
    require(permissions.may_set_caps(request.user), CAPS_BY)
    return _taking_back(
        request,
        cap,
        services.remove_cap,
        "撤销未生效的上限",
        f"撤销“{cap}”（{cap.document}，{full_day(cap.effective_from)}起）？",
        "funding:caps",
    )


@require_safe
def policies(request: HttpRequest) -> HttpResponse:
    fees_only(request)
    today = clock.today()
    versions = list(FeePolicy.objects.visible_to(request.user).select_related("created_by"))
    in_force = next((policy for policy in versions if policy.effective_from <= today), None)
    context = {
        "versions": [(policy, _standing(policy, in_force)) for policy in versions],
        "default": None if in_force else fees.policy_on(today),
        "may_set": permissions.may_set_caps(request.user),
    }
    return render(request, "funding/policies.html", context)


def _standing(policy: FeePolicy, in_force: FeePolicy | None) -> str:
    if policy == in_force:
        return "in_force"
    return "coming" if in_force is None or policy.effective_from > in_force.effective_from else "past"


@method_decorator(keeps_typed, name="dispatch")
class PolicyCreate(CheckedFormView):
    form_class = FeePolicyForm
    heading = "新的考核费用规则"
    intro = "规则由本省自行制定。未制定时：全省每个证书等级一个标准，高于上限的一律不予受理。"
    preview_template = "funding/_policy_effect.html"
    success_url = reverse_lazy("funding:fee-policies")
    done = "规则已保存，自生效日期起适用。"

    def check_right(self) -> None:
        fees_only(self.request)
        require(permissions.may_set_caps(self.request.user), RULES_BY)

    def preview(self, form: FeePolicyForm) -> dict[str, Any]:
        day = form.cleaned_data["effective_from"]
        if day < clock.today():
            raise ValidationError({"effective_from": "生效日期不能早于今天：此前已按原规则办理。"})
        return {"policy": form.instance, "before": fees.policy_on(day)}

    def save(self, form: FeePolicyForm) -> None:
        services.set_policy(fields=form.cleaned_data, by=self.request.user, at=clock.now())


@require_http_methods(["GET", "HEAD", "POST"])
def policy_remove(request: HttpRequest, pk: int) -> HttpResponse:
    policy = get_object_or_404(FeePolicy.objects.visible_to(request.user), pk=pk)
    require(permissions.may_set_caps(request.user), RULES_BY)
    return _taking_back(
        request,
        policy,
        services.remove_policy,
        "撤销未生效的规则",
        f"撤销“{policy}”？此前的规则继续适用。",
        "funding:fee-policies",
    )


def _taking_back(
    request: HttpRequest, record: Any, service: Any, heading: str, text: str, back: str
) -> HttpResponse:
    if request.method == "POST":
        try:
            service(record, by=request.user, at=clock.now())
            messages.success(request, "已撤销。")
        except ValidationError as error:
            messages.error(request, "".join(error.messages))
        return redirect(back)
    context = {
        "heading": heading,
        "text": text,
        "submit_label": "撤销",
        "dangerous": True,
        "cancel_url": reverse(back),
    }
    return render(request, "core/confirm.html", context)


class Gaps(ListPage):
    """Levels that run in the province and lack a cap, a filed standard or their form."""

    table_class = GapTable
    filterset_class = GapFilter
    heading = "缺少上限或备案标准的证书等级"
    subtitle = "省内正在试点的证书等级中，考核形式未登记、未设上限或没有现行备案标准的。"
    empty_text = "正在试点的证书等级都有上限和备案标准。"
    export_name = "缺少上限或备案标准的证书等级"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        fees_only(request)
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Any]:
        today = clock.today()
        standards = FeeStandard.objects.in_force(today).filter(
            certificate_level=OuterRef("pk"), organization=None
        )
        by_standard = Subquery(standards.values("exam_form")[:1])
        levels = running.levels(self.request.user).annotate(
            standard_amount=Subquery(standards.values("amount")[:1]),
            form=Coalesce(by_standard, F("exam_form")),
        )
        labels = [When(form=value, then=Value(label)) for value, label in ExamForm.choices]
        levels = levels.annotate(form_label=Case(*labels, default=Value("未登记"), output_field=CharField()))
        levels = fees.with_cap(levels, level="pk", exam_form="form", day=today)
        lacking = Q(cap_amount=None) | Q(standard_amount=None) | Q(form="")
        return levels.filter(lacking).select_related("certificate__owner")

    def get_table_kwargs(self) -> dict[str, Any]:
        return {"may_set_form": permissions.may_set_exam_form(self.request.user)}


@require_http_methods(["GET", "HEAD", "POST"])
def exam_form(request: HttpRequest, pk: int) -> HttpResponse:
    require(permissions.may_set_exam_form(request.user), "考核形式由省推进办登记。")
    level = get_object_or_404(CertificateLevel.objects.select_related("certificate"), pk=pk)
    form = ExamFormForm(request.POST or None, initial={"exam_form": level.exam_form})
    if request.method == "POST" and form.is_valid():
        try:
            services.set_exam_form(level, **form.cleaned_data, by=request.user, at=clock.now())
        except ValidationError as refusal:
            form.add_error(None, refusal.messages)
        else:
            messages.success(request, f"{level}的考核形式已登记。")
            return redirect("funding:fee-gaps")
    context = {
        "form": form,
        "heading": f"登记考核形式：{level}",
        "intro": "考核成本上限按考核形式区分（晋教职成〔2020〕9号 三.8：根据相应职业技能等级证书考核形式）。",
        "cancel_url": reverse("funding:fee-gaps"),
    }
    return render(request, "core/form_page.html", context, status=422 if form.errors else 200)
