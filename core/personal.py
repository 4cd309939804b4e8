"""Personal data in what is about to be published: valid ID numbers and mobile numbers.

Found however they are typed: full width, in groups, with invisible characters in between. Digits that
are part of a longer number are not.
"""

import re
import unicodedata
from typing import NamedTuple

from core.fields import masked

_MOBILE = re.compile(r"(?<![0-9])1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4}(?![0-9])")
_ID_NUMBER = re.compile(r"(?<![0-9])[0-9]{6}[ -]?[0-9]{8}[ -]?[0-9]{3}[0-9Xx](?![0-9])")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"


class Found(NamedTuple):
    """What stands in a text: the numbers themselves, in their order, without spaces."""

    id_numbers: list[str]
    mobiles: list[str]

    @property
    def words(self) -> str:
        """`身份证号 420***********1234、手机号 138****5678`."""
        kinds = [("身份证号", self.id_numbers), ("手机号", self.mobiles)]
        return "、".join(f"{kind} {masked(number)}" for kind, numbers in kinds for number in numbers)


def check_digit(first: str) -> str:
    """The last character of an ID number whose other 17 digits are `first` (GB 11643)."""
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, first, strict=True))
    return _CHECK_DIGITS[total % 11]


def find(text: str) -> Found:
    plain = _plain(text)
    numbers = [_joined(match) for match in _ID_NUMBER.findall(plain)]
    ids = [number for number in numbers if _is_valid(number)]
    return Found(ids, [_joined(match) for match in _MOBILE.findall(plain)])


def hidden(text: str) -> str:
    """The text with what `find` finds masked; as it was typed where there is nothing."""
    if not any(find(text)):
        return text
    ids_hidden = _ID_NUMBER.sub(
        lambda match: masked(_joined(match[0])) if _is_valid(_joined(match[0])) else match[0], _plain(text)
    )
    return _MOBILE.sub(lambda match: masked(_joined(match[0])), ids_hidden)


def _plain(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")


def _is_valid(id_number: str) -> bool:
    return check_digit(id_number[:17]) == id_number[17]


def _joined(number: str) -> str:
    return re.sub(r"[ -]", "", number).upper()
