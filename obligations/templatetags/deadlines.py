"""What stands above the rows of the page of deadlines that belong together."""

from django import template

from obligations.models import Obligation
from obligations.tables import DeadlineTable

register = template.Library()


@register.filter
def heading_of(record: Obligation, table: DeadlineTable) -> str:
    """The day or the organisation under which the table lists the record; "" where it is sorted otherwise."""
    return table.heading_of(record)
