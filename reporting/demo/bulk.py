"""Keys given by hand, and what the database must be told after many rows at once."""

import datetime as dt

from django.core.management.color import no_style
from django.db import connection, models

from core import clock
from core.drafts import RECEIPT_LETTERS


def next_key(model: type[models.Model]) -> int:
    """The first free key of a table that nobody else is writing to."""
    return (model._default_manager.aggregate(last=models.Max("pk"))["last"] or 0) + 1


def reset_keys(*tables: type[models.Model]) -> None:
    """Let the database go on after the keys that were given by hand."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(tables)):
            cursor.execute(statement)


def refresh_statistics() -> None:
    """Tell PostgreSQL how large the tables have become: until we commit, nobody else sees it to do so."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def receipt(prefix: str, at: dt.datetime, number: int) -> str:
    """In the form of the portal's own; `number` is scattered over thirty bits, so none comes twice."""
    scattered = number * 0x2545F491 % 2**30
    tail = "".join(RECEIPT_LETTERS[scattered >> 5 * n & 31] for n in range(6))
    return f"{prefix}{clock.local(at):%Y%m%d}-{tail}"
