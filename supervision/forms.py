"""What each act of the procedure asks for."""

import datetime as dt
import secrets
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.models import Organization, User
from certificates.models import Certificate
from core import clock
from core.forms import DayInput, EvidenceField, SearchSelect
from supervision.models import Case, Feedback
from supervision.services import feedback
from supervision.services.procedure import ANSWER_WORKING_DAYS, END_OF_DAY
from supervision.students import Line

_LONG = {"rows": 6}


class SchoolField(forms.ModelChoiceField):
    """By name or code; of two with the like name the code tells which."""

    def label_from_instance(self, obj: Organization) -> str:
        return f"{obj.name}（{obj.code}）"


class OpenCaseForm(forms.Form):
    """A case by hand. `school` cleans to the organisation."""

    school = SchoolField(Organization.objects.schools().order_by("code"), label="院校", widget=SearchSelect)
    ground = forms.ChoiceField(
        label=f"情形（{Case.CLAUSE}）",
        widget=forms.RadioSelect,
        choices=[choice for choice in Case.Ground.choices if choice[0] != Case.Ground.NOT_REPORTING],
    )
    facts = forms.CharField(
        label="事实",
        max_length=5000,
        widget=forms.Textarea(attrs=_LONG),
        help_text="写明时间、地点、经过和后果；将原样写入告知书。",
    )
    files = EvidenceField(label="证据材料")


class FilesForm(forms.Form):
    files = EvidenceField(label="证据材料", required=True)


class ReasonForm(forms.Form):
    reason = forms.CharField(label="理由", max_length=2000, widget=forms.Textarea(attrs=_LONG))


class CertifyForm(forms.Form):
    reason = forms.CharField(
        label="核实经过",
        max_length=2000,
        widget=forms.Textarea(attrs=_LONG),
        help_text="何时、由谁、怎样在国家平台上查询这几周，结果如何。",
    )
    files = EvidenceField(label="截图等材料")


class InvestigateForm(forms.Form):
    comment = forms.CharField(
        label="说明", max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class NotifyForm(forms.Form):
    days = forms.IntegerField(
        label="陈述申辩期限（工作日）",
        min_value=3,
        max_value=60,
        initial=ANSWER_WORKING_DAYS,
        help_text="从明天起算工作日（含调休上班日，不含节假日），到最后一天 18:00 止。",
    )


class DecisionForm(forms.Form):
    reasons = forms.CharField(
        label="理由",
        max_length=5000,
        widget=forms.Textarea(attrs=_LONG),
        help_text="对学校的陈述申辩逐条回应；将原样写入决定书。",
    )


class GraveDecisionForm(DecisionForm):
    checked = forms.BooleanField(label="我已逐项核对以上内容，知道其后果")


class RectifyForm(DecisionForm):
    due_on = forms.DateField(label="整改期限", widget=DayInput(), help_text="到当天 18:00 止。")

    def clean_due_on(self) -> dt.date:
        day = self.cleaned_data["due_on"]
        if day <= clock.today():
            raise ValidationError("整改期限必须在今天以后。")
        return day

    @property
    def given(self) -> dict[str, Any]:
        due_at = clock.at(self.cleaned_data["due_on"], END_OF_DAY)
        return {"reasons": self.cleaned_data["reasons"], "due_at": due_at}


class CommentForm(forms.Form):
    comment = forms.CharField(label="验收情况", max_length=2000, widget=forms.Textarea(attrs=_LONG))


class StatementForm(forms.Form):
    text = forms.CharField(label="意见", max_length=20_000, widget=forms.Textarea(attrs={"rows": 12}))
    files = EvidenceField(label="证据材料")


class WaysOutForm(forms.Form):
    """One text per programme; `texts` maps programme ids to them."""

    def __init__(self, *args: Any, lines: list[Line], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for line in lines:
            self.fields[f"way-{line.programme.pk}"] = forms.CharField(
                label=f"{line.programme}：学生安置办法",
                max_length=2000,
                initial=line.way_out.text if line.way_out else "",
                widget=forms.Textarea(attrs={"rows": 3}),
            )

    @property
    def texts(self) -> dict[int, str]:
        return {int(name.removeprefix("way-")): text for name, text in self.cleaned_data.items()}


class DoneForm(forms.Form):
    note = forms.CharField(
        label="办理情况",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="时间、文号、金额等。",
    )


class ScanForm(forms.Form):
    files = EvidenceField(label="盖章件", required=True)


# --- feedback


class FeedbackForm(forms.Form):
    """`about` cleans to (evaluator, certificate or None), of the school's own programmes."""

    token = forms.CharField(widget=forms.HiddenInput, max_length=64)
    about = forms.ChoiceField(label="反馈的对象", error_messages={"required": "请选择反馈的对象。"})
    ground = forms.ChoiceField(
        label="情形",
        choices=Feedback.Ground.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "请选择情形。"},
    )
    text = forms.CharField(
        label="情况",
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text="写明时间、地点、经过、金额和涉及的设备、软件、课程等。不要写学生的姓名和证件号码。",
        error_messages={"required": "请写明情况：何时、何地、怎样。"},
    )
    files = EvidenceField(label="材料")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("token", secrets.token_urlsafe(24))
        self._about = _subjects(user)
        self.fields["about"].choices = [
            ("", "请选择"),
            *((key, text) for key, (text, _) in self._about.items()),
        ]

    def clean_about(self) -> tuple[Organization, Certificate | None]:
        return self._about[self.cleaned_data["about"]][1]

    @property
    def has_subjects(self) -> bool:
        return bool(self._about)


def _subjects(user: User) -> dict[str, tuple[str, tuple[Organization, Certificate | None]]]:
    """Key → label and what it stands for: each certificate of the school's programmes, then each evaluator."""
    mine = feedback.own_programmes(user).order_by().values("certificate_level__certificate")
    certificates = Certificate.objects.filter(pk__in=mine).select_related("owner").order_by("owner", "name")
    found: dict[str, tuple[str, tuple[Organization, Certificate | None]]] = {
        f"c{c.pk}": (f"{c.short_name}（{c.owner}）", (c.owner, c)) for c in certificates
    }
    for certificate in certificates:
        owner = certificate.owner
        found[f"e{owner.pk}"] = (f"{owner}（不限于一个证书）", (owner, None))
    return found


class PersonField(forms.ModelChoiceField):
    def label_from_instance(self, obj: User) -> str:
        return f"{obj.name}（{obj.get_role_display()}）"


class AssignForm(forms.Form):
    assignee = PersonField(
        User.objects.none(),
        label="经办人",
        empty_label="请选择",
        error_messages={"required": "请选择经办人。"},
    )

    def __init__(self, *args: Any, record: Feedback, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["assignee"].queryset = feedback.may_be_assigned(record)


class FeedbackAnswerForm(forms.Form):
    answer = forms.CharField(
        label="答复",
        max_length=5000,
        widget=forms.Textarea(attrs=_LONG),
        help_text="核实到的情况和处理意见；反馈学校看得到。",
        error_messages={"required": "请写明核实情况和答复意见。"},
    )
    measures = forms.CharField(
        label="措施", max_length=5000, required=False, widget=forms.Textarea(attrs={"rows": 4})
    )


class FeedbackCloseForm(forms.Form):
    comment = forms.CharField(
        label="落实情况",
        max_length=2000,
        widget=forms.Textarea(attrs=_LONG),
        error_messages={"required": "请写明措施落实的情况。"},
    )


class QuestionForm(forms.Form):
    text = forms.CharField(
        label="问题",
        max_length=3000,
        widget=forms.Textarea(attrs=_LONG),
        help_text="用推进办自己的话写。评价组织看不到反馈、学校和附件；不要写出能认出学校的人、事、时间。",
        error_messages={"required": "请写明要了解什么。"},
    )


class ExplanationForm(forms.Form):
    answer = forms.CharField(
        label="说明",
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 8}),
        error_messages={"required": "请写明情况。"},
    )
