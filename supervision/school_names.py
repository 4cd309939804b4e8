"""The names by which people call a school, so that a question to an evaluator does not show who complained."""

import re
from collections.abc import Iterable, Iterator

from core.reference import normalised

# Of these alone hundreds of names are made: they point at nobody.
_COMMON = re.compile(
    "职业|技术|中等|高等|专科|专业|技工|师范|成人|教育|应用|综合|学校|学院|大学|中学|高中|中专|中心"
)
_LAST_WORD = re.compile("(学校|学院|大学)$")
_RANK = re.compile("[省市县区]$")
# A short form of fewer letters stands in other words too.
SHORTEST = 4


def ways_to_write(name: str, places: Iterable[str]) -> set[str]:
    """`name` and its short forms, normalised: its place as 太原 or 太原市 or left out, its last word left out.

    `places` are divisions by their full names. What is made of common words only points at nobody; nor is
    anything a form without both the place and the last word: 机械职业 begins the names of certificates.
    """
    whole = normalised(name)
    place, rest = _parted(whole, places)
    stem = _RANK.sub("", place)
    forms = {f"{stem}{rest}"}
    if len(_COMMON.sub("", rest)) >= 2:
        placed = {f"{place}{rest}", f"{stem}{rest}"} if place else set()
        forms |= placed | {_LAST_WORD.sub("", form) for form in placed} | {rest}
    return {whole} | {form for form in forms if len(form) >= SHORTEST}


def _parted(name: str, places: Iterable[str]) -> tuple[str, str]:
    """The division that the name begins with, by its full name ("" for none), and what follows all of them."""
    known = sorted(_prefixes(places), key=lambda prefix: -len(prefix[0]))
    found, rest = "", name
    while match := next((p for p in known if rest.startswith(p[0])), None):
        found, rest = match[1], rest.removeprefix(match[0])
    return found, rest


def _prefixes(places: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(prefix, full name): 太原市 and 太原; of 应县 the whole only."""
    for place in filter(None, places):
        yield place, place
        if len(stem := _RANK.sub("", place)) >= 2:
            yield stem, place
