"""What is asked beside the file of a platform list: which weeks it covers, when it was taken."""

import datetime as dt
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError

from core import clock
from core.forms import InstantInput
from core.imports.views import UploadForm
from core.templatetags import portal
from obligations.models import ObligationKind, Period, PeriodQuerySet, PlatformImport


def listed_periods() -> PeriodQuerySet:
    """The weeks that a list may cover, latest first."""
    return Period.objects.filter(kind=ObligationKind.WEEKLY_REPORT, opened_at__isnull=False).order_by(
        "-starts_on"
    )


class WeekChoice(forms.ModelChoiceField):
    def label_from_instance(self, period: Period) -> str:
        return f"{period.label}（{period.starts_on:%m.%d}–{period.ends_on:%m.%d}）"


class PlatformListForm(UploadForm):
    first = WeekChoice(
        label="覆盖周次：从",
        queryset=Period.objects.none(),
        empty_label="请选择",
        help_text="名单包含哪几周的全部填报情况。没有列出的学校，视为在导出时尚未填报。",
    )
    last = WeekChoice(label="覆盖周次：到（含）", queryset=Period.objects.none(), empty_label="请选择")
    listed_at = forms.DateTimeField(
        label="名单导出时间",
        widget=InstantInput(),
        help_text="从国家平台取得这份名单的时间。在一周关闭以后导出的，才能据以认定那一周没有填报。",
    )

    field_order = ["first", "last", "listed_at", "file"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        weeks: Any = self.fields
        weeks["first"].queryset = weeks["last"].queryset = listed_periods()

    def clean_listed_at(self) -> dt.datetime:
        listed_at = self.cleaned_data["listed_at"]
        if listed_at > clock.now():
            raise ValidationError("导出时间不能晚于现在。")
        return listed_at

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last, listed_at = (cleaned.get(name) for name in ("first", "last", "listed_at"))
        if first and last and first.starts_on > last.starts_on:
            self.add_error("last", f"早于开始的 {first.label}。请把两周对调。")
        elif last and listed_at and listed_at < last.opens_at:
            self.add_error("listed_at", f"早于{last.label}开始（{portal.when(last.opens_at)}）。请核对。")
        return cleaned

    def said(self) -> dict[str, Any]:
        first, last = self.cleaned_data["first"], self.cleaned_data["last"]
        covered = listed_periods().filter(starts_on__range=(first.starts_on, last.starts_on))
        return {
            "periods": list(covered.values_list("pk", flat=True)),
            "listed_at": self.cleaned_data["listed_at"].isoformat(),
        }


class PlatformImportFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="文件名", field_name="file_name", lookup_expr="icontains")
    period = django_filters.ModelChoiceFilter(
        label="覆盖周次",
        field_name="periods",
        queryset=lambda request: listed_periods(),
        empty_label="全部",
    )
    standing = django_filters.ChoiceFilter(
        label="状态", method="of_standing", choices=[("yes", "有效"), ("no", "已撤销")], empty_label="全部"
    )

    class Meta:
        model = PlatformImport
        fields: list[str] = []

    def of_standing(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(undone_at__isnull=value == "yes")
