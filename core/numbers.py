"""Numbers as people type them."""

import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal

from django.core.exceptions import ValidationError

MAX_FIGURE = 1_000_000
# No key has as many digits; a longer number would be beyond what a database column holds.
MOST_KEY_DIGITS = 15
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?")


def parse_number(text: str, *, places: int = 0, most: int = MAX_FIGURE) -> Decimal:
    """A number from 0 to `most` with at most `places` decimals; full-width digits and 1,200 are read too.

    Raises ValidationError in plain words.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if _THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "")
    if re.fullmatch(r"[-−–]\s*[\d.]+", plain):
        raise ValidationError("不能是负数。", code="negative")
    if not re.fullmatch(r"[0-9]+(\.[0-9]*)?", plain):
        raise ValidationError("请填写数字，没有请填 0。", code="number")
    whole, _, fraction = plain.partition(".")
    if len(fraction.rstrip("0")) > places:
        raise ValidationError(f"最多 {places} 位小数。" if places else "请填写整数。", code="places")
    if len(whole.lstrip("0")) > len(str(most)) or Decimal(plain) > most:
        raise ValidationError(f"数字过大，最多 {most:,}，请核对。", code="large")
    return Decimal(plain).quantize(Decimal(1).scaleb(-places))


def keys_in(texts: Iterable[str]) -> list[int]:
    """Keys of records as a request names them, in their order; what can be none is left out."""
    return [int(text) for text in texts if text.isdecimal() and len(text) <= MOST_KEY_DIGITS]
