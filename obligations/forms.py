"""Forms on rules, holidays, suspensions and outages. Days and hours typed are the province's own."""

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Case, When
from django.template.defaultfilters import date as format_date

from accounts.models import Organization, Role, User
from core import clock
from core.forms import DayInput, InstantInput, SearchSelect
from core.templatetags.portal import full_day
from obligations import periods, permissions
from obligations.cycles import CYCLES, WEEKS
from obligations.models import CalendarDay, CalendarYear, ObligationKind, Outage, Period, Policy, Suspension

_LONGEST_SUSPENSION_DAYS = 366
_WEEKDAYS = "一二三四五六日"


class AnswersMixin:
    """What "check your answers" shows: (label, text) of every visible field, after validation."""

    def answers(self) -> list[tuple[str, str]]:
        return [
            (field.label, self._shown(field))
            for field in self.visible_fields()
            if self.cleaned_data.get(field.name) not in (None, "", [])
        ]

    def _shown(self, field: forms.BoundField) -> str:
        value = self.cleaned_data[field.name]
        if isinstance(value, dt.datetime):
            return format_date(value, "Y年n月j日（l）H:i")
        if isinstance(value, dt.date):
            return format_date(value, "Y年n月j日（l）")
        if isinstance(value, dt.time):
            return f"{value:%H:%M}"
        if isinstance(value, list):
            return "、".join(map(str, value))
        if isinstance(value, Organization):
            return scope_label(value)
        if isinstance(field.field, forms.TypedChoiceField | forms.ChoiceField):
            return str(dict(field.field.choices).get(value, value))
        return str(value)


class HoursField(forms.CharField):
    """`48, 24, 2` as [48, 24, 2]: hours before the deadline, each once, the earliest first."""

    def __init__(self, *, most_hours: int = 336, most_steps: int = 6, **kwargs: Any) -> None:
        self.most_hours, self.most_steps = most_hours, most_steps
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[int]:
        text = super().to_python(value)
        for mark in "，、;； ":
            text = text.replace(mark, ",")
        parts = [part for part in text.split(",") if part]
        if not all(part.isdecimal() and 1 <= int(part) <= self.most_hours for part in parts):
            raise ValidationError(f"请填 1 至 {self.most_hours} 之间的整数小时，用逗号分开，如 48, 24, 2。")
        hours = sorted({int(part) for part in parts}, reverse=True)
        if len(hours) > self.most_steps:
            raise ValidationError(f"最多提醒 {self.most_steps} 次，请删去一些。")
        return hours


_OF_WEEKS_ONLY = ("period_weeks", "due_weekday", "flag_weeks", "dispute_working_days")
_OF_MONTHS_ONLY = ("due_in", "due_day")
_FIRST_DAYS = {
    ObligationKind.WEEKLY_REPORT: "周期从星期一起算，请选一个星期一",
    ObligationKind.MONTHLY_REPORT: "月报从每月1日起算，请选某月1日",
    ObligationKind.HALF_YEAR_SUMMARY: "半年总结从1月1日或7月1日起算，请选其中一天",
}


class PolicyForm(AnswersMixin, forms.ModelForm):
    """A version of one kind's rule. It takes effect on the first day of a period not yet opened."""

    reminder_hours = HoursField(
        label="提前多少小时提醒", required=False, help_text="用逗号分开，如 48, 24, 2；留空则截止前不提醒。"
    )

    class Meta:
        model = Policy
        fields = [
            "effective_from",
            "period_weeks",
            "due_weekday",
            "due_in",
            "due_day",
            "due_time",
            "close_after_hours",
            "on_holiday",
            "reminder_hours",
            "flag_weeks",
            "correction_working_days",
            "dispute_working_days",
            "note",
        ]
        widgets = {
            "effective_from": DayInput(),
            "due_time": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        }
        help_texts = {
            "effective_from": "已经开始填报的周期不受影响。",
            "period_weeks": "1 为每周一报，2 为每两周一报。连续未报按周数累计。",
            "due_weekday": "周期最后一周的星期几。",
            "due_in": "工作日按国务院办公厅公布的节假日和调休安排计算。",
            "due_day": "从月份（半年）结束的次日算起。",
            "due_time": "在这一刻之前收到为按时，从这一刻起为迟报。",
            "close_after_hours": "关闭后补报只计数据，结果仍为未报。",
            "on_holiday": "截止日为法定节假日时怎样处理；按工作日计算的截止日不会逢节假日。",
            "flag_weeks": "教职成厅函〔2019〕19号五(四)：连续三周不填报周报的。",
        }

    def __init__(self, *args: Any, kind: str, first_day: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind, self.first_day = kind, first_day
        self.instance.kind = kind
        weekly = kind == ObligationKind.WEEKLY_REPORT
        for name in _OF_MONTHS_ONLY if weekly else _OF_WEEKS_ONLY:
            del self.fields[name]
        if weekly:
            self.fields["effective_from"].help_text = "须是星期一；已经开始填报的周期不受影响。"

    def clean_effective_from(self) -> dt.date:
        day = self.cleaned_data["effective_from"]
        if CYCLES[self.kind].first_day(day) != day:
            weekday = f"{full_day(day)}是星期{_WEEKDAYS[day.weekday()]}，" if self.kind == WEEKS else ""
            raise ValidationError(f"{weekday}{_FIRST_DAYS[ObligationKind(self.kind)]}。")
        if day < self.first_day:
            name = "（星期一）" if self.kind == WEEKS else ""
            raise ValidationError(
                f"{full_day(day)}的周期已经开始填报，规则不能倒改。最早可选{full_day(self.first_day)}{name}。"
            )
        taken = Policy.objects.filter(kind=self.kind, effective_from=day)
        if taken.exclude(pk=self.instance.pk).exists():
            raise ValidationError("这一天已有一版规则生效，请改那一版，或另选日期。")
        return day


class CalendarDayForm(AnswersMixin, forms.Form):
    """One day's place in the calendar; without a kind it is an ordinary day again."""

    day = forms.DateField(label="日期", widget=DayInput())
    kind = forms.ChoiceField(
        label="安排", required=False, choices=[("", "平常（按星期）"), *CalendarDay.Kind.choices]
    )
    name = forms.CharField(label="名称", max_length=40, required=False, help_text="如 国庆节。")

    def clean_day(self) -> dt.date:
        day = self.cleaned_data["day"]
        if not 2019 <= day.year <= 2100:
            raise ValidationError("请填 2019 年以后的日期。")
        return day

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        day, kind = data.get("day"), data.get("kind")
        if not day:
            return data
        if kind == CalendarDay.Kind.HOLIDAY and not data.get("name"):
            self.add_error("name", "请写明是什么节假日。")
        if kind == CalendarDay.Kind.WORKDAY and day.weekday() < 5:
            self.add_error(
                "kind", f"{full_day(day)}是星期{_WEEKDAYS[day.weekday()]}，本来就上班，不需要调休。"
            )
        if not kind and not CalendarDay.objects.filter(day=day).exists():
            self.add_error("kind", f"{full_day(day)}没有安排，无须恢复。")
        return data

    def answers(self) -> list[tuple[str, str]]:
        kind = self.cleaned_data["kind"]
        shown = [answer for answer in super().answers() if answer[0] != "安排"]
        return [*shown, ("安排", CalendarDay.Kind(kind).label if kind else "平常（按星期）")]


class CalendarYearForm(forms.Form):
    """The year's holidays have been published, by this document."""

    document = forms.CharField(
        label="公布的文件", max_length=200, help_text="文件名称和文号，如 国办发明电〔2019〕16号。"
    )

    def __init__(self, *args: Any, year: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.year = year

    def clean(self) -> dict[str, Any]:
        if CalendarYear.objects.filter(year=self.year).exists():
            raise ValidationError(f"{self.year}年已标为公布，不必再标。")
        if not CalendarDay.objects.filter(day__year=self.year).exists():
            raise ValidationError(f"{self.year}年还没有登记任何节假日，请先登记再标为已公布。")
        return super().clean() or {}


def scope_label(organization: Organization) -> str:
    """What a suspension that names `organization` covers."""
    if organization.kind == Organization.Kind.PROVINCE:
        return "全省院校"
    return f"{organization}主管院校" if organization.kind == Organization.Kind.CITY else organization.name


class ScopeField(forms.ModelChoiceField):
    def label_from_instance(self, obj: Organization) -> str:
        return scope_label(obj)


class SuspensionForm(AnswersMixin, forms.Form):
    """Days are local, the last one included; `starts_at` and `ends_at` are half-open instants."""

    kind = forms.ChoiceField(label="类别", choices=Suspension.Kind.choices)
    organization = ScopeField(Organization.objects.none(), label="范围", widget=SearchSelect)
    starts_on = forms.DateField(label="开始日期", widget=DayInput())
    ends_on = forms.DateField(label="结束日期（含当日）", widget=DayInput())
    reason = forms.CharField(label="原因", max_length=300, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.of_a_school = user.role == Role.SCHOOL_CONTACT
        organization = self.fields["organization"]
        organization.queryset = self._scope()
        if self.of_a_school:
            vacation = Suspension.Kind.VACATION
            self.fields["kind"].choices = [(vacation.value, vacation.label)]
            organization.initial = user.organization_id

    def _scope(self) -> Any:
        """Authorities and who reports to them: a college or an evaluator of the reference data owes nothing."""
        now, mine = clock.now(), Organization.objects.visible_to(self.user)
        evaluators = periods.owing_at(ObligationKind.MONTHLY_REPORT, now).order_by()
        mine = (
            mine.authorities() | mine.schools().members_at(now) | mine.filter(pk__in=evaluators.values("pk"))
        )
        province_first = Case(When(kind=Organization.Kind.PROVINCE, then=0), default=1)
        return mine.order_by(province_first, "kind", "code")

    def clean_starts_on(self) -> dt.date:
        day = self.cleaned_data["starts_on"]
        # A suspension of the past excuses what was missed, and only the office may excuse.
        if self.user.role != Role.OFFICE and day < clock.today():
            raise ValidationError("只能登记今天起的停报；已经过去的，请联系省推进办登记。")
        return day

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        self._check_scope(data.get("kind"), data.get("organization"))
        first, last = data.get("starts_on"), data.get("ends_on")
        if not first or not last:
            return data
        if last < first:
            self.add_error("ends_on", "结束日期不能早于开始日期。")
        elif (last - first).days >= _LONGEST_SUSPENSION_DAYS:
            self.add_error("ends_on", "一次停报不超过一年；更长的请分次登记。")
        else:
            self._check_twin(data)
        return data

    def _check_scope(self, kind: str | None, organization: Organization | None) -> None:
        if kind and organization and not permissions.may_suspend(self.user, organization, kind):
            self.add_error(
                "kind",
                "突发事件停报由推进办或主管的市教育局登记；院校可以登记本校放假；评价组织只因突发事件停报。",
            )

    def _check_twin(self, data: dict[str, Any]) -> None:
        if data.get("kind") and data.get("organization"):
            twin = Suspension.objects.filter(
                kind=data["kind"],
                organizations=data["organization"],
                starts_at=self.starts_at,
                ends_at=self.ends_at,
                lifted_at=None,
            )
            if twin.exists():
                raise ValidationError("同样范围、同样起止日期的停报已经登记，不必再登记。")

    @property
    def starts_at(self) -> dt.datetime:
        return clock.at(self.cleaned_data["starts_on"])

    @property
    def ends_at(self) -> dt.datetime:
        return clock.at(self.cleaned_data["ends_on"] + dt.timedelta(days=1))


class OutageForm(AnswersMixin, forms.ModelForm):
    """A planned or recorded outage of the portal."""

    class Meta:
        model = Outage
        fields = ["starts_at", "ends_at", "reason"]
        widgets = {
            "starts_at": InstantInput(),
            "ends_at": InstantInput(),
            "reason": forms.Textarea(attrs={"rows": 3}),
        }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("starts_at"), data.get("ends_at")
        if not first or not last:
            return data
        if last <= first:
            self.add_error("ends_at", "结束必须晚于开始。")
        elif last - first > dt.timedelta(days=14):
            self.add_error("ends_at", "一次停机不超过 14 天；更长的请用停报处理。")
        elif Outage.objects.filter(starts_at__lt=last, ends_at__gt=first).exists():
            raise ValidationError("这段时间与已登记的停机重叠。停机延长的，请只登记超出的那一段。")
        return data


def first_unopened_day(kind: str) -> dt.date:
    """The earliest day on which a new rule may take effect: the next period that is not open yet."""
    period = Period.objects.unopened().filter(kind=kind).order_by("starts_on").first()
    if period:
        return period.starts_on
    cycle, today = CYCLES[kind], clock.today()
    if cycle.opens_after_end:
        # The month or half-year that runs has not opened: the first rule may take it in.
        return cycle.first_day(today - dt.timedelta(days=31 * cycle.months - 1))
    return cycle.first_day(today + dt.timedelta(days=1))
