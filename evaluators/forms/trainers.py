"""Forms of an evaluator's trainer team."""

from django import forms

from core.forms import DayInput
from evaluators.models import Trainer

PHONE = r"^[0-9+\- ]{7,20}$"


def phone_field() -> forms.CharField:
    return forms.RegexField(
        PHONE,
        label="电话",
        required=False,
        strip=True,
        help_text="加密保存，显示时隐去中间几位。",
        error_messages={"invalid": "电话应为 7 到 20 位数字，可带区号和短横线。"},
    )


class TrainerForm(forms.Form):
    name = forms.CharField(label="姓名", max_length=60, error_messages={"required": "请填写姓名。"})
    employer = forms.CharField(
        label="工作单位", max_length=120, error_messages={"required": "请填写工作单位。"}
    )
    employer_kind = forms.ChoiceField(
        label="单位类别",
        choices=[("", "请选择"), *Trainer.Employer.choices],
        help_text="来自行业企业的专家比例不少于40%（教职成厅函〔2019〕19号 二(二)）。",
        error_messages={"required": "请选择单位类别。"},
    )
    title = forms.CharField(label="职称或职业资格", max_length=80, required=False)
    phone = phone_field()
    joined_on = forms.DateField(
        label="加入日期", widget=DayInput, error_messages={"required": "请填写加入日期。"}
    )


class LeaveForm(forms.Form):
    left_on = forms.DateField(label="日期", widget=DayInput, error_messages={"required": "请填写日期。"})
