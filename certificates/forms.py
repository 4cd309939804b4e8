"""What the proposal and its clock ask for."""

from typing import Any

from django import forms

from certificates.models import Certificate
from core.forms import DayInput, EvidenceField, SearchSelect, VersionForm
from core.templatetags.portal import full_day


class CertificateField(forms.ModelChoiceField):
    def label_from_instance(self, obj: Certificate) -> str:
        published = f"，{full_day(obj.published_on)}公布" if obj.published_on else ""
        return f"{obj.short_name}（{obj.owner}{published}）"


class PublishForm(forms.Form):
    certificate = CertificateField(
        Certificate.objects.select_related("owner").order_by("name"), label="证书", widget=SearchSelect
    )
    published_on = forms.DateField(label="公布日期", widget=DayInput())
    source = forms.CharField(label="依据", max_length=200, help_text="公布这个证书的文件或网页。")


class ProposalForm(forms.Form):
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    text = forms.CharField(
        label="建议",
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text="证书各等级体现哪些学习成果，建议怎样记录学分。",
    )
    kept = forms.MultipleChoiceField(
        label="已上传的方案文件",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="去掉勾选即移除。",
    )
    uploads = EvidenceField(label="上传方案文件")

    def __init__(self, *args: Any, files: list[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kept"].choices = [(str(file.pk), file.name) for file in files]
        if not files:
            del self.fields["kept"]

    @property
    def typed(self) -> dict[str, str]:
        text = self.cleaned_data["text"].replace("\r\n", "\n").strip()
        return {"text": text, "files": " ".join(self.cleaned_data.get("kept", []))}


class ReviewForm(VersionForm):
    comment = forms.CharField(
        label="意见", required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 5})
    )
