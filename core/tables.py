"""Tables: sortable headings, and cards on a phone through each cell's `data-label`."""

import datetime as dt
from typing import Any

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core import clock
from core.templatetags import portal


class PortalTable(tables.Table):
    """Base of every list's table. Cells that are numbers: `attrs=NUMBER`; long texts: `attrs=WIDE`;
    texts that may not break: `attrs=SHORT`. The first column is the card's title on a phone."""

    class Meta:
        template_name = "core/table.html"
        attrs = {"class": "table table-cards"}


NUMBER = {"td": {"class": "number"}, "th": {"class": "number"}}
WIDE = {"td": {"class": "wide"}}
SHORT = {"td": {"class": "short"}}
# Left out of a phone's card.
NUMBER_IF_WIDE = {"td": {"class": "number only-wide"}, "th": {"class": "number"}}
SHORT_IF_WIDE = {"td": {"class": "short only-wide"}}


class InstantColumn(tables.Column):
    """An instant on the province's wall clock; exported as `2020-11-20 18:00`."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("attrs", SHORT)
        super().__init__(**kwargs)

    def render(self, value: dt.datetime) -> str:
        return portal.when(value)

    def value(self, value: Any = None, **kwargs: Any) -> str:
        return f"{clock.local(value):%Y-%m-%d %H:%M}" if value else ""


class ClosingColumn(InstantColumn):
    """An instant before which something is due: midnight is told as the end of the day before."""

    def render(self, value: dt.datetime) -> str:
        return portal.closing(value)


class DayColumn(tables.DateColumn):
    """A date as `2020年11月20日`; exported as `2020-11-20`."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("attrs", SHORT)
        super().__init__(**kwargs)

    def render(self, value: dt.date | None, bound_column: Any, **kwargs: Any) -> str:
        return portal.full_day(value) or bound_column.default


def with_note(shown: str, note: str) -> SafeString:
    """What a cell shows, with a quiet line below where there is something to add."""
    return (
        format_html('{}<br><span class="quiet">{}</span>', shown, note) if note else format_html("{}", shown)
    )


class StateColumn(tables.Column):
    """A state as a badge; exported as its word. A field with choices would hand over its label."""

    def render(self, record: Any, bound_column: Any) -> str:
        return portal.state(bound_column.accessor.resolve(record))

    def value(self, record: Any, bound_column: Any, **kwargs: Any) -> str:
        return portal.state_word(bound_column.accessor.resolve(record))
