"""The form of a level's resources."""

from typing import Any

from django import forms

from core.forms import DayInput, EvidenceField


def _text(label: str, help_text: str = "") -> Any:
    return forms.CharField(
        label=label, required=False, help_text=help_text, widget=forms.Textarea(attrs={"rows": 4})
    )


class ResourceForm(forms.Form):
    exam_scheme = _text("考核方案")
    mock_exam = _text("模拟考核", "样题、模拟考核系统的地址和用法。")
    textbook = forms.CharField(label="教材", max_length=200, required=False)
    publisher = forms.CharField(
        label="出版单位", max_length=120, required=False, help_text="教材应由具备资质的出版单位正式出版。"
    )
    banks = _text("免费题库、案例库", "名称、地址和内容；广泛免费共享。")
    updated_on = forms.DateField(
        label="最近更新日期",
        widget=DayInput,
        help_text="资源内容最近一次更新的日期，不是填表日期。",
        error_messages={"required": "请填写最近更新日期。"},
    )
    files = EvidenceField()
