"""A school's weeks as a list."""

from typing import Any

import django_filters
import django_tables2 as tables
from django.db.models import QuerySet
from django.utils.safestring import SafeString

from core.tables import NUMBER, ClosingColumn, InstantColumn, PortalTable, StateColumn, with_note
from core.templatetags import portal
from obligations.models import Obligation, Outcome
from reporting.periods import opened_periods


def _years(request: Any = None) -> list[tuple[int, str]]:
    years = {period.starts_on.isocalendar().year for period in opened_periods()}
    return [(year, f"{year}年") for year in sorted(years, reverse=True)]


class HistoryFilter(django_filters.FilterSet):
    year = django_filters.ChoiceFilter(label="年度", method="of_year", empty_label="全部", choices=_years)

    class Meta:
        model = Obligation
        fields: list[str] = []

    def of_year(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(key__startswith=f"{value}-W")


def _why_exempt(obligation: Obligation) -> str:
    return obligation.exempt_reason if obligation.outcome == Outcome.EXEMPT else ""


class HistoryTable(PortalTable):
    week = tables.Column(
        verbose_name="周次",
        accessor="period__label",
        linkify=("reporting:report", [tables.A("pk")]),
        order_by="due_at",
    )
    due_at = ClosingColumn(verbose_name="截止")
    state = StateColumn(verbose_name="结果", orderable=False)
    received_at = InstantColumn(verbose_name="收到时间", accessor="arrived_at")
    source = tables.Column(verbose_name="来源", accessor="get_source_display", orderable=False)
    versions = tables.Column(
        verbose_name="版本", accessor="report__current__number", default="—", orderable=False, attrs=NUMBER
    )
    receipt = tables.Column(
        verbose_name="回执",
        accessor="report__current__receipt",
        linkify=("reporting:receipt", [tables.A("report__current__receipt")]),
        default="—",
        orderable=False,
    )

    def render_source(self, record: Obligation, value: str) -> str:
        return value if record.received_at or record.filled_at else "—"

    def render_state(self, record: Obligation) -> SafeString:
        return with_note(portal.state(record.state), _why_exempt(record))

    def value_state(self, record: Obligation) -> str:
        word, why = portal.state_word(record.state), _why_exempt(record)
        return f"{word}（{why}）" if why else word

    class Meta(PortalTable.Meta):
        order_by = "-due_at"
