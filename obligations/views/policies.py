"""The province's own rules for the weekly report: versions, the one in force, the next."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.views.decorators.http import require_http_methods, require_safe

from core import clock
from obligations import permissions, previews, services
from obligations.forms import PolicyForm, first_unopened_monday
from obligations.models import ObligationKind, Period, Policy
from obligations.views.checked import CheckedFormView, require

ONLY_OFFICE = "报送规则由省推进办制定；您可以查看，不能修改。"
NOT_OFFICIAL = "周报的填报时间、节假日处理等未见公开规定，以下均为本省自行设定，不是国家或省的正式规定。"


@require_safe
def policies(request: HttpRequest) -> HttpResponse:
    require(permissions.may_see_rules(request.user), "报送规则供参与试点工作的人员查看。")
    today = clock.today()
    versions = list(Policy.objects.filter(kind=ObligationKind.WEEKLY_REPORT).select_related("created_by"))
    in_force = next((policy for policy in versions if policy.effective_from <= today), None)
    context = {
        "versions": [(policy, _standing(policy, in_force)) for policy in versions],
        "coming": Period.objects.unopened().filter(kind=ObligationKind.WEEKLY_REPORT)[:8],
        "may_govern": permissions.may_govern(request.user),
        "not_official": NOT_OFFICIAL,
    }
    return render(request, "obligations/policies.html", context)


def _standing(policy: Policy, in_force: Policy | None) -> str:
    if policy == in_force:
        return "in_force"
    return "future" if in_force is None or policy.effective_from > in_force.effective_from else "past"


class PolicyCreate(CheckedFormView):
    form_class = PolicyForm
    heading = "新的报送规则"
    intro = NOT_OFFICIAL
    preview_template = "obligations/_periods.html"
    success_url = reverse_lazy("obligations:policies")
    done = "新规则已保存，将从生效日期起适用；已开始填报的周期不变。"

    def check_right(self) -> None:
        require(permissions.may_govern(self.request.user), ONLY_OFFICE)

    def starting_point(self) -> Policy | None:
        """The newest version: a new one usually differs in one answer."""
        return Policy.objects.filter(kind=ObligationKind.WEEKLY_REPORT).first()

    def get_form_kwargs(self) -> dict[str, Any]:
        first_monday = first_unopened_monday()
        kwargs = super().get_form_kwargs() | {"first_monday": first_monday, "instance": Policy()}
        if latest := self.starting_point():
            kept = {name: getattr(latest, name) for name in PolicyForm.Meta.fields if name != "note"}
            kwargs["initial"] = kept | {"effective_from": first_monday}
        return kwargs

    def preview(self, form: PolicyForm) -> dict[str, Any]:
        return {
            "periods": previews.policy_periods(form.instance),
            "periods_heading": "按这条规则，最先的八个周期",
        }

    def save(self, form: PolicyForm) -> None:
        fields = {"kind": ObligationKind.WEEKLY_REPORT.value} | form.cleaned_data
        services.set_policy(fields=fields, by=self.request.user, at=clock.now())


class PolicyUpdate(PolicyCreate):
    heading = "修改未生效的规则"
    done = "规则已修改。"

    def check_right(self) -> None:
        super().check_right()
        self.policy = get_object_or_404(Policy, pk=self.kwargs["pk"])
        require(self.policy.effective_from > clock.today(), "这条规则已经生效，不能修改；请另立一条新规则。")

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"instance": self.policy, "initial": {}}

    @transaction.atomic
    def save(self, form: PolicyForm) -> None:
        # Versions are not rewritten: the one that never took effect is withdrawn and another set.
        services.remove_policy(Policy.objects.get(pk=self.policy.pk), by=self.request.user, at=clock.now())
        super().save(form)


@require_http_methods(["GET", "POST"])
def policy_remove(request: HttpRequest, pk: int) -> HttpResponse:
    require(permissions.may_govern(request.user), ONLY_OFFICE)
    policy = get_object_or_404(Policy, pk=pk)
    require(policy.effective_from > clock.today(), "这条规则已经生效，不能撤回；请另立一条新规则。")
    if request.method == "POST":
        try:
            services.remove_policy(policy, by=request.user, at=clock.now())
            messages.success(request, "未生效的规则已撤回。")
        except ValidationError as error:
            messages.error(request, "".join(error.messages))
        return redirect("obligations:policies")
    context = {
        "heading": "撤回未生效的规则",
        "text": f"撤回 {policy}？其后的周期将按此前的规则重新安排。",
        "submit_label": "撤回",
        "dangerous": True,
        "cancel_url": reverse_lazy("obligations:policies"),
    }
    return render(request, "core/confirm.html", context)
