"""The places of the left column. Each app registers its own in `AppConfig.ready`."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from django.urls import reverse

GROUPS = ["待办", "报送", "申报", "备案", "考核站点", "考试与证书", "经费", "监督", "专栏", "管理"]


class Place(NamedTuple):
    group: str
    label: str
    url_name: str
    may: Callable[[Any], bool]
    rank: int


_places: list[Place] = []


def register(group: str, label: str, url_name: str, *, may: Callable[[Any], bool], rank: int = 5) -> None:
    """Offer a page to those users for whom `may(user)` holds; within a group the lower ranks stand first."""
    if group not in GROUPS:
        raise ValueError(group)
    _places.append(Place(group, label, url_name, may, rank))
    _places.sort(key=lambda place: place.rank)


def for_user(user: Any) -> Iterable[tuple[str, list[tuple[str, str]]]]:
    """(group, [(label, address), …]) in the order of GROUPS, empty groups left out."""
    for group in GROUPS:
        mine = [(p.label, reverse(p.url_name)) for p in _places if p.group == group and p.may(user)]
        if mine:
            yield group, mine


def among(user: Any, url_names: Iterable[str]) -> list[tuple[str, str]]:
    """(label, address) of those of the named places that the user has."""
    return [(p.label, reverse(p.url_name)) for p in _places if p.url_name in url_names and p.may(user)]


def here(places: Iterable[tuple[str, list[tuple[str, str]]]], path: str) -> str:
    """The address of the place that `path` belongs to: the longest that it begins with; "" for none."""
    addresses = [address for _, pages in places for _, address in pages]
    return max((a for a in addresses if path == a or (a != "/" and path.startswith(a))), key=len, default="")
