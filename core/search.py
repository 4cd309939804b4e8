"""One search box over many apps: each registers what it can find in `AppConfig.ready`."""

from collections.abc import Callable
from typing import Any, NamedTuple

GROUPS = ["试点院校", "证书", "评价组织", "案件", "主管部门", "账号"]
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
    if label not in GROUPS:
        raise ValueError(label)
    _providers[label] = find


def find(user: Any, text: str) -> list[Group]:
    """The groups that have hits, in the order of GROUPS."""
    found = [(label, _providers[label](user, text)) for label in GROUPS if label in _providers]
    return [Group(label, hits[:MOST], len(hits) > MOST) for label, hits in found if hits]
