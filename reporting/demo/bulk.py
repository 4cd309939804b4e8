"""Writing many rows at once: COPY on PostgreSQL, `bulk_create` elsewhere."""

import datetime as dt
import io
import json
from collections.abc import Sequence
from typing import Any

from django.core.management.color import no_style
from django.db import connection, models


def insert(rows: Sequence[models.Model]) -> None:
    """Insert unsaved instances of one model, keys given or not. Instances without a key stay without."""
    if not rows:
        return
    if connection.vendor != "postgresql":
        type(rows[0])._default_manager.bulk_create(rows)
        return
    meta = rows[0]._meta
    fields = [f for f in meta.local_concrete_fields if not (f.primary_key and rows[0].pk is None)]
    text = io.StringIO()
    for row in rows:
        text.write("\t".join(_cell(field, field.pre_save(row, True)) for field in fields))
        text.write("\n")
        row._state.adding = False
    text.seek(0)
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {quote(meta.db_table)} ({columns}) FROM STDIN", text)


def _cell(field: "models.Field[Any, Any]", value: Any) -> str:
    """One value in COPY's text format."""
    if value is None:
        return r"\N"
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(field, models.JSONField):
        value = json.dumps(value, ensure_ascii=False)
    text = str(value)
    if "\\" in text or "\n" in text or "\t" in text or "\r" in text:
        text = text.replace("\\", r"\\").replace("\n", r"\n").replace("\t", r"\t").replace("\r", r"\r")
    return text


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
