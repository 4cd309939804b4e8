"""Filters of the programmes, and of the differences from the national platform."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

from accounts.models import City, Organization, Role
from certificates.models import Certificate
from core import clock
from schools import differences, standing
from schools.models import Programme
from schools.resources import YEAR_FIRST

STATES = [("active", "有效"), ("dormant", "休眠"), ("ended", "已结束")]


def _years() -> list[tuple[str, str]]:
    return [(str(year), f"{year}年") for year in range(clock.today().year + 1, YEAR_FIRST - 1, -1)]


class OfOneYear(django_filters.FilterSet):
    """The page's own query looks at one year: this one, unless the address names another."""

    q = django_filters.CharFilter(label="院校名称、代码、拼音", method="search")
    year = django_filters.ChoiceFilter(label="年度", choices=_years, method="told", empty_label="全部年度")

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(**{f"{self.school}__in": Organization.objects.schools().matching(value)})

    def told(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """The query has heard it already."""
        return rows

    school = "school_pk"


class ProgrammeFilter(OfOneYear):
    school = "school__organization"
    year = django_filters.ChoiceFilter(label="年度", choices=_years, method="told", empty_label="本年度")
    city = django_filters.ModelChoiceFilter(
        label="所在市",
        field_name="school__organization__city",
        queryset=City.objects.all(),
        empty_label="全部",
    )
    certificate = django_filters.ModelChoiceFilter(
        label="证书",
        field_name="certificate_level__certificate",
        queryset=Certificate.objects.order_by("name"),
        empty_label="全部",
    )
    state = django_filters.ChoiceFilter(label="状态", choices=STATES, empty_label="全部")
    gap = django_filters.ChoiceFilter(
        label="待处理", choices=standing.Gap.choices, method="lacking", empty_label="不限"
    )

    class Meta:
        model = Programme
        fields: list[str] = []

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, request=request, **kwargs)
        if request.user.role in Role.of_a_school():
            del self.filters["q"], self.filters["city"]

    def lacking(self, rows: Any, name: str, value: str) -> Any:
        """Missing agreements and plans are of running programmes; the platform may differ from any."""
        if value == standing.Gap.AGREEMENT:
            return rows.exclude(state="ended").filter(has_agreement=False)
        if value == standing.Gap.NEXT_YEAR:
            return rows.dormant_at(clock.now(), clock.today().year + 1)
        year = self.form.cleaned_data.get("year")
        return standing.differing(rows, int(year) if year else clock.today().year)


class DifferenceFilter(OfOneYear):
    """Rows of any of the kinds of `differences`, by the names that they share."""

    kind = django_filters.ChoiceFilter(
        label="差异", choices=differences.Kind.choices, method="told", empty_label=None
    )
    city = django_filters.ModelChoiceFilter(
        label="所在市", field_name="city_code", queryset=City.objects.all(), empty_label="全部"
    )
    certificate = django_filters.ModelChoiceFilter(
        label="证书",
        field_name="certificate_pk",
        queryset=Certificate.objects.order_by("name"),
        empty_label="全部",
    )

    class Meta:
        fields: list[str] = []

    def __init__(self, data: QueryDict | None = None, *args: Any, **kwargs: Any) -> None:
        """An address that does not say gets the first kind, of this year; an empty `year` asks for all."""
        data = data.copy() if data else QueryDict(mutable=True)
        data.setdefault("year", str(clock.today().year))
        data.setdefault("kind", differences.Kind.OURS)
        super().__init__(data, *args, **kwargs)

    def told(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(year=value) if name == "year" and value else rows
