"""Forms of activities: filing and changing one, signing up, what came of it."""

import datetime as dt
from copy import copy
from typing import Any

from django import forms

from accounts.models import City, User
from certificates.models import Certificate, CertificateLevel
from core import clock
from core.attachments import RULES
from core.forms import DayInput, EvidenceField, InstantInput, SearchSelectMultiple, wrong_number
from evaluators.models import Activity, Qualification, SignUp, Teacher, Trainer, TrainingRule
from evaluators.services.activity_rules import FEE_CLAUSE, MANY, NO_PLAN, PLAIN, faults, fill
from evaluators.services.signups import Grant, Mark
from schools.models import School

EXTRA_FEE = [("no", "否"), ("yes", "是")]
ATTENDED = [("", "未登记"), ("yes", "到会"), ("no", "未到会")]
SAID: dict[str, bool | None] = {"": None, "yes": True, "no": False}


class TrainerField(forms.ModelMultipleChoiceField):
    def label_from_instance(self, trainer: Trainer) -> str:
        return f"{trainer.name}（{trainer.get_employer_kind_display()}：{trainer.employer}）"


class ActivityForm(forms.Form):
    """Everything of 活动备案; `given()` is what the services take."""

    certificate = forms.ModelChoiceField(
        label="证书",
        queryset=Certificate.objects.none(),
        error_messages={"required": "请选择证书。"},
    )
    kind = forms.ChoiceField(
        label="类别", choices=[("", "请选择"), *Activity.Kind.choices],
        error_messages={"required": "请选择类别。"},
    )  # fmt: skip
    title = forms.CharField(label="名称", max_length=120, error_messages={"required": "请填写活动名称。"})
    plan = forms.CharField(
        label="活动方案",
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="目的、对象、内容、日程、组织方式。",
        error_messages={"required": "请填写活动方案。"},
    )
    files = EvidenceField(label="活动方案材料", help_text=RULES, error_messages={"required": NO_PLAN})
    is_online = forms.BooleanField(label="线上举行", required=False)
    place = forms.CharField(
        label="地点或线上平台", max_length=200, error_messages={"required": "请填写地点或线上平台。"}
    )
    city = forms.ModelChoiceField(
        label="所在市", queryset=City.objects.all(), required=False, help_text="线下举行的必填。"
    )
    starts_at = forms.DateTimeField(
        label="开始时间",
        widget=InstantInput,
        help_text="报名到此时截止。",
        error_messages={"required": "请填写开始时间。"},
    )
    ends_at = forms.DateTimeField(
        label="结束时间", widget=InstantInput, error_messages={"required": "请填写结束时间。"}
    )
    cities = forms.ModelMultipleChoiceField(
        label="面向的市",
        queryset=City.objects.all(),
        widget=SearchSelectMultiple,
        required=False,
        help_text="不填：面向全省。",
    )
    schools = forms.ModelMultipleChoiceField(
        label="面向的院校",
        queryset=School.objects.none(),
        widget=SearchSelectMultiple,
        required=False,
        help_text="不填：面向开展这个证书试点的全部院校。与“面向的市”只填一项。",
    )
    places = forms.IntegerField(
        label="名额",
        min_value=1,
        max_value=100_000,
        required=False,
        help_text="不填：不限。",
        error_messages=wrong_number("请填写 1 到 100000 的整数；不限的不填。"),
    )
    fee = forms.DecimalField(
        label="收费（元/人）",
        min_value=0,
        max_digits=9,
        decimal_places=2,
        help_text="不收费的填 0。",
        error_messages={
            "required": "请填写收费；不收费的填 0。",
            **wrong_number("请填写金额，最多两位小数，如 300.00；不收费的填 0。"),
        },
    )
    fee_basis = forms.CharField(
        label="收费依据",
        max_length=300,
        required=False,
        help_text=f"收费的必填：依据的文件和测算。{FEE_CLAUSE}。",
    )
    fee_reason = forms.CharField(
        label="高于参考标准的理由",
        max_length=300,
        required=False,
        help_text="师资培训收费高于本省参考标准的必填；不高于的不用填，填了也不保存。",
    )
    extra_fee = forms.ChoiceField(
        label="是否另收师资或考评员认证费",
        choices=EXTRA_FEE,
        widget=forms.RadioSelect,
        error_messages={"required": "请回答是否另收师资或考评员认证费。"},
    )
    trainers = TrainerField(
        label="授课专家",
        queryset=Trainer.objects.none(),
        widget=SearchSelectMultiple,
        required=False,
        help_text="从本组织的培训专家团队中选择。",
        error_messages={"invalid_choice": "所选的专家有的已退出团队，请重新选择。"},
    )
    field_order = ("certificate", "kind", "title", "plan", "files", "starts_at", "ends_at", "is_online")

    def __init__(self, *args: Any, user: User, activity: Activity | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.activity = user, activity
        own = Certificate.objects.filter(owner=user.organization_id).order_by("name")
        self.fields["certificate"].queryset = own
        schools = School.objects.visible_to(user).select_related("organization").defer("contact_mobile")
        self.fields["schools"].queryset = schools.order_by("organization__city__code", "organization__code")
        team = Trainer.objects.filter(evaluator=user.organization_id)
        here = team.in_team() if activity is None else team.in_team() | team.filter(activities=activity)
        self.fields["trainers"].queryset = here.distinct().defer("phone")
        self.fields["files"].required = activity is None
        if not TrainingRule.objects.exclude(fee_per_day=None).exists():
            del self.fields["fee_reason"]
        if activity is not None:
            del self.fields["certificate"]
        elif own.count() == 1:
            self.fields["certificate"].initial = own.get().pk

    def clean(self) -> dict[str, Any]:
        """What the services would refuse is told together with what could not be read."""
        data = super().clean() or {}
        fields = {name: data.get(name) for name in (*PLAIN, *MANY)}
        at, begins = clock.now(), self.activity.starts_at if self.activity else None
        trial = copy(self.activity) if self.activity else self._new(data.get("certificate"), at)
        fill(trial, fields)
        extra_fee = data.get("extra_fee") == "yes"
        found = faults(trial, fields, extra_fee=extra_fee, at=at, begins=begins, unread=set(self.errors))
        for name, texts in found.items():
            self.add_error(name if name in self.fields else None, texts)
        return data

    def _new(self, certificate: Certificate | None, at: dt.datetime) -> Activity:
        owner = self.user.organization_id
        return Activity(evaluator_id=owner, certificate=certificate, filed_by=self.user, filed_at=at)

    def given(self) -> dict[str, Any]:
        """Arguments of the services; ask only when the form is valid."""
        data = self.cleaned_data
        fields = {name: data.get(name) for name in (*PLAIN, *MANY)}
        if self.activity is None:
            fields["certificate"] = data["certificate"]
        return {"fields": fields, "extra_fee": data["extra_fee"] == "yes", "files": data["files"]}


def stored(activity: Activity) -> dict[str, Any]:
    """Initial values of the form that changes an activity; the question on extra fees is asked anew."""
    many = {name: list(getattr(activity, name).values_list("pk", flat=True)) for name in MANY}
    plain = {name: getattr(activity, name) for name in PLAIN} | {"city": activity.city_id}
    return plain | many


class CommentForm(forms.Form):
    comment = forms.CharField(
        label="理由",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "请写明理由。"},
    )


class SignUpForm(forms.Form):
    """The own teachers who are not signed up yet, as ticks."""

    teachers = forms.ModelMultipleChoiceField(
        label="选择教师",
        queryset=Teacher.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": "请选择要报名的教师。",
            "invalid_choice": "所选的教师有的已报名或已离校，请在列出的教师中重新选择。",
        },
    )

    def __init__(self, *args: Any, teachers: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["teachers"]
        field.queryset = teachers
        field.label_from_instance = lambda teacher: f"{teacher.name}（{teacher.staff_number}）"


class ResultsForm(forms.Form):
    """One line per teacher signed up, and above them what goes for many at once."""

    rest = forms.ChoiceField(
        label="未登记到会的，都记为",
        choices=[("", "不改"), ("yes", "到会"), ("no", "未到会")],
        required=False,
    )
    kind = forms.ChoiceField(
        label="授予资格",
        choices=[("", "不授予"), *Qualification.Kind.choices],
        required=False,
        help_text="只授予下面勾选了“授予”的教师。",
    )
    certificate_level = forms.ModelChoiceField(
        label="证书等级", queryset=CertificateLevel.objects.none(), required=False
    )
    obtained_on = forms.DateField(label="取得日期", widget=DayInput, required=False)
    valid_until = forms.DateField(
        label="有效期至", widget=DayInput, required=False, help_text="长期有效的不填。"
    )

    def __init__(self, *args: Any, activity: Activity, rows: list[SignUp], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows = rows
        levels = CertificateLevel.objects.filter(certificate=activity.certificate_id)
        self.fields["certificate_level"].queryset = levels.select_related("certificate")
        self.may_grant = activity.kind in {Activity.Kind.TRAINING, Activity.Kind.EXAMINATION}
        if not self.may_grant:
            for name in ("kind", "certificate_level", "obtained_on", "valid_until"):
                del self.fields[name]
        for row in rows:
            self._add_line(row)

    def _add_line(self, row: SignUp) -> None:
        said = {None: "", True: "yes", False: "no"}[row.attended]
        name = str(row.teacher)
        line: dict[str, forms.Field] = {
            "attended": forms.ChoiceField(
                label=f"{name}到会", choices=ATTENDED, required=False, initial=said
            ),
            "result": forms.CharField(label=f"{name}结果", max_length=80, required=False, initial=row.result),
        }
        if self.may_grant:
            line["qualifies"] = forms.BooleanField(label=f"授予{name}", required=False)
            line["number"] = forms.CharField(label=f"{name}资格证号", max_length=40, required=False)
        for part, field in line.items():
            self.fields[f"{part}-{row.pk}"] = field

    @property
    def common(self) -> list[Any]:
        return [field for field in self if "-" not in field.name]

    @property
    def lines(self) -> list[dict[str, Any]]:
        parts = ("attended", "result", "qualifies", "number")
        return [
            {
                "row": row,
                **{p: self[f"{p}-{row.pk}"] if f"{p}-{row.pk}" in self.fields else None for p in parts},
            }
            for row in self.rows
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("kind"):
            for name, words in (("certificate_level", "证书等级"), ("obtained_on", "取得日期")):
                if not data.get(name) and name not in self.errors:
                    self.add_error(name, f"授予资格须填写{words}。")
        return data

    def marks(self) -> dict[int, Mark]:
        data = self.cleaned_data
        return {row.pk: self._mark(data, row) for row in self.rows}

    def _mark(self, data: dict[str, Any], row: SignUp) -> Mark:
        attended = SAID[data[f"attended-{row.pk}"] or data["rest"]]
        return Mark(
            attended,
            data[f"result-{row.pk}"],
            qualifies=data.get(f"qualifies-{row.pk}", False),
            number=data.get(f"number-{row.pk}", ""),
        )

    def grant(self) -> Grant | None:
        data = self.cleaned_data
        if not data.get("kind"):
            return None
        return Grant(data["kind"], data["certificate_level"], data["obtained_on"], data["valid_until"])
