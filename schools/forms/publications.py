"""Forms of lists and objections. Days and hours typed are the province's own."""

import datetime as dt
from typing import Any

from django import forms

from core import clock
from core.forms import DayInput, InstantInput, SearchSelect
from obligations.forms import AnswersMixin
from schools.models import ResultList
from schools.services.objections import listed_schools
from schools.services.publications import Heading, wrong_days

MOST = 2000


def _prose(rows: int = 5) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


class PublishForm(AnswersMixin, forms.Form):
    """What stands above a list. Its rows are not typed: they are what was decided."""

    title = forms.CharField(label="标题", max_length=120, error_messages={"required": "请填写标题。"})
    document = forms.CharField(label="文号", max_length=120, required=False)
    text = forms.CharField(
        label="正文",
        max_length=MOST,
        required=False,
        widget=_prose(),
        help_text="在公开页面的名单之前显示。不得含有身份证号、个人手机号。",
    )
    contact_confirmed = forms.BooleanField(
        label="手机号是对外公布的联系电话", required=False, help_text="正文中有手机号时才需要勾选。"
    )
    despite_waiting = forms.BooleanField(
        label="先公布已审定的",
        required=False,
        help_text="还有项目没有审定时才需要勾选，其余以后另行公示。",
    )

    @property
    def heading(self) -> Heading:
        return Heading(**{name: self.cleaned_data[name] for name in Heading._fields})

    def answers(self) -> list[tuple[str, str]]:
        ticks = {"True": "是"}
        return [(label, ticks.get(text, text)) for label, text in super().answers() if text != "False"]


class ProposeForm(PublishForm):
    starts_on = forms.DateField(
        label="公示开始",
        widget=DayInput,
        help_text="自当日零时起公开。",
        error_messages={"required": "请选择公示开始的日期。"},
    )
    ends_on = forms.DateField(
        label="公示结束（含当日）",
        widget=DayInput,
        help_text="当日结束后不再受理网上异议。",
        error_messages={"required": "请选择公示结束的日期。"},
    )

    field_order = ["title", "document", "starts_on", "ends_on", "text", "contact_confirmed"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["despite_waiting"].label = "先公示已审定的"

    def clean(self) -> dict[str, Any]:
        """Wrong days are told together with what is missing; else the service tells all at once."""
        data = super().clean() or {}
        if self.errors and "starts_on" in data and "ends_on" in data:
            for name, text in wrong_days(data["starts_on"], data["ends_on"], clock.now()).items():
                self.add_error(name, text)
        return data

    @property
    def days(self) -> dict[str, dt.date]:
        return {name: self.cleaned_data[name] for name in ("starts_on", "ends_on")}


class ObjectionForm(forms.Form):
    """What somebody has against a list. The objector need not say which school."""

    school = forms.ChoiceField(label="所涉院校", required=False, widget=SearchSelect)
    text = forms.CharField(
        label="异议内容",
        max_length=MOST,
        widget=_prose(6),
        help_text="写明事实和依据。",
        error_messages={"required": "请写明异议的内容。"},
    )
    name = forms.CharField(
        label="姓名或单位", max_length=60, error_messages={"required": "请写明姓名或单位。"}
    )
    contact = forms.CharField(
        label="联系方式",
        max_length=100,
        help_text="手机号、电话或电子邮箱。查询办理情况时要用。",
        error_messages={"required": "请写明联系方式。"},
    )

    def __init__(self, *args: Any, result_list: ResultList, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["school"].choices = [("", "不针对某一所院校"), *listed_schools(result_list)]


class TakenDownForm(ObjectionForm):
    """One that came by phone or letter."""

    received_at = forms.DateTimeField(
        label="收到时间",
        widget=InstantInput,
        help_text="来电、来信的时间，须在公示期内。",
        error_messages={"required": "请填写收到的时间。"},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["received_at"].initial = clock.local(clock.now())


class FollowForm(forms.Form):
    receipt = forms.CharField(
        label="受理编号",
        max_length=32,
        help_text="以 YY 开头，提交异议时给出。",
        error_messages={"required": "请填写受理编号。"},
    )
    contact = forms.CharField(
        label="联系方式",
        max_length=100,
        help_text="提交异议时所填的联系方式。",
        error_messages={"required": "请填写提交异议时所填的联系方式。"},
    )


class ObjectionAnswerForm(forms.Form):
    verdict = forms.ChoiceField(
        label="结论",
        widget=forms.RadioSelect,
        choices=[("upheld", "异议成立"), ("rejected", "异议不成立")],
        error_messages={"required": "请选择异议是否成立。"},
    )
    answer = forms.CharField(
        label="答复理由",
        max_length=MOST,
        widget=_prose(),
        help_text="写明查证的经过和依据。异议人凭受理编号可以看到。",
        error_messages={"required": "请写明答复的理由。"},
    )


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="原因", max_length=300, widget=_prose(2), error_messages={"required": "请写明原因。"}
    )
