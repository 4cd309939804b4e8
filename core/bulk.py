"""Writing many rows at once: COPY on PostgreSQL, `bulk_create` elsewhere."""

import datetime as dt
import io
import json
from collections.abc import Sequence
from typing import Any

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
    is_json = isinstance(field, models.JSONField)
    text = json.dumps(value, ensure_ascii=False) if is_json else str(field.get_prep_value(value))
    if "\\" in text or "\n" in text or "\t" in text or "\r" in text:
        text = text.replace("\\", r"\\").replace("\n", r"\n").replace("\t", r"\t").replace("\r", r"\r")
    return text
