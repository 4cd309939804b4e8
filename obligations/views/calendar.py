"""The working-day calendar: a year at a glance, and the office's changes to it."""

import calendar as gregorian
import datetime as dt
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django.views.generic import FormView

from core import clock
from obligations import permissions, previews, services
from obligations.forms import CalendarDayForm, CalendarYearForm
from obligations.models import CalendarDay, CalendarYear
from obligations.views.checked import CheckedFormView, require

ONLY_OFFICE = "节假日安排由省推进办登记；您可以查看，不能修改。"
FIRST_YEAR = 2019


@require_safe
def calendar_year(request: HttpRequest) -> HttpResponse:
    require(permissions.may_see_rules(request.user), "节假日安排供参与试点工作的人员查看。")
    year = _asked_year(request)
    days = list(CalendarDay.objects.filter(day__year=year))
    context = {
        "year": year,
        "years": range(FIRST_YEAR, clock.today().year + 3),
        "published": CalendarYear.objects.filter(year=year).first(),
        "days": days,
        "months": _months(year, {entry.day: entry for entry in days}),
        "may_govern": permissions.may_govern(request.user),
    }
    return render(request, "obligations/calendar.html", context)


def _asked_year(request: HttpRequest) -> int:
    text = request.GET.get("year", "")
    year = int(text) if text.isdecimal() and len(text) == 4 else clock.today().year
    if not FIRST_YEAR <= year <= 2100:
        raise Http404
    return year


def _months(year: int, entries: dict[dt.date, CalendarDay]) -> list[tuple[int, list[list[dict[str, Any]]]]]:
    """(month, weeks of seven days); a day of another month is empty."""
    weeks_of = gregorian.Calendar().monthdatescalendar
    return [
        (month, [[_cell(day, month, entries.get(day)) for day in week] for week in weeks_of(year, month)])
        for month in range(1, 13)
    ]


def _cell(day: dt.date, month: int, entry: CalendarDay | None) -> dict[str, Any]:
    if day.month != month:
        return {"day": None, "look": "other", "entry": None}
    look = entry.kind if entry else ("weekend" if day.weekday() > 4 else "plain")
    return {"day": day, "look": look, "entry": entry}


class CalendarDaySet(CheckedFormView):
    form_class = CalendarDayForm
    heading = "调整一天的安排"
    intro = "按国务院办公厅公布的节假日安排登记；只影响尚未开始填报的周期。"
    preview_template = "obligations/_calendar_changes.html"
    done = "安排已调整，未开始的周期已重新计算。"

    def check_right(self) -> None:
        require(permissions.may_govern(self.request.user), ONLY_OFFICE)

    def get_initial(self) -> dict[str, Any]:
        try:
            day = dt.date.fromisoformat(self.request.GET.get("day", ""))
        except ValueError:
            return {}
        entry = CalendarDay.objects.filter(day=day).first()
        return {"day": day} | ({"kind": entry.kind, "name": entry.name} if entry else {})

    def get_success_url(self) -> str:
        year = self.request.POST.get("day", "")[:4] or clock.today().year
        return reverse("obligations:calendar", query={"year": year})

    def _entry(self, form: CalendarDayForm) -> dict[str, Any]:
        data = form.cleaned_data
        return {
            "day": data["day"],
            "kind": data["kind"] or None,
            "name": data["name"],
            "by": self.request.user,
            "at": clock.now(),
        }

    def preview(self, form: CalendarDayForm) -> dict[str, Any]:
        return {"changes": previews.calendar_changes(**self._entry(form))}

    def save(self, form: CalendarDayForm) -> None:
        services.set_calendar_day(**self._entry(form))


class CalendarPublish(FormView):
    """One answer, with nothing to preview: the document that published the year."""

    form_class = CalendarYearForm
    template_name = "core/form_page.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        require(permissions.may_govern(request.user), ONLY_OFFICE)
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"year": self.kwargs["year"]}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        year = self.kwargs["year"]
        frame = {
            "heading": f"{year}年节假日安排已公布",
            "intro": "请先登记全部节假日和调休上班日，再标为已公布。",
            "submit_label": "标为已公布",
            "cancel_url": self.get_success_url(),
        }
        return super().get_context_data(**frame, **kwargs)

    def form_valid(self, form: forms.Form) -> HttpResponse:
        services.publish_year(
            year=self.kwargs["year"],
            document=form.cleaned_data["document"],
            by=self.request.user,
            at=clock.now(),
        )
        return super().form_valid(form)

    def get_success_url(self) -> str:
        return reverse("obligations:calendar", query={"year": self.kwargs["year"]})
