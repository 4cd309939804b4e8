"""Which periods of a kind a page shows."""

from obligations.models import ObligationKind, Period


def opened_periods(newest: int | None = None, *, kind: str = ObligationKind.WEEKLY_REPORT) -> list[Period]:
    """Periods of a kind that have opened, newest first: all, or so many of the newest."""
    opened = Period.objects.filter(kind=kind, opened_at__isnull=False)
    return list(opened.order_by("-starts_on")[:newest])


def current_period(periods: list[Period]) -> Period | None:
    """The oldest that is still to be closed: on a Monday last week's goes before the new one.

    The newest, where all are closed. `periods` are newest first.
    """
    waiting = [period for period in periods if period.closed_at is None]
    return waiting[-1] if waiting else next(iter(periods), None)


def window(periods: list[Period], *, weeks: int, year: int | None = None) -> list[Period]:
    """The newest `weeks` of `periods` (newest first), or all of a year (for weeks ISO); oldest first."""
    chosen = [period for period in periods if period.year == year] if year else periods[:weeks]
    return chosen[::-1]


def between(periods: list[Period], first: str, last: str) -> list[Period]:
    """From one key to the other, in whichever order they were given, oldest first; `periods` newest first.

    An unknown key stands for the other; two unknown ones for the newest closed period, or the newest.
    """
    keys = {period.key: index for index, period in enumerate(periods)}
    closed = next((index for index, period in enumerate(periods) if period.closed_at), 0)
    start = keys.get(first, keys.get(last, closed))
    end = keys.get(last, start)
    return periods[min(start, end) : max(start, end) + 1][::-1]
