"""Every state that a table shows as a badge has its colour, letter and word."""

from django.urls import get_resolver

from core.tables import PortalTable, StateColumn
from core.templatetags.portal import STATES


def _tables(base=PortalTable):
    for table in base.__subclasses__():
        yield table
        yield from _tables(table)


def _shown_states():
    """(table, state) of the columns that leave the words to the badge."""
    for table in _tables():
        fields = {field.name: field for field in table._meta.model._meta.fields} if table._meta.model else {}
        for name, column in table.base_columns.items():
            field = fields.get(str(column.accessor or name))
            if type(column) is StateColumn and field and not hasattr(table, f"render_{name}"):
                yield from ((table.__name__, state) for state, _ in field.flatchoices)


def test_no_badge_shows_a_code():
    # Loads every page and with it every table.
    assert get_resolver().url_patterns
    shown = set(_shown_states())
    assert ("CaseTable", "flagged") in shown
    assert {(table, state) for table, state in shown if state not in STATES} == set()
