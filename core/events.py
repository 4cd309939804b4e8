"""Writing events. Each app registers the Chinese labels of its actions beside its services."""

import datetime as dt
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models

from core.bulk import insert
from core.models import Event

# The actor of what nobody asked for.
JOB = "平台定时任务"

request_id: ContextVar[str] = ContextVar("request_id", default="")

_labels: dict[str, str] = {}


def register(**labels: str) -> None:
    """Chinese labels of actions: `register(report_submitted="提交周报")`."""
    _labels.update(labels)


def label(action: str) -> str:
    return _labels.get(action, action)


def labels() -> dict[str, str]:
    """All actions known, for the audit page's filter."""
    return dict(sorted(_labels.items(), key=lambda item: item[1]))


def build(
    action: str,
    target: models.Model,
    *,
    by: Any,
    at: dt.datetime,
    organization_id: int | None = None,
    from_state: str = "",
    to_state: str = "",
    changes: dict[str, Any] | None = None,
    reason: str = "",
    target_label: str | None = None,
) -> Event:
    """An unsaved event. `by` is a user or the name of a job; `at` an instant."""
    if action not in _labels:
        raise ValueError(f"unregistered action {action!r}")
    user = None if isinstance(by, str) else by
    return Event(
        at=at,
        actor=user,
        actor_label=by if user is None else user.label,
        action=action,
        target_type=ContentType.objects.get_for_model(target),
        target_id=str(target.pk),
        target_label=(str(target) if target_label is None else target_label)[:200],
        organization_id=organization_id,
        from_state=from_state,
        to_state=to_state,
        changes=changes or {},
        reason=reason,
        request_id=request_id.get(),
    )


def record(action: str, target: models.Model, **kwargs: Any) -> Event:
    """Write one event in the current transaction; arguments as for `build`."""
    event = build(action, target, **kwargs)
    event.save()
    return event


def record_many(events: Iterable[Event]) -> None:
    """Write what `build` made, in the current transaction."""
    insert(list(events))
