"""What a school tells of a programme."""

from django import forms

from core.forms import EvidenceField


class CoursesForm(forms.Form):
    courses = forms.CharField(
        label="证书融入的课程",
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="写明证书内容融入哪些课程、各多少学时，一行一门。",
    )
    files = EvidenceField(label="修订后的人才培养方案")

    def clean_courses(self) -> str:
        """Browsers send line ends as CRLF; the same text again is no change."""
        return str(self.cleaned_data["courses"]).replace("\r\n", "\n")
