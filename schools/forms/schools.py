"""Forms by which the office keeps schools, programmes and plans."""

from typing import Any

from django import forms

from accounts.models import City, Organization
from certificates.models import CertificateLevel
from core import clock
from core.forms import SearchSelect, wrong_number
from core.imports.columns import tidy
from schools.content import MOST_PEOPLE
from schools.models import Programme, School
from schools.resources import MOBILE, TECHNICAL, YEAR_FIRST

_PEOPLE = f"请填写 0 到 {MOST_PEOPLE} 的整数。"


class SchoolForm(forms.Form):
    """A school's facts; `code` only where the school is new."""

    code = forms.CharField(
        label="学校代码",
        max_length=32,
        help_text="10 位学校标识码等。登记后不能在此修改。",
        error_messages={"required": "请填写学校代码。"},
    )
    name = forms.CharField(
        label="学校名称",
        max_length=120,
        help_text="全称。改名后，原名称自动留作别名。",
        error_messages={"required": "请填写学校名称。"},
    )
    kind = forms.ChoiceField(
        label="办学类型", choices=School.Kind.choices, error_messages={"required": "请选择办学类型。"}
    )
    city = forms.ModelChoiceField(
        label="所在市", queryset=City.objects.all(), error_messages={"required": "请选择所在市。"}
    )
    supervisor = forms.ModelChoiceField(
        label="主管部门",
        queryset=Organization.objects.authorities(),
        help_text="决定由谁查看和催报，与所在市无关。",
        error_messages={"required": "请选择主管部门。"},
    )
    is_lead = forms.BooleanField(label="牵头院校（双高、示范）", required=False)
    address = forms.CharField(label="地址", max_length=200, required=False)
    contact_name = forms.CharField(label="联系人姓名", max_length=60, required=False)
    contact_mobile = forms.CharField(label="联系人手机", max_length=20, required=False)
    contact_email = forms.EmailField(
        label="联系人邮箱", required=False, error_messages={"invalid": "电子邮箱的格式不对，请核对。"}
    )

    def __init__(self, *args: Any, school: School | None = None, **kwargs: Any) -> None:
        self.school = school
        if school:
            kwargs["initial"] = {
                name: getattr(school if hasattr(school, name) else school.organization, name)
                for name in self.base_fields
                if name != "code"
            }
        super().__init__(*args, **kwargs)
        if school:
            del self.fields["code"]

    def clean_code(self) -> str:
        return tidy(self.cleaned_data["code"]).replace(" ", "")

    def clean_name(self) -> str:
        name = tidy(self.cleaned_data["name"])
        if "技工学校" in name:
            raise forms.ValidationError(TECHNICAL.removesuffix("请删除这一行。"))
        others = Organization.objects.schools().filter(name=name)
        if others.exclude(pk=self.school.pk if self.school else None).exists():
            raise forms.ValidationError(
                "同名院校已登记，请在院校列表中查找；确是另一所的，请把名称写得能够区分。"
            )
        return name

    def clean_contact_mobile(self) -> str:
        mobile = self.cleaned_data["contact_mobile"]
        try:
            return MOBILE.clean(mobile) if mobile else ""
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error

    def changes(self) -> dict[str, Any]:
        """New values of what differs from the school."""
        return {
            name: self.cleaned_data[name]
            for name in self.fields
            if self.cleaned_data[name] != self.initial[name]
        }


class ProgrammeForm(forms.Form):
    certificate_level = forms.ModelChoiceField(
        label="证书等级",
        widget=SearchSelect,
        queryset=CertificateLevel.objects.select_related("certificate").order_by(
            "certificate__name", "level"
        ),
        error_messages={"required": "请选择证书等级。"},
    )
    candidates = forms.IntegerField(
        label="本年拟考证人数",
        min_value=0,
        max_value=MOST_PEOPLE,
        required=False,
        error_messages=wrong_number(f"请填写 0 到 {MOST_PEOPLE} 的整数；没有计划的不填。"),
    )


class PlanForm(forms.Form):
    year = forms.IntegerField(
        label="年度",
        min_value=YEAR_FIRST,
        error_messages={"required": "请填写年度。"} | wrong_number(f"请填写 {YEAR_FIRST} 年以后的年度。"),
    )
    candidates = forms.IntegerField(
        label="拟考证人数",
        min_value=0,
        max_value=MOST_PEOPLE,
        help_text="总数，含沿用上年的人数。",
        error_messages={"required": "请填写拟考证人数。"} | wrong_number(_PEOPLE),
    )
    carried_over = forms.IntegerField(
        label="其中沿用上年",
        min_value=0,
        max_value=MOST_PEOPLE,
        required=False,
        help_text="上年计划没有用完、转到本年的人数；留空为不改。",
        error_messages=wrong_number(_PEOPLE),
    )

    def __init__(self, *args: Any, programme: Programme, year: int, **kwargs: Any) -> None:
        """Begins with what is planned for `year`."""
        plan = programme.plans.filter(year=year).first()
        kwargs["initial"] = {
            "year": year,
            "candidates": plan.candidates if plan else None,
            "carried_over": plan.carried_over if plan else None,
        }
        super().__init__(*args, **kwargs)

    def clean_year(self) -> int:
        year = self.cleaned_data["year"]
        if year > clock.today().year + 1:
            raise forms.ValidationError(f"最远只能设到 {clock.today().year + 1} 年的计划。")
        return year

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        candidates, carried = data.get("candidates"), data.get("carried_over")
        if candidates is not None and carried is not None and carried > candidates:
            self.add_error("carried_over", "沿用人数不能多于计划总数。")
        return data


class EndForm(forms.Form):
    reason = forms.CharField(
        label="原因",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "请写明原因。"},
    )
