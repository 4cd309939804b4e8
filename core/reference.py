"""Reading reference files (CSV, UTF-8) and taking their rows into tables, again and again the same.

What a person has changed in the portal is never overwritten: the record's own events say so.
"""

import csv
import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from django.contrib.contenttypes.models import ContentType
from django.db import models

from core.models import Event

M = TypeVar("M", bound=models.Model)


class BadReference(Exception):
    """A reference file that cannot be taken; the message names file and line."""


@dataclass(frozen=True)
class Row:
    """One line of a file; a column that the file lacks reads as an empty text."""

    path: Path
    line: int
    values: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.values.get(column, "")

    def fail(self, what: str) -> BadReference:
        return BadReference(f"{self.path.name} 第{self.line}行：{what}")

    def required(self, column: str) -> str:
        if not self[column]:
            raise self.fail(f"“{column}”为空")
        return self[column]

    def code(self, column: str, pattern: str) -> str:
        if not re.fullmatch(pattern, self[column]):
            raise self.fail(f"“{column}”应为 {pattern}，现为“{self[column]}”")
        return self[column]

    def choice(self, column: str, allowed: dict[str, Any]) -> Any:
        if self[column] not in allowed:
            raise self.fail(f"“{column}”应为 {'、'.join(allowed)} 之一，现为“{self[column]}”")
        return allowed[self[column]]

    def day(self, column: str) -> dt.date:
        try:
            return dt.date.fromisoformat(self[column])
        except ValueError:
            raise self.fail(f"“{column}”应为 YYYY-MM-DD，现为“{self[column]}”") from None


def rows(path: Path, *columns: str, optional: bool = False) -> Iterator[Row]:
    """The lines of `path`, trimmed; `columns` must be among its headings.

    A missing file is empty when `optional`. Raises BadReference.
    """
    if optional and not path.exists():
        return
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            headings = [heading.strip() for heading in next(reader, [])]
            if missing := [column for column in columns if column not in headings]:
                raise BadReference(f"{path.name} 第1行：缺少列 {'、'.join(missing)}")
            for values in reader:
                if not any(value.strip() for value in values):
                    continue
                if len(values) != len(headings):
                    raise BadReference(
                        f"{path.name} 第{reader.line_num}行：应有{len(headings)}列，现有{len(values)}列"
                    )
                cells = dict(zip(headings, (value.strip() for value in values), strict=True))
                yield Row(path, reader.line_num, cells)
    except FileNotFoundError:
        raise BadReference(f"没有文件 {path}") from None
    except UnicodeDecodeError:
        raise BadReference(f"{path.name}：应为 UTF-8 编码") from None
    except csv.Error as error:
        raise BadReference(f"{path.name}：不是有效的 CSV（{error}）") from None


def normalised(name: str) -> str:
    """A name for comparison: full-width forms made half-width, spaces removed, case folded."""
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()


@dataclass
class Counts:
    """What was done with the rows of one kind; `kept` were changed by people and left alone."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    kept: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.created + other.created,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            self.kept + other.kept,
        )

    @property
    def changed(self) -> bool:
        return bool(self.created or self.updated)

    def __str__(self) -> str:
        text = f"新增 {self.created}，更新 {self.updated}，未变 {self.unchanged}"
        return f"{text}，保留人工修改 {self.kept}" if self.kept else text


def touched(model: type[models.Model], *, beside: Collection[str] = ()) -> set[str]:
    """Primary keys (as text) of the records that a person has made or changed in the portal.

    `beside` names actions on facts that the files do not carry: they do not count.
    """
    about = Event.objects.filter(target_type=ContentType.objects.get_for_model(model), actor__isnull=False)
    return set(about.exclude(action__in=beside).values_list("target_id", flat=True))


def take(
    existing: models.QuerySet[M],
    wanted: Iterable[tuple[Row, dict[str, Any]]],
    *,
    key: tuple[str, ...],
    before_update: Callable[[M, dict[str, Any]], None] | None = None,
    beside: Collection[str] = (),
) -> tuple[Counts, dict[tuple[Any, ...], M]]:
    """Make the records of `existing` what `wanted` says, matched by the attributes of `key`.

    Creates and updates in sets; deletes nothing. Returns the counts and the records by their key.
    `beside` as for `touched`.
    Raises BadReference when two rows claim one record.
    """
    counts = Counts()
    records = {tuple(getattr(record, name) for name in key): record for record in existing}
    by_hand = touched(existing.model, beside=beside)
    claimed: dict[tuple[Any, ...], Row] = {}
    created: list[M] = []
    updated: list[M] = []
    columns: set[str] = set()
    for row, fields in wanted:
        identity = tuple(fields[name] for name in key)
        if identity in claimed:
            raise row.fail(f"与{claimed[identity].path.name} 第{claimed[identity].line}行重复")
        claimed[identity] = row
        if identity not in records:
            records[identity] = existing.model(**fields)
            created.append(records[identity])
            continue
        record = records[identity]
        changes = {name: value for name, value in fields.items() if getattr(record, name) != value}
        if not changes:
            counts.unchanged += 1
        elif str(record.pk) in by_hand:
            counts.kept += 1
        else:
            if before_update:
                before_update(record, changes)
            for name, value in changes.items():
                setattr(record, name, value)
            columns |= set(changes)
            updated.append(record)
    existing.model._default_manager.bulk_create(created, batch_size=1000)
    if updated:
        existing.model._default_manager.bulk_update(updated, sorted(columns), batch_size=200)
    counts.created, counts.updated = len(created), len(updated)
    return counts, records
