"""The home's many small figures, put together as text: a template takes ten times as long for them.

Nothing here comes from a user but numbers, and labels of periods.
"""

from dataclasses import dataclass

from django.utils.safestring import SafeString, mark_safe

from obligations.models import Period
from obligations.rates import Rate

LOW = 80


def rate_cells(rates: list[Rate], *, low: bool = True) -> SafeString:
    """One table cell a rate; closed weeks below LOW per cent stand out if `low`."""
    cells = "".join(f'<td class="number{_mark(rate) if low else ""}">{rate.text}</td>' for rate in rates)
    return mark_safe(cells)  # noqa: S308


def _mark(rate: Rate) -> str:
    is_low = rate.owed and not rate.pending and (rate.percent or 0) < LOW
    return " low" if is_low else ""


@dataclass
class Trend:
    """The share filed on time and late, week by week: bars 100 units high, and the same as a table."""

    STEP = 26
    HEIGHT = 100
    weeks: list[tuple[Period, Rate]]

    @property
    def width(self) -> int:
        return len(self.weeks) * self.STEP

    @property
    def bars(self) -> SafeString:
        return mark_safe("".join(self._bar(n, *week) for n, week in enumerate(self.weeks)))  # noqa: S308

    def _bar(self, index: int, period: Period, rate: Rate) -> str:
        x = index * self.STEP
        on_time, late = (
            round(part * self.HEIGHT / rate.owed) if rate.owed else 0 for part in (rate.on_time, rate.late)
        )
        return (
            f'<g transform="translate({x} 100) scale(1 -1)">'
            f'<rect class="trend-on-time" x="4" y="0" width="18" height="{on_time}"></rect>'
            f'<rect class="trend-late" x="4" y="{on_time}" width="18" height="{late}"></rect></g>'
            f'<text x="{x}" dx="13" y="114" text-anchor="middle">{period.starts_on.isocalendar().week}</text>'
        )

    @property
    def rows(self) -> SafeString:
        return mark_safe("".join(self._row(*week) for week in self.weeks))  # noqa: S308

    def _row(self, period: Period, rate: Rate) -> str:
        figures = [
            rate.owed, rate.on_time, rate.late, rate.pending, rate.missed, rate.filled, rate.excused,
            rate.exempt, rate.text,
        ]  # fmt: skip
        cells = "".join(f'<td class="number">{figure}</td>' for figure in figures)
        return f'<tr><th scope="row">{period.label}</th>{cells}</tr>'
