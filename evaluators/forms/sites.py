"""Forms of exam sites: publishing conditions, applying against them, the steps of reviewers."""

from typing import Any

from django import forms

from accounts.models import City, County
from certificates.models import Certificate
from core.attachments import RULES
from core.forms import DayInput, EvidenceField, VersionForm, wrong_number
from evaluators.models import ExamSite, SchoolPlace, SiteCondition, SiteRule
from evaluators.models.sites import ON_EARTH
from evaluators.services.site_conditions import NO_BRANDS
from evaluators.services.sites.applying import too_few

NO_COUNTY = {"required": "请选择县（市、区）。", "invalid_choice": "请在列出的县（市、区）中选择。"}
DEGREES = {
    "latitude": "纬度请填 -90 到 90 的数，最多五位小数，如 37.87059。",
    "longitude": "经度请填 -180 到 180 的数，最多五位小数，如 112.54886。",
}
NO_POSITION = "经度、纬度要么都填，要么都不填；不知道的都留空。"


class ConditionForm(forms.Form):
    certificate = forms.ModelChoiceField(
        label="证书", queryset=Certificate.objects.none(), error_messages={"required": "请选择证书。"}
    )
    text = forms.CharField(
        label="考核站点条件",
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=f"每行一条，院校将逐条说明。{NO_BRANDS}",
        error_messages={"required": "请写明条件，每行一条。"},
    )
    minimum_places = forms.IntegerField(
        label="最少考位",
        min_value=1,
        max_value=100_000,
        error_messages={
            "required": "请填写最少考位；没有要求的填 1。",
            **wrong_number("请填写 1 到 100000 的整数；没有要求的填 1。"),
        },
    )

    def __init__(self, *args: Any, owner: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["certificate"].queryset = Certificate.objects.filter(owner=owner).order_by("name")


class PositionForm(forms.ModelForm):
    """County and coordinates, the latter both or none."""

    def __init__(self, *args: Any, city: City | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        counties = County.objects.filter(city=city) if city else County.objects.all()
        self.fields["county"].queryset = counties.select_related("city")
        self.fields["county"].required = city is None
        self.fields["county"].empty_label = "未选择"
        self.fields["county"].error_messages |= NO_COUNTY
        for (name, text), limits in zip(DEGREES.items(), ON_EARTH, strict=True):
            self.fields[name].error_messages |= wrong_number(text)
            self.fields[name].validators.extend(limits)
        self.fields["latitude"].help_text = "如 37.87059，与经度同填，用来计算距离。"

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        asked = {"latitude", "longitude"}
        if not asked & set(self.errors) and (given["latitude"] is None) != (given["longitude"] is None):
            self.add_error("latitude" if given["latitude"] is None else "longitude", NO_POSITION)
        return given

    def _post_clean(self) -> None:
        """The service checks what it writes."""


class PlaceForm(PositionForm):
    class Meta:
        model = SchoolPlace
        fields = ("county", "latitude", "longitude")


class SiteForm(PositionForm):
    """An application beside the items of its condition: `item_0` answers the first."""

    files = EvidenceField(label="场地和设备照片", help_text=RULES)
    condition = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = ExamSite
        fields = ("name", "county", "address", "places", "equipment", "latitude", "longitude")
        widgets = {"equipment": forms.Textarea(attrs={"rows": 4})}

    def __init__(self, *args: Any, against: SiteCondition, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.against = against
        self.initial.setdefault("condition", against.pk)
        self.fields["places"].min_value = 1
        self.fields["places"].help_text = f"条件要求不少于 {against.minimum_places} 个。"
        for name, label in (("name", "站点名称"), ("address", "地址"), ("places", "考位")):
            self.fields[name].error_messages["required"] = f"请填写{label}。"
        self.fields["places"].error_messages |= wrong_number("请填写考位的个数，至少为 1。")
        self.fields["equipment"].error_messages["required"] = "请写明设备与场地。"
        before = {answer.item: answer.text for answer in self.instance.answers}
        for number, item in enumerate(against.items):
            self.fields[f"item_{number}"] = forms.CharField(
                label=f"{number + 1}. {item}",
                max_length=1000,
                widget=forms.Textarea(attrs={"rows": 2}),
                initial=before.get(item, ""),
                error_messages={"required": f"请说明第 {number + 1} 条。"},
            )
        self.order_fields(
            ["name", "county", "address", "places", "equipment", *self.items, "latitude", "longitude"]
        )

    @property
    def items(self) -> list[str]:
        return [f"item_{number}" for number in range(len(self.against.items))]

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if given.get("condition") not in (None, self.against.pk):
            self.add_error(None, "培训评价组织刚刚公布了新的条件，已换成新条件。请逐条核对后再提交。")
            self.data = self.data.copy()
            self.data["condition"] = self.against.pk
        places = given.get("places")
        if places is not None and places < 1:
            self.add_error("places", "考位至少为 1。")
        elif places is not None and (text := too_few(places, self.against)):
            self.add_error("places", text)
        return given

    def given(self) -> dict[str, Any]:
        """Arguments of `services.sites.apply`; ask only when the form is valid."""
        data = self.cleaned_data
        fields = {name: data[name] for name in self.Meta.fields}
        fields["statements"] = [data[name] for name in self.items]
        return {"fields": fields, "condition": self.against, "files": data["files"]}


class CommentForm(forms.Form):
    comment = forms.CharField(
        label="原因",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "请写明原因。"},
    )


class RefusalForm(CommentForm, VersionForm):
    pass


class EndForm(CommentForm):
    ended_on = forms.DateField(
        label="撤销日期",
        widget=DayInput,
        help_text="自这一天起不再是考核站点，不晚于今天。",
        error_messages={"required": "请填写撤销日期。"},
    )
    field_order = ("ended_on", "comment")


class RuleForm(forms.ModelForm):
    class Meta:
        model = SiteRule
        fields = ("candidates_per_place",)
        error_messages = {
            "candidates_per_place": {
                "required": "请填写一个数，如 0.50。",
                **wrong_number("请填写 0.01 到 9999.99 的数，最多两位小数，如 0.50。"),
            }
        }
