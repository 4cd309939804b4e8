"""The province's own rules for each kind of report: versions, the one in force, the next."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from core import clock
from obligations import permissions, previews, services
from obligations.forms import PolicyForm, first_unopened_day
from obligations.models import PERIODIC, ObligationKind, Period, Policy
from obligations.views.checked import CheckedFormView, require

ONLY_OFFICE = "报送规则由省推进办制定；您可以查看，不能修改。"
NOT_OFFICIAL = "{}的填报时间、节假日处理等未见公开规定，以下均为本省自行设定，不是国家或省的正式规定。"


# What a first rule proposes: kind → fields.
FIRST_RULE = {
    ObligationKind.MONTHLY_REPORT: {"due_day": 5, "reminder_hours": [72, 24, 2]},
    ObligationKind.HALF_YEAR_SUMMARY: {"due_day": 10, "reminder_hours": [168, 72, 24]},
}


def kind_asked(request: HttpRequest) -> ObligationKind:
    """The kind named in the address (`kind`); the weekly report for none or an unknown one."""
    asked = request.GET.get("kind")
    return ObligationKind(asked) if asked in PERIODIC else ObligationKind.WEEKLY_REPORT


@require_safe
def policies(request: HttpRequest) -> HttpResponse:
    require(permissions.may_see_rules(request.user), "报送规则供参与试点工作的人员查看。")
    today, kind = clock.today(), kind_asked(request)
    versions = list(Policy.objects.filter(kind=kind).select_related("created_by"))
    in_force = next((policy for policy in versions if policy.effective_from <= today), None)
    context = {
        "kind": kind,
        "kinds": [ObligationKind(each) for each in PERIODIC],
        "is_weekly": kind == ObligationKind.WEEKLY_REPORT,
        "versions": [(policy, _standing(policy, in_force)) for policy in versions],
        "coming": Period.objects.unopened().filter(kind=kind)[:8],
        "may_govern": permissions.may_govern(request.user),
        "not_official": NOT_OFFICIAL.format(kind.label),
    }
    return render(request, "obligations/policies.html", context)


def address_of(kind: str) -> str:
    address = reverse("obligations:policies")
    return address if kind == ObligationKind.WEEKLY_REPORT else f"{address}?kind={kind}"


def _standing(policy: Policy, in_force: Policy | None) -> str:
    if policy == in_force:
        return "in_force"
    return "future" if in_force is None or policy.effective_from > in_force.effective_from else "past"


class PolicyCreate(CheckedFormView):
    form_class = PolicyForm
    preview_template = "obligations/_periods.html"
    done = "新规则已保存，将从生效日期起适用；已开始填报的周期不变。"

    def check_right(self) -> None:
        require(permissions.may_govern(self.request.user), ONLY_OFFICE)
        self.kind = kind_asked(self.request)

    @property
    def heading(self) -> str:  # type: ignore[override]
        return f"新的{self.kind.label}规则"

    @property
    def intro(self) -> str:  # type: ignore[override]
        return NOT_OFFICIAL.format(self.kind.label)

    def get_success_url(self) -> str:
        return address_of(self.kind)

    def starting_point(self) -> Policy:
        """The newest version: a new one usually differs in one answer."""
        latest = Policy.objects.filter(kind=self.kind).first()
        return latest or Policy(kind=self.kind, **FIRST_RULE.get(self.kind, {}))

    def get_form_kwargs(self) -> dict[str, Any]:
        first_day, latest = first_unopened_day(self.kind), self.starting_point()
        kept = {name: getattr(latest, name) for name in PolicyForm.Meta.fields if name != "note"}
        return super().get_form_kwargs() | {
            "kind": self.kind,
            "first_day": first_day,
            "instance": Policy(),
            "initial": kept | {"effective_from": first_day},
        }

    def preview(self, form: PolicyForm) -> dict[str, Any]:
        return {
            "periods": previews.policy_periods(form.instance),
            "periods_heading": "按这条规则，最先的八个周期",
        }

    def save(self, form: PolicyForm) -> None:
        fields = {"kind": self.kind.value} | form.cleaned_data
        services.set_policy(fields=fields, by=self.request.user, at=clock.now())


class PolicyUpdate(PolicyCreate):
    heading = "修改未生效的规则"  # type: ignore[assignment]
    done = "规则已修改。"

    def check_right(self) -> None:
        super().check_right()
        self.policy = get_object_or_404(Policy, pk=self.kwargs["pk"])
        self.kind = ObligationKind(self.policy.kind)
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
        return redirect(address_of(policy.kind))
    context = {
        "heading": "撤回未生效的规则",
        "text": f"撤回 {policy}？其后的周期将按此前的规则重新安排。",
        "submit_label": "撤回",
        "dangerous": True,
        "cancel_url": address_of(policy.kind),
    }
    return render(request, "core/confirm.html", context)
