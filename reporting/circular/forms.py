"""What a circular is about: periods and whose schools, in the address; its number, when it is made."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict

from accounts.models import Organization
from obligations.models import ObligationKind, Period
from reporting.periods import between
from reporting.reporters import Reporters

SORTS = [("authority", "按主管部门"), ("streak", "按连续未报"), ("missed", "按未报、迟报")]
BY_CODE = ("authority", "按代码")


def _sorts(kind: str, reporters: Reporters) -> list[tuple[str, str]]:
    """A streak is of weeks only."""
    by_authority, by_streak, by_missed = SORTS
    first = by_authority if reporters.has_schools else BY_CODE
    return [first, by_streak, by_missed] if kind == ObligationKind.WEEKLY_REPORT else [first, by_missed]


class ChosenForm(forms.Form):
    """`from` and `to` are keys of periods; what is unknown falls back to the newest closed period.
    A `sort` that this kind of report does not offer falls back to the first."""

    city = forms.ModelChoiceField(Organization.objects.none(), label="市（主管部门）", required=False)
    sort = forms.ChoiceField(label="排序", required=False)

    field_order = ("from", "to", "city", "sort")

    def __init__(
        self,
        data: QueryDict,
        *,
        periods: list[Period],
        authorities: QuerySet[Organization],
        reporters: Reporters,
    ) -> None:
        """`periods`: the opened ones, newest first, at least one. Nobody supervises evaluators."""
        self.periods = between(periods, data.get("from", ""), data.get("to", ""))
        data = data.copy()
        data["from"], data["to"] = self.periods[0].key, self.periods[-1].key
        sorts = _sorts(self.periods[0].kind, reporters)
        if data.get("sort") not in dict(sorts):
            data["sort"] = sorts[0][0]
        super().__init__(data)
        choices = [(period.key, period.label) for period in periods]
        self.fields["from"] = forms.ChoiceField(label="从", choices=choices)
        self.fields["to"] = forms.ChoiceField(label="到", choices=choices)
        city: Any = self.fields["city"]
        city.queryset, city.empty_label = authorities, "全部"
        sort: Any = self.fields["sort"]
        sort.choices = sorts
        if not reporters.has_schools:
            del self.fields["city"]
        self.order_fields(self.field_order)
        self.full_clean()

    @property
    def authority(self) -> Organization | None:
        return self.cleaned_data.get("city")

    @property
    def order(self) -> str:
        return self.cleaned_data.get("sort") or SORTS[0][0]


class NumberForm(forms.Form):
    number = forms.CharField(
        label="发文字号",
        max_length=40,
        required=False,
        help_text="可以留空，由办公室编号后填写。",
        widget=forms.TextInput(attrs={"placeholder": "晋1+X办〔2020〕12号"}),
    )
