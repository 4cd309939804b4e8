"""A sheet as a django-import-export Resource: every row checked, then everything or nothing written.

A subclass names its columns, loads what it compares with (`load`), judges one row (`judge`) and writes
the accepted rows through its app's services (`write`). Nothing is written row by row, and `check` writes
nothing at all.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import transaction
from import_export.instance_loaders import BaseInstanceLoader
from import_export.resources import Resource
from import_export.results import RowResult

from core.imports.columns import Column
from core.imports.reading import CalamineXLSX, Layout, Table
from core.templatetags.portal import full_day

PROGRESS_EVERY = 500
WHOLE_ROW = "__all__"


@dataclass
class Row:
    """One row being judged; a subclass adds an attribute per column, None where the cell is blank."""

    number: int = 0
    label: str = ""
    effect: str = RowResult.IMPORT_TYPE_SKIP
    changes: list[str] = field(default_factory=list)


def shown(value: Any) -> Any:
    """A value as a row's `changes` tell it: a day in words."""
    return full_day(value) if isinstance(value, dt.date) else value


@dataclass(frozen=True)
class CellError:
    row: int
    heading: str
    letter: str
    message: str


@dataclass
class Outcome:
    """What a file would do, or did. Counts are of rows; `whole` is what it changes beyond its rows; `undo` is
    what `Importer.undo` will be given."""

    new: int = 0
    update: int = 0
    same: int = 0
    errors: list[CellError] = field(default_factory=list)
    whole: list[str] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    undo: dict[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return self.new + self.update + self.same + len({error.row for error in self.errors})


class NotApplied(Exception):
    """Rows have errors, so nothing was written; `outcome` lists them."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__("rows have errors")
        self.outcome = outcome


class SheetResource(Resource):
    """Subclasses set `sheet`, `version`, `title`, `row_class` and `Column`s."""

    sheet: ClassVar[str]
    version: ClassVar[str]
    title: ClassVar[str]
    row_class: ClassVar[type[Row]] = Row
    may_be_empty: ClassVar[bool] = False
    table: Table

    class Meta:
        instance_loader_class = BaseInstanceLoader
        import_id_fields: ClassVar[list[str]] = []
        force_init_instance = True
        using_db = "default"
        use_bulk = True
        batch_size = 1000
        skip_diff = True
        report_skipped = False

    def __init__(
        self,
        *,
        by: Any,
        at: dt.datetime,
        progress: Callable[[int, int], None] | None = None,
        said: dict[str, Any] | None = None,
    ) -> None:
        """`said` is what was typed beside the file (`Importer.form`), as JSON."""
        super().__init__()
        self.by, self.at, self.said = by, at, said or {}
        self.progress = progress
        self.accepted: list[Row] = []
        self.whole_changes: list[str] = []
        self.undo: dict[str, Any] = {}

    @classmethod
    def columns(cls) -> list[Column]:
        return [column for column in cls.fields.values() if isinstance(column, Column)]

    @classmethod
    def layout(cls) -> Layout:
        return Layout(cls.sheet, cls.version, [column.heading for column in cls.columns()], cls.may_be_empty)

    # What a subclass does

    def load(self, rows: list[dict[str, Any]]) -> None:
        """Fetch at once what rows are compared with."""

    def judge(self, row: Row) -> Iterable[tuple[str, str]]:
        """Errors as (attribute or WHOLE_ROW, message); none: sets `effect`, `label` and `changes`."""
        return ()

    def whole(self) -> list[str]:
        """What the file changes beyond its rows, in words; asked once its rows are judged."""
        return []

    def write(self, rows: list[Row]) -> dict[str, Any]:
        """Write the rows that change something, through services. Returns what undo needs (JSON)."""
        raise NotImplementedError

    # What the portal does

    def check(self, content: bytes, name: str) -> Outcome:
        """A dry run. Raises FileRefused."""
        return self._run(content, name, write=False)

    @transaction.atomic
    def apply(self, content: bytes, name: str) -> Outcome:
        """All or nothing. Raises FileRefused, NotApplied."""
        outcome = self._run(content, name, write=True)
        if outcome.errors:
            raise NotApplied(outcome)
        return outcome

    def _run(self, content: bytes, name: str, *, write: bool) -> Outcome:
        source = CalamineXLSX(self.layout(), name)
        dataset = source.create_dataset(content)
        self.table = source.read
        self.content, self.file_name = content, name
        self.accepted = []
        # Not the library's own dry run: it opens a transaction, in which progress could not be seen.
        result = self.import_data(dataset, use_transactions=False, write=write)
        for error in [*result.base_errors, *(e for row in result.error_rows for e in row.errors)]:
            raise error.error
        return self._outcome(result)

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        self.load(self.table.rows)

    def init_instance(self, row: Any = None) -> Row:
        return self.row_class()

    def after_init_instance(self, instance: Row, new: bool, row: Any, **kwargs: Any) -> None:
        instance.number = self.table.numbers[kwargs["row_number"] - 1]

    def skip_row(self, instance: Row, original: Any, row: Any, import_validation_errors: Any = None) -> bool:
        return False

    def validate_instance(
        self, instance: Row, import_validation_errors: Any = None, validate_unique: bool = True
    ) -> None:
        errors: dict[str, list[Any]] = {}
        for name, error in (import_validation_errors or {}).items():
            errors.setdefault(name, []).extend(error if isinstance(error, list) else [error])
        for name, message in self.judge(instance):
            # One complaint a cell: that a value is missing because it was refused is no news.
            if name not in errors or name == WHOLE_ROW:
                errors.setdefault(name, []).append(ValidationError(message))
        if errors:
            raise ValidationError(errors)

    def save_instance(self, instance: Row, is_create: bool, row: Any, **kwargs: Any) -> None:
        self.accepted.append(instance)

    def after_import_row(self, row: Any, row_result: RowResult, **kwargs: Any) -> None:
        row_result.import_type = self.accepted[-1].effect

    def import_row(self, row: Any, instance_loader: Any, **kwargs: Any) -> RowResult:
        number = kwargs["row_number"]
        if self.progress and number % PROGRESS_EVERY == 0:
            self.progress(number, len(self.table.rows))
        return super().import_row(row, instance_loader, **kwargs)

    def after_import(self, dataset: Any, result: Any, **kwargs: Any) -> None:
        self.whole_changes = self.whole()
        if kwargs["write"] and not result.has_validation_errors():
            self.undo = self.write([r for r in self.accepted if r.effect != RowResult.IMPORT_TYPE_SKIP])

    def _outcome(self, result: Any) -> Outcome:
        outcome = Outcome(
            new=result.totals[RowResult.IMPORT_TYPE_NEW],
            update=result.totals[RowResult.IMPORT_TYPE_UPDATE],
            same=result.totals[RowResult.IMPORT_TYPE_SKIP],
            whole=self.whole_changes,
            undo=self.undo,
        )
        for invalid in result.invalid_rows:
            outcome.errors += self._cell_errors(self.table.numbers[invalid.number - 1], invalid.error_dict)
        outcome.changes = [
            {"row": r.number, "effect": r.effect, "label": r.label, "changes": r.changes}
            for r in self.accepted
            if r.effect != RowResult.IMPORT_TYPE_SKIP
        ]
        return outcome

    def _cell_errors(self, number: int, messages: dict[str, list[str]]) -> Iterable[CellError]:
        headings = {column.attribute: column.heading for column in self.columns()}
        for name, texts in messages.items():
            heading = headings.get(name, "")
            for text in texts:
                yield CellError(number, heading, self.table.letters.get(heading, ""), text)
