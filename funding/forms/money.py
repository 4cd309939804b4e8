"""Forms of the special fund."""

from typing import Any

from django import forms

from accounts.models import Organization, User
from core import clock
from core.forms import DayInput, SearchSelect, wrong_number
from funding.models import Allocation


class AllocationForm(forms.ModelForm):
    class Meta:
        model = Allocation
        fields = ["organization", "year", "source", "document", "amount", "allocated_on"]
        widgets = {"organization": SearchSelect, "allocated_on": DayInput}
        help_texts = {"amount": "以元为单位，保留两位小数"}
        error_messages = {
            "organization": {"required": "请选择收款的院校。"},
            "year": {"required": "请填写年度。"} | wrong_number("请填写四位年份，如 2020。"),
            "source": {"required": "请选择来源。"},
            "document": {"required": "请填写下达文件的文号。"},
            "amount": wrong_number("请填写大于 0 的金额，最多两位小数，如 50000.00。")
            | {"required": "请填写金额。"},
            "allocated_on": {"required": "请选择下达日期。"},
        }

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        schools = Organization.objects.visible_to(user).schools().members_at(clock.now())
        self.fields["organization"].queryset = schools.order_by("name")
        self.initial.setdefault("year", clock.today().year)
        self.initial.setdefault("allocated_on", clock.today())


class ArrivalForm(forms.Form):
    arrived_on = forms.DateField(
        label="到账日期", widget=DayInput, error_messages={"required": "请选择到账日期。"}
    )
