"""The form of an evaluator's filing (附件3), bound to a draft's text, and those of its review."""

from collections.abc import Collection, Mapping
from typing import Any

from django import forms
from django.conf import settings

from certificates.models import Certificate
from core import clock, identity
from core.forms import EvidenceField, VersionForm
from core.models import Attachment
from evaluators import filing_content as shape
from evaluators.permissions import FILING_CLAUSE
from schools.forms.filings import PhoneField

# These go to the server only; nothing of them stays in the browser (static/portal/draft.js).
PRIVATE = {"data-private": "", "autocomplete": "off"}
FILE_HELP = {
    "letter": "总部授权负责人在本省开展试点工作的公函，已盖章。",
    "plan": f"在本省开展培训、考核的计划方案（{FILING_CLAUSE}）。",
    "agreement": "与教育部委托的有关机构签署的协议（教职成厅函〔2019〕19号 五(一)）。",
    "stamped": "也可以在提交后打印备案表、盖章，把扫描件传到那一版。",
}


def _required(label: str) -> dict[str, str]:
    return {"required": f"请填写{label}。"}


class MonthInput(forms.DateInput):
    input_type = "month"


class FilingForm(forms.Form):
    """A draft as a form: bound when it is to be checked, else showing what was typed. Of `refused` kinds a file
    was sent that could not be taken: they are not asked for a second time."""

    name = forms.CharField(label="负责人姓名", max_length=40, error_messages=_required("负责人姓名"))
    sex = forms.ChoiceField(
        label="性别",
        choices=[("", "请选择"), ("男", "男"), ("女", "女")],
        error_messages={"required": "请选择性别。"},
    )
    birth_month = forms.RegexField(
        r"^(19|20)\d{2}-(0[1-9]|1[0-2])$",
        label="出生年月",
        widget=MonthInput(),
        help_text="如 1985-03。",
        error_messages={**_required("出生年月"), "invalid": "出生年月请写作 1985-03 的样子。"},
    )
    phone = PhoneField(label="联系电话", error_messages=_required("联系电话"))
    email = forms.EmailField(
        label="邮箱",
        max_length=120,
        error_messages={**_required("邮箱"), "invalid": "邮箱的格式不对，请核对。"},
    )
    id_number = forms.CharField(
        label="身份证号",
        max_length=40,
        help_text="加密保存；除本单位填报的这张表单外，页面上只显示后四位。",
        widget=forms.TextInput(attrs=PRIVATE),
        error_messages=_required("身份证号"),
    )
    address = forms.CharField(
        label="现住址",
        max_length=200,
        help_text="加密保存，不在列表中显示。",
        widget=forms.TextInput(attrs=PRIVATE),
        error_messages=_required("现住址"),
    )
    introduction = forms.CharField(
        label="评价组织简介",
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages=_required("评价组织简介"),
    )
    promise = forms.BooleanField(
        label=shape.PROMISE_TEXT,
        error_messages={"required": "请阅读并勾选承诺（附件3）。"},
    )

    def __init__(
        self,
        typed: shape.Typed,
        *,
        files: Mapping[str, list[Attachment]],
        refused: Collection[str] = (),
        rows: int = shape.ROWS_SHOWN,
        check: bool = False,
    ) -> None:
        self.files_of, self.refused = files, refused
        self.count = min(max(rows, len(shape.staff_of(typed))), shape.MOST_STAFF)
        super().__init__(typed if check else None, initial={} if check else typed)
        for number in range(self.count):
            for part, label in shape.PARTS.items():
                kind = PhoneField if part == "phone" else forms.CharField
                self.fields[shape.staff_field(number, part)] = kind(
                    label=label, max_length=60 if part != "phone" else 30, required=False
                )

    def clean_id_number(self) -> str:
        number = identity.normal(self.cleaned_data["id_number"])
        if fault := identity.fault(number, on=clock.today()):
            raise forms.ValidationError(fault)
        return number

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if number := data.get("id_number"):
            said = {"sex": data.get("sex", ""), "birth_month": data.get("birth_month", "")}
            for name, words in identity.disagreements(number, **said).items():
                self.add_error(name, words)
        for number, person in enumerate(shape.staff_of(self.data)):
            if not person["name"]:
                self.add_error(
                    shape.staff_field(number, "name"),
                    f"请填写第 {number + 1} 位工作人员的姓名，或清空这一行。",
                )
        for kind in shape.REQUIRED_FILES:
            if not self.files_of.get(kind) and kind not in self.refused:
                self.add_error(None, forms.ValidationError(f"请上传{shape.FILES[kind]}。", code=kind))
        return data

    def content(self, certificate: Certificate) -> shape.Content:
        """What a version keeps; ask only when the form is valid."""
        data = self.cleaned_data
        staff = [
            {part: data[shape.staff_field(number, part)] for part in shape.PARTS}
            for number in range(len(shape.staff_of(self.data)))
        ]
        files = {
            kind: [{"id": str(f.pk), "name": f.name, "sha256": f.sha256} for f in self.files_of.get(kind, [])]
            for kind in shape.FILES
        }
        given = {name: data[name] for name in shape.LABELS}
        return shape.empty(certificate) | given | {shape.STAFF: staff} | files

    def person_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in shape.LABELS if name != "introduction"]

    def staff_rows(self) -> list[tuple[int, list[forms.BoundField]]]:
        return [
            (number + 1, [self[shape.staff_field(number, part)] for part in shape.PARTS])
            for number in range(self.count)
        ]

    def messages(self) -> list[tuple[str, str]]:
        """(id, message) of each error, in the order of the page, for the summary at the top."""
        named = [
            (self[name].id_for_label, str(message))
            for name in [*(n for n in self.fields if n != shape.PROMISE), shape.PROMISE]
            for message in self.errors.get(name, [])
        ]
        loose = self.errors.as_data().get("__all__", [])
        return [*named, *((f"id_upload_{error.code}", error.messages[0]) for error in loose)]


class FilesForm(forms.Form):
    """The files of each kind, as any press of the page's buttons brings them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind, label in shape.FILES.items():
            self.fields[f"upload_{kind}"] = EvidenceField(label=label, help_text=FILE_HELP[kind])

    def refused(self) -> list[str]:
        return [kind for kind in shape.FILES if f"upload_{kind}" in self.errors]

    def uploads(self) -> dict[str, list[Any]]:
        """By kind, of what may be taken."""
        return {kind: self.cleaned_data.get(f"upload_{kind}") or [] for kind in shape.FILES}


class StaffFileForm(forms.Form):
    """A sheet of the staff; the button pressed says what becomes of the rows that stand in the form."""

    staff_file = forms.FileField(
        label="从表格读入",
        required=False,
        help_text="只接收 .xlsx。有一处错误就一行也不读入；文件不保存。",
        error_messages={"empty": "文件是空的，没有任何内容。请重新选择。"},
        widget=forms.FileInput(attrs={"accept": ".xlsx"}),
    )


class AcceptForm(VersionForm):
    comment = forms.CharField(
        label="审核意见", max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class _AnswerForm(VersionForm):
    comment = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="评价组织会看到这段话。不要写身份证号、住址和电话号码。",
    )


class ReturnForm(_AnswerForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["comment"].label = "要修改什么"
        self.fields["comment"].error_messages["required"] = "请写明要修改什么。"


class RefuseForm(_AnswerForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["comment"].label = "不予备案的理由"
        self.fields["comment"].error_messages["required"] = "请写明不予备案的理由。"


class RevealForm(forms.Form):
    reason = forms.CharField(
        label="查看身份证号和现住址的理由",
        max_length=200,
        help_text="谁、什么时候、为什么查看，记入操作记录。",
        error_messages={"required": "请写明为什么要查看。"},
    )


class ScanForm(forms.Form):
    scan = forms.FileField(
        label="上传盖章扫描件",
        help_text=f"pdf、png 或 jpg，不超过 {settings.UPLOAD_MAX_BYTES // 1024 // 1024} MB。",
        error_messages={"required": "请选择扫描件。"},
    )
