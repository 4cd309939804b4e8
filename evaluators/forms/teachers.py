"""Forms of a school's teachers, their qualifications, and the province's rule for training them."""

from typing import Any

from django import forms

from certificates.models import CertificateLevel
from core.forms import DayInput, SearchSelect, wrong_number
from evaluators.forms.trainers import phone_field
from evaluators.models import Qualification
from schools.models import Programme


class TeacherForm(forms.Form):
    name = forms.CharField(label="姓名", max_length=60, error_messages={"required": "请填写姓名。"})
    staff_number = forms.CharField(label="工号", max_length=40, error_messages={"required": "请填写工号。"})
    majors = forms.CharField(
        label="任教专业", max_length=200, required=False, help_text="多个专业用顿号隔开。"
    )
    phone = phone_field()


class QualificationForm(forms.Form):
    certificate_level = forms.ModelChoiceField(
        label="证书等级",
        queryset=CertificateLevel.objects.none(),
        widget=SearchSelect,
        help_text="本校开展试点的证书等级。",
        error_messages={
            "required": "请选择证书等级。",
            "invalid_choice": "本校没有开展这个证书等级的试点，请在列出的等级中选择。",
        },
    )
    kind = forms.ChoiceField(
        label="种类",
        choices=[("", "请选择"), *Qualification.Kind.choices],
        error_messages={"required": "请选择种类。"},
    )
    number = forms.CharField(label="资格证号", max_length=40, required=False)
    obtained_on = forms.DateField(
        label="取得日期", widget=DayInput, error_messages={"required": "请填写取得日期。"}
    )
    valid_until = forms.DateField(
        label="有效期至", widget=DayInput, required=False, help_text="最后有效的一天；长期有效的不填。"
    )

    def __init__(self, *args: Any, school_id: int, keep: int | None = None, **kwargs: Any) -> None:
        """`keep`: a level that stands already, also where the school no longer runs it."""
        super().__init__(*args, **kwargs)
        run = Programme.objects.filter(school=school_id).values("certificate_level")
        levels = CertificateLevel.objects.filter(pk__in=run) | CertificateLevel.objects.filter(pk=keep)
        self.fields["certificate_level"].queryset = levels.select_related("certificate").order_by(
            "certificate__name", "level"
        )


class RuleForm(forms.Form):
    effective_from = forms.DateField(
        label="生效日期",
        widget=DayInput,
        help_text="不早于今天。",
        error_messages={"required": "请填写生效日期。"},
    )
    students_per_trainer = forms.IntegerField(
        label="每名培训师对应的学生数",
        min_value=1,
        max_value=1000,
        required=False,
        help_text="如 80 即 1:80（沪教委高〔2021〕3号）。不填：本省不作要求，不显示师生比。",
        error_messages=wrong_number("请填写 1 到 1000 的整数，如 80；不作要求的不填。"),
    )
    fee_rule = forms.CharField(
        label="教师培训收费规定",
        max_length=200,
        required=False,
        help_text="活动收费参考的规定名称（教职成厅函〔2019〕19号 二(二)）。",
    )
    fee_per_day = forms.DecimalField(
        label="参考标准（元/人·天）", min_value=0.01, max_digits=9, decimal_places=2, required=False,
        help_text="高于它的师资培训收费须说明理由，不禁止。",
        error_messages=wrong_number("请填写大于 0 的金额，最多两位小数，如 200.00；没有的不填。"),
    )  # fmt: skip
    document = forms.CharField(label="依据文件", max_length=120, required=False)
