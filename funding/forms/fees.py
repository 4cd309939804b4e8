"""Forms of caps, rules and fee standards. Amounts are yuan per candidate, to the cent; days are local."""

from decimal import Decimal
from typing import Any

from django import forms

from accounts.models import Organization, User
from certificates.models import CertificateLevel, ExamForm
from core import clock
from core.forms import DayInput, SearchSelect, wrong_number
from funding.fees import policy_on
from funding.models import CostElement, FeeCap, FeePolicy, FeeStandard
from funding.services.standards import Costs
from obligations.forms import AnswersMixin

LONG = {"rows": 4}
AMOUNT = wrong_number("请填写大于 0 的金额，最多两位小数，如 200.00。")
_LEVEL = {"required": "请选择证书等级。"}
_EXAM_FORM = {"required": "请选择考核形式。"}
_EFFECTIVE_FROM = {"required": "请选择生效日期。"}


def _levels() -> Any:
    return CertificateLevel.objects.select_related("certificate").order_by("certificate__name", "level")


class CapForm(AnswersMixin, forms.ModelForm):
    class Meta:
        model = FeeCap
        fields = ["exam_form", "certificate_level", "amount", "effective_from", "document", "note"]
        widgets = {"certificate_level": SearchSelect, "effective_from": DayInput}
        help_texts = {
            "certificate_level": "只适用某一证书等级的才选；不选的，适用该考核形式的全部证书",
            "amount": "以元为单位，最多两位小数，照文件填写",
            "document": "规定这一上限的文件的文号",
            "effective_from": "自这一天起签署的协议按这条上限；此前的不变",
        }
        error_messages = {
            "exam_form": _EXAM_FORM,
            "amount": AMOUNT | {"required": "请填写上限，照文件填写。"},
            "effective_from": _EFFECTIVE_FROM,
            "document": {"required": "请填写规定这一上限的文件的文号。"},
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["certificate_level"].queryset = _levels()
        self.fields["certificate_level"].empty_label = "不限"


class FeePolicyForm(AnswersMixin, forms.ModelForm):
    class Meta:
        model = FeePolicy
        fields = ["effective_from", "scope", "over_cap", "document"]
        widgets = {"effective_from": DayInput, "scope": forms.RadioSelect, "over_cap": forms.RadioSelect}
        help_texts = {"effective_from": "今天或以后；此前已按原规则办理的不变"}
        error_messages = {
            "effective_from": _EFFECTIVE_FROM,
            "scope": {"required": "请选择标准的范围。"},
            "over_cap": {"required": "请选择高于上限时怎样办理。"},
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        today = clock.today()
        in_force = policy_on(today)
        self.initial = {
            "effective_from": today,
            "scope": in_force.scope,
            "over_cap": in_force.over_cap,
        } | self.initial


class ExamFormForm(forms.Form):
    exam_form = forms.ChoiceField(
        label="考核形式", choices=ExamForm.choices, widget=forms.RadioSelect, error_messages=_EXAM_FORM
    )


class StandardForm(AnswersMixin, forms.ModelForm):
    """`costs` after validation: yuan by cost item, those left empty or 0 left out."""

    class Meta:
        model = FeeStandard
        fields = [
            "certificate_level",
            "exam_form",
            "organization",
            "amount",
            "effective_from",
            "over_cap_reason",
            "basis",
        ]
        widgets = {
            "certificate_level": SearchSelect,
            "organization": SearchSelect,
            "effective_from": DayInput,
            "basis": forms.Textarea(LONG),
        }
        help_texts = {
            "amount": "以元为单位，最多两位小数；按生效日期当天的上限审核",
            "over_cap_reason": "只在确需高于上限时填写",
        }
        error_messages = {
            "certificate_level": _LEVEL,
            "exam_form": _EXAM_FORM,
            "amount": AMOUNT | {"required": "请填写标准。"},
            "effective_from": _EFFECTIVE_FROM,
        }

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["certificate_level"].queryset = _levels().filter(certificate__owner=user.organization_id)
        if self.instance.pk:
            self.fields["certificate_level"].disabled = True
        self._follow_rules()
        self._add_costs()

    def _follow_rules(self) -> None:
        """Questions that no rule in force or to come allows are not asked."""
        today = clock.today()
        rules = [policy_on(today), *FeePolicy.objects.filter(effective_from__gt=today)]
        if any(rule.scope == FeePolicy.Scope.SCHOOL for rule in rules):
            schools = Organization.objects.schools().members_at(clock.now())
            self.fields["organization"].queryset = schools.order_by("name")
            self.fields["organization"].empty_label = "全部院校"
        else:
            del self.fields["organization"]
        if all(rule.over_cap == FeePolicy.OverCap.REFUSE for rule in rules):
            del self.fields["over_cap_reason"]

    def _add_costs(self) -> None:
        self.elements = {f"cost_{element.pk}": element for element in CostElement.objects.all()}
        known: dict[int, Decimal] = {}
        if self.instance.pk:
            known = dict(self.instance.costs.values_list("element", "amount"))
        for name, element in self.elements.items():
            self.fields[name] = forms.DecimalField(
                label=f"其中：{element.name}（元/人）",
                help_text=element.note,
                required=False,
                min_value=0,
                max_digits=9,
                decimal_places=2,
                initial=known.get(element.pk),
                error_messages=wrong_number("请填写金额，最多两位小数，如 50.00；没有的不填。"),
            )

    @property
    def costs(self) -> Costs:
        given = {element: self.cleaned_data.get(name) for name, element in self.elements.items()}
        return {element: amount for element, amount in given.items() if amount}

    @property
    def given(self) -> dict[str, Any]:
        """The fields of the standard itself."""
        return {name: value for name, value in self.cleaned_data.items() if name not in self.elements}


class ReadForm(AnswersMixin, forms.Form):
    """Nothing to fill in; the mark of the standard that was read: one mended since is not answered by this."""

    read = forms.CharField(required=False, widget=forms.HiddenInput)


class FileForm(ReadForm):
    document = forms.CharField(
        label="备案文号", max_length=120, error_messages={"required": "请填写备案文号。"}
    )


class CommentForm(ReadForm):
    comment = forms.CharField(
        label="理由",
        max_length=1000,
        widget=forms.Textarea(LONG),
        error_messages={"required": "请写明理由。"},
    )
