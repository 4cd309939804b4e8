"""填报趋势: pictures, each with its table."""

from typing import Any

import django_filters
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import Organization, OrganizationQuerySet
from obligations.models import Period
from reporting import trends as counting
from reporting.filters import supervisors
from reporting.periods import opened_periods, window
from reporting.permissions import may_see_reporting
from reporting.trends import Trends
from schools.models import School

RANKS = [("share", "按迟报未报比例"), ("median", "按报送时间")]


class TrendsFilter(django_filters.FilterSet):
    """Year of the weeks, whose schools, which kind; the newest year unless asked otherwise."""

    year = django_filters.ChoiceFilter(label="年度", method="not_of_schools", empty_label=None)
    city = django_filters.ModelChoiceFilter(
        label="市（主管部门）", field_name="supervisor", queryset=supervisors, empty_label="全部"
    )
    kind = django_filters.ChoiceFilter(
        label="办学类型", field_name="school__kind", choices=School.Kind.choices, empty_label="全部"
    )
    rank = django_filters.ChoiceFilter(
        label="院校排序", method="not_of_schools", choices=RANKS, empty_label=None
    )

    class Meta:
        model = Organization
        fields: list[str] = []

    def __init__(self, data: QueryDict, *, periods: list[Period], **kwargs: Any) -> None:
        """`periods`: the closed ones, newest first."""
        years = list(dict.fromkeys(str(period.starts_on.isocalendar().year) for period in periods))
        data = data.copy()
        if data.get("year") not in years:
            data["year"] = years[0] if years else ""
        if data.get("rank") not in dict(RANKS):
            data["rank"] = RANKS[0][0]
        super().__init__(data, **kwargs)
        self.filters["year"].extra["choices"] = [(year, f"{year}年") for year in years]
        self.year, self.rank = data["year"], data["rank"]

    def not_of_schools(self, schools: OrganizationQuerySet, name: str, value: str) -> OrganizationQuerySet:
        return schools


@require_safe
def trends(request: HttpRequest) -> HttpResponse:
    if not may_see_reporting(request.user):
        raise PermissionDenied("填报趋势由推进办、市教育局、领导组和审计督导查看。")
    closed = [period for period in opened_periods() if period.closed_at]
    schools = Organization.objects.visible_to(request.user).schools()
    chosen = TrendsFilter(request.GET, queryset=schools, request=request, periods=closed)
    found = None
    if closed:
        periods = window(closed, weeks=len(closed), year=int(chosen.year))
        found = counting.trends(chosen.qs, periods, by=chosen.rank)
    context = {
        "filter": chosen,
        "year": chosen.year,
        "trends": found,
        "fewest": counting.FEWEST_WEEKS,
        "charts": _charts(found) if found else None,
    }
    return render(request, "reporting/trends/page.html", context)


def _charts(found: Trends) -> dict[str, Any]:
    """What charts.js draws: the very figures of the tables."""
    lines = [*found.lines, found.whole] if len(found.lines) > 1 else found.lines
    return {
        "rates": {
            "kind": "lines",
            "unit": "%",
            "labels": [period.short_label for period in found.periods],
            "series": [
                {
                    "name": line.name,
                    "values": [rate.percent for rate in line.rates],
                    "sum": line is found.whole,
                }
                for line in lines
            ],
        },
        "times": {
            "kind": "bars",
            "unit": "份",
            "labels": [bar.label for bar in found.bars],
            "values": [bar.count for bar in found.bars],
            "tones": [bar.kind for bar in found.bars],
        },
        "last": {
            "kind": "ranking",
            "unit": "%",
            "labels": [row.name for row in found.ranked],
            "series": [
                {
                    "name": "迟报",
                    "tone": "late",
                    "values": [_share(row.rate.late, row) for row in found.ranked],
                },
                {
                    "name": "未报（未谅解）",
                    "tone": "missed",
                    "values": [_share(row.rate.behind - row.rate.late, row) for row in found.ranked],
                },
            ],
        },
    }


def _share(part: int, row: Any) -> float:
    return round(part * 100 / row.rate.owed, 1)
