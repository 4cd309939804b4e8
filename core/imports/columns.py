"""The columns of a sheet: headings in Chinese, and how a cell's value becomes ours.

Widgets get what the reader found (text, float, bool, date) and raise ValueError with the message that the
user reads at the cell.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from import_export.fields import Field
from import_export.widgets import Widget

from core import clock
from core.reference import normalised

_SPACES = re.compile(r"[\s\u200b\ufeff]+")
_SCIENTIFIC = re.compile(r"^[+-]?\d+(\.\d+)?[eE][+-]?\d+$")
_WIDE = {
    code: chr(code - 0xFEE0)
    for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))
}
# Excel keeps 15 significant digits of a number; what is longer has lost its last ones for good.
_DIGITS_KEPT = 10**15


def tidy(text: str) -> str:
    """Surrounding spaces off, inner ones single, full-width digits and letters made plain."""
    cleaned = "".join(ch for ch in text if ch.isprintable() or ch.isspace())
    return _SPACES.sub(" ", cleaned.translate(_WIDE)).strip()


class Text(Widget):
    """Plain text of at most `most` characters."""

    def __init__(self, most: int = 120) -> None:
        super().__init__()
        self.most = most

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        if isinstance(value, bool | dt.date | dt.time | dt.timedelta):
            raise ValueError(
                "这里应填文字，单元格里却是日期、时间或逻辑值。请把单元格格式改为“文本”后重新填写。"
            )
        text = self.plain(_digits(value) if isinstance(value, float | int) else str(value))
        if len(text) > self.most:
            raise ValueError(f"共 {len(text)} 字，超过上限 {self.most} 字。请缩短。")
        return text

    def plain(self, text: str) -> str:
        return tidy(text)


class Code(Text):
    """An id number kept as text: never rounded, never in scientific notation."""

    def __init__(
        self, most: int = 32, pattern: str = r"[0-9A-Za-z-]+", shape: str = "数字、字母和短横线"
    ) -> None:
        super().__init__(most)
        self.pattern = re.compile(pattern)
        self.shape = shape

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        if isinstance(value, float) and abs(value) >= _DIGITS_KEPT:
            raise ValueError(
                "号码按数字存放，超过15位后的数字已丢失。请把整列设为“文本”格式，再照原件重新填写。"
            )
        text = super().clean(value, row, **kwargs)
        if _SCIENTIFIC.match(text):
            raise ValueError(
                f"号码成了科学计数法（{text}），后面的数字已丢失。请把整列设为“文本”格式，再照原件重新填写。"
            )
        if not self.pattern.fullmatch(text):
            raise ValueError(f"“{_shown(text)}”写法不对，应为{self.shape}。")
        return text

    def plain(self, text: str) -> str:
        return tidy(text).replace(" ", "")


class WholeNumber(Widget):
    """A whole number from `least` to `most`."""

    def __init__(self, least: int, most: int, unit: str = "") -> None:
        super().__init__()
        self.least, self.most, self.unit = least, most, unit

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> int:
        if isinstance(value, bool | dt.date | dt.time | dt.timedelta):
            raise ValueError(
                "这里应填整数，单元格里却是日期、时间或逻辑值。请把单元格格式改为“常规”后重新填写。"
            )
        text = _digits(value) if isinstance(value, float | int) else normalised(str(value)).replace(",", "")
        if self.unit:
            text = text.removesuffix(self.unit)
        if not re.fullmatch(r"[+-]?[0-9]{1,15}", text):
            raise ValueError(f"“{_shown(str(value))}”不是整数。请填 {self.least} 到 {self.most} 之间的整数。")
        number = int(text)
        if number < 0 <= self.least:
            raise ValueError(f"不能是负数（{number}）。请填 {self.least} 到 {self.most} 之间的整数。")
        if not self.least <= number <= self.most:
            raise ValueError(f"{number} 超出范围。请填 {self.least} 到 {self.most} 之间的整数。")
        return number


class Choice(Text):
    """One of `choices` (text → value), also under other writings (`aliases`)."""

    def __init__(self, choices: dict[str, Any], aliases: dict[str, Any] | None = None) -> None:
        super().__init__()
        self.choices = choices
        self.known = {normalised(text): value for text, value in {**choices, **(aliases or {})}.items()}

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        text = super().clean(value, row, **kwargs)
        if (key := normalised(text)) in self.known:
            return self.known[key]
        raise ValueError(f"不认识“{_shown(text)}”。请从这些中选一个：{'、'.join(self.choices)}。")


class Email(Text):
    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        text = unicodedata.normalize("NFKC", super().clean(value, row, **kwargs)).replace(" ", "")
        if not re.fullmatch(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", text):
            raise ValueError(f"“{_shown(text)}”不是电子邮箱。请按 name@example.cn 的样子填写。")
        return text


class Column(Field):
    """A column of the template. A blank optional cell says nothing: it never clears what is stored."""

    def __init__(
        self,
        attribute: str,
        heading: str,
        widget: Widget,
        *,
        required: bool = False,
        note: str = "",
        options: Sequence[str] = (),
        width: int = 14,
    ) -> None:
        super().__init__(attribute=attribute, column_name=heading, widget=widget)
        self.required, self.note, self.width = required, note, width
        self.options = list(options)

    @property
    def heading(self) -> str:
        return self.column_name

    @property
    def shown_heading(self) -> str:
        return f"{self.heading}*" if self.required else self.heading

    def clean(self, row: Any, **kwargs: Any) -> Any:
        value = row.get(self.heading)
        if value is None or (isinstance(value, str) and not tidy(value)):
            if self.required:
                raise ValueError("必填，不能为空。")
            return None
        return self.widget.clean(value, row=row, **kwargs)


class Moment(Widget):
    """A day with its hour and minute on the province's wall clock; cleans to an instant (UTC).

    A day alone is refused: on which side of a deadline it lies would be a guess.
    """

    SHAPE = re.compile(
        r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?\s*T?(\d{1,2})[:：时](\d{1,2})分?(?:[:：]?(\d{1,2})(?:\.\d+)?秒?)?"
    )

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> dt.datetime:
        if isinstance(value, dt.datetime):
            return clock.at(value.date(), value.time().replace(microsecond=0))
        if isinstance(value, dt.date):
            raise ValueError(
                f"只有日期（{value}），没有时刻，无法判断是否按时。请填到分钟，如 {value} 17:30；确是零点的，请写成文本。"
            )
        text = tidy(str(value)) if isinstance(value, str) else ""
        if not (found := self.SHAPE.fullmatch(text)):
            raise ValueError(f"“{_shown(str(value))}”不是时间。请按 2020-11-20 17:30 的样子填写。")
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
        try:
            return clock.at(dt.date(year, month, day), dt.time(hour, minute, second))
        except ValueError:
            raise ValueError(f"“{_shown(text)}”不是实有的日期或时刻。请核对。") from None


class Day(Widget):
    """A day, as a date or as text."""

    SHAPE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> dt.date:
        if isinstance(value, dt.datetime):
            return value.date()
        if isinstance(value, dt.date):
            return value
        found = self.SHAPE.fullmatch(tidy(value)) if isinstance(value, str) else None
        try:
            return dt.date(*(int(part) for part in found.groups())) if found else self._refuse(value)
        except ValueError:
            return self._refuse(value)

    def _refuse(self, value: Any) -> dt.date:
        raise ValueError(f"“{_shown(str(value))}”不是日期。请按 2020-11-20 的样子填写。") from None


def _digits(number: float | int) -> str:
    """Integers come from the reader as floats: `4114010108.0` is 4114010108."""
    if isinstance(number, float) and number.is_integer() and abs(number) < 1e21:
        return str(int(number))
    return str(number)


def _shown(text: str) -> str:
    return text if len(text) <= 30 else text[:30] + "…"
