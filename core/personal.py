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
    plain = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    numbers = [_joined(match) for match in _ID_NUMBER.findall(plain)]
    ids = [number for number in numbers if check_digit(number[:17]) == number[17]]
    return Found(ids, [_joined(match) for match in _MOBILE.findall(plain)])


def _joined(number: str) -> str:
    return re.sub(r"[ -]", "", number).upper()
