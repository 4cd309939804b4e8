"""The form of a school filing, bound to a draft's text, and those of its review."""

import re
import unicodedata
from typing import Any

from django import forms
from django.conf import settings

from accounts.forms import MobileField
from core import draft_files
from core.forms import EvidenceField, VersionForm
from core.models import Attachment
from schools import filing_content as shape

_LANDLINE = re.compile(r"(0\d{2,3})-?([2-9]\d{6,7})(?:(?:-|转)(\d{1,6}))?")


class PhoneField(forms.CharField):
    """A mobile number, or a landline with its area code; full-width digits and spaces are put right."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 30, **kwargs})
        self.widget.attrs["inputmode"] = "tel"

    def to_python(self, value: Any) -> str:
        text = unicodedata.normalize("NFKC", super().to_python(value))
        return re.sub(r"[\s()]", "", text).replace("—", "-").removeprefix("+86")

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        if not text:
            return ""
        if re.fullmatch(r"1[3-9]\d{9}", text.replace("-", "")):
            return text.replace("-", "")
        if not (found := _LANDLINE.fullmatch(text)):
            raise forms.ValidationError(
                "请填写 11 位手机号，或带区号的固定电话，如 0351-7654321；分机写作 0351-7654321-8001。"
            )
        return "-".join(filter(None, found.groups()))


def _required(label: str) -> dict[str, str]:
    return {"required": f"请填写{label}。"}


class FilingForm(forms.Form):
    """A draft as a form: bound when it is to be checked, else showing what was typed."""

    leader_name = forms.CharField(label="姓名", max_length=40, error_messages=_required("组长姓名"))
    leader_position = forms.CharField(
        label="职务", max_length=60, help_text="如校长、党委书记。", error_messages=_required("组长职务")
    )
    leader_phone = PhoneField(label="电话", error_messages=_required("组长电话"))
    is_head = forms.BooleanField(
        label="组长是本校主要负责同志",
        error_messages={
            "required": "工作组组长须由学校主要负责同志担任（晋教职成〔2020〕9号 三.1）。请改填主要负责同志并勾选。"
        },
    )
    department = forms.CharField(
        label="责任部门",
        max_length=60,
        help_text="统筹管理本校试点工作的部门（鄂教职成办函〔2021〕7号 三.1）。",
        error_messages=_required("责任部门"),
    )
    contact_name = forms.CharField(label="联系人姓名", max_length=40, error_messages=_required("联系人姓名"))
    contact_department = forms.CharField(label="所在部门", max_length=60, required=False)
    contact_mobile = MobileField(label="手机", required=True, error_messages=_required("联系人手机"))
    contact_phone = PhoneField(label="办公电话", required=False)
    contact_email = forms.EmailField(
        label="电子邮箱",
        max_length=120,
        error_messages={**_required("联系人电子邮箱"), "invalid": "电子邮箱的格式不对，请核对。"},
    )
    mechanism = forms.CharField(
        label="试点工作推进机制",
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="工作组怎样议事、部门怎样分工、有哪些管理制度和流程（鄂教职成办函〔2021〕7号 三.1）。",
        error_messages=_required("试点工作推进机制"),
    )

    def __init__(
        self,
        typed: shape.Typed,
        *,
        files: list[Attachment],
        rows: int = shape.ROWS_SHOWN,
        check: bool = False,
    ) -> None:
        self.plan_files = files
        self.count = min(max(rows, len(shape.members_of(typed))), shape.MOST_MEMBERS)
        super().__init__(typed if check else None, initial={} if check else typed)
        for number in range(self.count):
            for part, label in shape.PARTS.items():
                kind = PhoneField if part == "phone" else forms.CharField
                self.fields[shape.member_field(number, part)] = kind(
                    label=label, max_length=60 if part != "phone" else 30, required=False
                )

    def clean(self) -> dict[str, Any]:
        for number, member in enumerate(shape.members_of(self.data)):
            if not member["name"]:
                self.add_error(
                    shape.member_field(number, "name"), f"请填写第 {number + 1} 位成员的姓名，或清空这一行。"
                )
        if not self.plan_files:
            self.add_error(
                None,
                "请上传试点工作方案：备案须报联系人、机构信息和试点工作方案（晋教职成〔2020〕9号 三.1）。",
            )
        return self.cleaned_data

    def content(self, school: Any) -> shape.Content:
        """What a version keeps; ask only when the form is valid."""
        data = self.cleaned_data
        members = [
            {part: data[shape.member_field(number, part)] for part in shape.PARTS}
            for number in range(len(shape.members_of(self.data)))
        ]
        files = draft_files.told(self.plan_files)
        return {
            "school": school.organization.code,
            "name": school.organization.name,
            **{name: data[name] for name in shape.LABELS},
            shape.MEMBERS: members,
            shape.FILES: files,
        }

    def group(self, prefix: str) -> list[forms.BoundField]:
        return [self[name] for name in self.base_fields if name.startswith(prefix)]

    def leader_fields(self) -> list[forms.BoundField]:
        return [*self.group("leader_"), self["is_head"]]

    def contact_fields(self) -> list[forms.BoundField]:
        return self.group("contact_")

    def member_rows(self) -> list[tuple[int, list[forms.BoundField]]]:
        return [
            (number + 1, [self[shape.member_field(number, part)] for part in shape.PARTS])
            for number in range(self.count)
        ]

    def messages(self) -> list[tuple[str, str]]:
        """(id, message) of each error, in the order of the page, for the summary at the top."""
        named = [
            (self[name].id_for_label, str(message))
            for name in self.fields
            for message in self.errors.get(name, [])
        ]
        return named + [("plan", str(message)) for message in self.non_field_errors()]


class AcceptForm(VersionForm):
    comment = forms.CharField(
        label="审核意见", max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class ReturnForm(VersionForm):
    comment = forms.CharField(
        label="要修改什么",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="学校会看到这段话。不要写电话号码。",
        error_messages={"required": "请写明要修改什么。"},
    )


class PlanFilesForm(forms.Form):
    """The files of the pilot plan, as any press of the page's buttons brings them."""

    plan = EvidenceField(label="上传文件")


class ScanForm(forms.Form):
    scan = forms.FileField(
        label="上传盖章扫描件",
        help_text=f"pdf、png 或 jpg，不超过 {settings.UPLOAD_MAX_BYTES // 1024 // 1024} MB。",
        error_messages={"required": "请选择扫描件。"},
    )
