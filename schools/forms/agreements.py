"""The forms of cooperation agreements: registering one, and the steps afterwards."""

from typing import Any

from django import forms

from accounts.models import User
from certificates.models import CertificateLevel
from core import clock
from core.attachments import RULES
from core.forms import DayInput, EvidenceField, SearchSelect, SearchSelectMultiple, wrong_number
from core.links import local_path
from schools.agreement_rules import CLAUSE, faults
from schools.models import Agreement, School


class LevelField(forms.ModelChoiceField):
    """A certificate level with the organisation that owns it, which is the other side of the agreement."""

    def label_from_instance(self, level: CertificateLevel) -> str:
        return f"{level} · {level.certificate.owner}"


class AgreementForm(forms.Form):
    """What a school's contact registers; the evaluator follows from the certificate."""

    certificate_level = LevelField(
        label="证书等级（培训评价组织）",
        widget=SearchSelect,
        queryset=CertificateLevel.objects.select_related("certificate__owner").order_by(
            "certificate__name", "level"
        ),
        error_messages={"required": "请选择证书等级。"},
    )
    fee = forms.DecimalField(
        label="考核费用（元/人）",
        min_value=0,
        max_digits=9,
        decimal_places=2,
        help_text="协议写明的每名考生的考核费用。",
        error_messages=wrong_number("请填写金额，最多两位小数，如 200.00；不收费的填 0。")
        | {"required": "请填写考核费用；不收费的填 0。"},
    )
    over_cap_reason = forms.CharField(
        label="高于上限的理由", max_length=300, required=False, help_text="没有高于考核成本上限的不填。"
    )
    signed_on = forms.DateField(
        label="签署日期", widget=DayInput, error_messages={"required": "请填写签署日期。"}
    )
    valid_until = forms.DateField(
        label="有效期至",
        widget=DayInput,
        help_text="最后有效的一天。",
        error_messages={"required": "请填写有效期。"},
    )
    reference = forms.CharField(label="协议编号", max_length=60, required=False)
    others = forms.ModelMultipleChoiceField(
        label="共同签署的院校",
        queryset=School.objects.none(),
        widget=SearchSelectMultiple,
        required=False,
        help_text=f"联合协商、同签一份协议、同一价格的其他院校（{CLAUSE}）。由各校联系人确认后才对该校作数。",
    )
    files = EvidenceField(
        label="已签署的协议",
        required=True,
        help_text=f"盖章签署后的扫描件。{RULES}",
        error_messages={"required": f"请上传已签署的协议：签署试点合作协议前，不得开展试点（{CLAUSE}）。"},
    )
    next = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.school_id = user.organization_id
        others = (
            School.objects.eligible(School.Kind.values)
            .exclude(pk=user.organization_id)
            .select_related("organization")
        )
        self.fields["others"].queryset = others.order_by("organization__city__code", "organization__code")

    def clean_next(self) -> str:
        return local_path(self.cleaned_data["next"])

    def clean(self) -> dict[str, Any]:
        """What the service would refuse is told together with what could not be read."""
        data = super().clean() or {}
        texts = {name: data.get(name) or "" for name in ("reference", "over_cap_reason")}
        dates = {name: data.get(name) for name in ("signed_on", "valid_until")}
        level = data.get("certificate_level")
        trial = Agreement(
            evaluator=level.certificate.owner if level else None,
            certificate_level=level,
            fee=data.get("fee"),
            registered_at=clock.now(),
            **texts,
            **dates,
        )
        schools = [School.objects.get(pk=self.school_id), *data.get("others", [])]
        for name, found in faults(trial, schools, clock.now(), unread=set(self.errors)).items():
            self.add_error(name, found)
        return data

    def given(self) -> dict[str, Any]:
        """Arguments of `services.agreements.register`; ask only when the form is valid."""
        data = {name: value for name, value in self.cleaned_data.items() if name != "next"}
        return {**data, "evaluator": data["certificate_level"].certificate.owner}


def renewal(agreement: Agreement, school_id: int) -> dict[str, Any]:
    """What a new agreement takes over of one that expires: all but its days, number and files."""
    parties = [party for party in agreement.parties.all() if party.school_id != school_id]
    return {
        "certificate_level": agreement.certificate_level_id,
        "fee": agreement.fee,
        "others": [party.school_id for party in parties if party.state == "confirmed"],
    }


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="原因",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "请写明原因。"},
    )


class FilesForm(forms.Form):
    files = EvidenceField(
        label="已签署的协议、补充协议",
        required=True,
        help_text=f"盖章签署后的扫描件。{RULES}",
        error_messages={"required": "请选择要补充的文件。"},
    )


class EndForm(ReasonForm):
    ended_on = forms.DateField(
        label="终止日期",
        widget=DayInput,
        help_text="自这一天起不再有效，不晚于今天。",
        error_messages={"required": "请填写终止日期。"},
    )
    files = EvidenceField(
        label="说明情况的材料",
        required=True,
        help_text=f"如终止函、往来函件、收费凭证。{RULES}",
        error_messages={
            "required": f"请上传说明情况的材料：情况恶劣的要坚决停止合作（{CLAUSE}），须有据可查。"
        },
    )
    field_order = ("ended_on", "reason", "files")
