"""One search box over many apps: each registers what it can find in `AppConfig.ready`."""

from collections.abc import Callable
from typing import Any, NamedTuple

# A group shows this many; a provider gives one more if there are more.
MOST = 20
LONGEST = 60


class Hit(NamedTuple):
    title: str
    detail: str
    url: str


class Group(NamedTuple):
    label: str
    hits: list[Hit]
    has_more: bool


Provider = Callable[[Any, str], list[Hit]]

_providers: dict[str, Provider] = {}


def register(label: str, find: Provider) -> None:
    """`find(user, text)` gives what the user may see, best first, at most MOST + 1."""
    _providers[label] = find


def find(user: Any, text: str) -> list[Group]:
    """The groups that have hits."""
    found = [(label, provider(user, text)) for label, provider in _providers.items()]
    return [Group(label, hits[:MOST], len(hits) > MOST) for label, hits in found if hits]
