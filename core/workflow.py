"""One door for every lifecycle.

A lifecycle is data: a table of transitions, each row naming its action, from, to, who may and what it
asks for. The service that carries an action out registers as its verb and calls `perform`, which locks
the row, checks state, right and readiness, and writes the state and the event. Nothing else assigns a
state. Buttons, the API's actions and the page's reasons "why not yet" are drawn from the same table and
always go through the verb, so that no side effect is skipped.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import models, transaction

from core import events


class NotNow(Exception):
    """The action does not fit the record's state, or something is still missing; `reasons` say what."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("；".join(reasons))
        self.reasons = reasons


def _always(user: Any, obj: Any) -> str:
    return ""


def _fits(obj: Any) -> str:
    return ""


def _of_none(obj: Any) -> int | None:
    return None


def _nothing(obj: Any, at: dt.datetime) -> list[str]:
    return []


@dataclass(frozen=True)
class Transition:
    """One row of the table.

    `forbids(user, obj)` gives the reason why this user may not, or "". `lacks(obj, at)` gives what is
    still missing, each with its clause; where that takes queries, `lacks_of(objects, at)` gives the same
    for many, in their order. `by_job` marks what only the clock does. `misfits(obj)` tells of a record in one
    of the sources why it is for another action that begins there too, or "".
    """

    action: str
    label: str
    sources: tuple[str, ...]
    target: str
    forbids: Callable[[Any, Any], str] = _always
    lacks: Callable[[Any, dt.datetime], list[str]] = _nothing
    asks: tuple[str, ...] = ()
    by_job: bool = False
    dangerous: bool = False
    lacks_of: Callable[[Sequence[Any], dt.datetime], list[list[str]]] | None = None
    misfits: Callable[[Any], str] = _fits


def _misplaced(row: Transition, obj: Any) -> list[str]:
    """Why the action does not fit the record's state; []."""
    if obj.state in row.sources:
        return [reason] if (reason := row.misfits(obj)) else []
    needed = "、".join(str(type(obj).State(s).label) for s in row.sources)
    return [f"现在是“{obj.get_state_display()}”，只有在“{needed}”时才能“{row.label}”。"]


@dataclass(frozen=True)
class Offer:
    """What a page shows of one action: a button, or the reasons why there is none yet."""

    transition: Transition
    reasons: list[str]

    @property
    def open(self) -> bool:
        return not self.reasons


@dataclass
class Workflow:
    """The lifecycle of one model, whose state is in the field `state`."""

    table: tuple[Transition, ...]
    verbs: dict[str, Callable[..., Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._by_action = {row.action: row for row in self.table}
        events.register(**{row.action: row.label for row in self.table})

    def verb(self, action: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Register a service as the one that carries out `action`."""
        if action not in self._by_action:
            raise ValueError(action)

        def register(service: Callable[..., Any]) -> Callable[..., Any]:
            self.verbs[action] = service
            return service

        return register

    def transition(self, action: str) -> Transition:
        """Raises KeyError for an action that is not in the table."""
        return self._by_action[action]

    def run(self, action: str, obj: Any, **data: Any) -> Any:
        """Carry out `action` through its verb: what pages and the API call."""
        return self.verbs[action](obj, **data)

    def perform(
        self,
        action: str,
        obj: models.Model,
        *,
        by: Any,
        at: dt.datetime,
        comment: str = "",
        changes: dict[str, Any] | None = None,
        values: dict[str, Any] | None = None,
        organization_id: int | None = None,
    ) -> Any:
        """Lock the row, check, write state and event; the fresh row. Call it inside the verb's transaction.

        `by` is a user or, for the clock's actions, the name of the job. `values` are fields that are written
        together with the state. Raises NotNow, PermissionDenied.
        """
        row = self._row(action, by)
        fresh: Any = type(obj)._base_manager.select_for_update().get(pk=obj.pk)
        if reason := self._forbids(row, fresh, by):
            raise PermissionDenied(reason)
        if reasons := self.missing(row, fresh, at):
            raise NotNow(reasons)
        before, fresh.state = fresh.state, row.target
        for name, value in (values or {}).items():
            setattr(fresh, name, value)
        fresh.save(update_fields=["state", *(values or {})])
        obj.state = row.target  # type: ignore[attr-defined]
        events.record(
            action,
            fresh,
            by=by,
            at=at,
            organization_id=organization_id,
            from_state=before,
            to_state=row.target,
            changes=changes,
            reason=comment,
        )
        return fresh

    def perform_many(
        self,
        action: str,
        rows: models.QuerySet[Any],
        *,
        by: Any,
        at: dt.datetime,
        comment: str = "",
        values: dict[str, Any] | None = None,
        organization_of: Callable[[Any], int | None] = _of_none,
    ) -> list[Any]:
        """What `perform` does, for all of `rows` or for none, in as many queries for one as for a thousand.

        `rows` names the records by key and prefetches what the checks, `organization_of` and the record's
        own name read. The fresh rows in the order of their keys. Raises NotNow with every row's reasons,
        each with the row's name before it, PermissionDenied.
        """
        row = self._row(action, by)
        fresh = list(rows.select_for_update(of=("self",)).order_by("pk"))
        for one in fresh:
            if reason := self._forbids(row, one, by):
                raise PermissionDenied(reason)
        lacking = zip(fresh, self.missing_of(row, fresh, at), strict=True)
        if reasons := [f"{one}：{reason}" for one, found in lacking for reason in found]:
            raise NotNow(reasons)
        told = [
            events.build(
                action,
                one,
                by=by,
                at=at,
                organization_id=organization_of(one),
                from_state=one.state,
                to_state=row.target,
                reason=comment,
            )
            for one in fresh
        ]
        written = {"state": row.target, **(values or {})}
        rows.model._base_manager.filter(pk__in=[one.pk for one in fresh]).update(**written)
        for one in fresh:
            for name, value in written.items():
                setattr(one, name, value)
        events.record_many(told)
        return fresh

    def _row(self, action: str, by: Any) -> Transition:
        """Raises PermissionDenied where a person wants what the clock does, or the other way round."""
        row = self._by_action[action]
        if not transaction.get_connection().in_atomic_block:
            raise RuntimeError("perform() needs the verb's transaction")
        if row.by_job != isinstance(by, str):
            raise PermissionDenied(f"“{row.label}”由{'平台按时限' if row.by_job else '经办人'}办理。")
        return row

    def _forbids(self, row: Transition, obj: Any, by: Any) -> str:
        return "" if isinstance(by, str) else row.forbids(by, obj)

    def missing(self, row: Transition, obj: Any, at: dt.datetime) -> list[str]:
        """Why the record is not ready for this now, whoever asks; [] when it is."""
        return _misplaced(row, obj) or row.lacks(obj, at)

    def missing_of(self, row: Transition, objects: Sequence[Any], at: dt.datetime) -> list[list[str]]:
        """`missing` of each, in their order."""
        placed = [obj for obj in objects if not _misplaced(row, obj)]
        found = row.lacks_of(placed, at) if row.lacks_of else [row.lacks(obj, at) for obj in placed]
        lacking = {obj.pk: reasons for obj, reasons in zip(placed, found, strict=True)}
        return [_misplaced(row, obj) or lacking[obj.pk] for obj in objects]

    def offers(self, obj: Any, user: Any, at: dt.datetime) -> Iterable[Offer]:
        """The actions that stand next in the record's life for this user, each open or with its reasons."""
        for row in self.table:
            if row.by_job or _misplaced(row, obj):
                continue
            reason = row.forbids(user, obj)
            yield Offer(row, [reason] if reason else row.lacks(obj, at))
