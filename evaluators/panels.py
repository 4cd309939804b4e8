"""What apps above show on an evaluator's page: each gives a context with its `template`, or None."""

from collections.abc import Callable
from typing import Any

from accounts.models import User
from evaluators.models import Evaluator

Panel = Callable[[User, Evaluator], dict[str, Any] | None]

_panels: list[Panel] = []


def register(panel: Panel) -> None:
    _panels.append(panel)


def of(user: User, evaluator: Evaluator) -> list[dict[str, Any]]:
    """Those that this user is shown, in the order of registration."""
    return [shown for panel in _panels if (shown := panel(user, evaluator))]
