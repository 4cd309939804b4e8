"""Which weekly periods a page shows."""

from obligations.models import ObligationKind, Period


def opened_periods() -> list[Period]:
    """Weekly periods that have opened, newest first."""
    return list(
        Period.objects.filter(kind=ObligationKind.WEEKLY_REPORT, opened_at__isnull=False).order_by(
            "-starts_on"
        )
    )


def current_period(periods: list[Period]) -> Period | None:
    """The oldest that is still to be closed: on a Monday last week's goes before the new one.

    The newest, where all are closed. `periods` are newest first.
    """
    waiting = [period for period in periods if period.closed_at is None]
    return waiting[-1] if waiting else next(iter(periods), None)


def window(periods: list[Period], *, weeks: int, year: int | None = None) -> list[Period]:
    """The newest `weeks` of `periods` (newest first), or all of an ISO year; oldest first."""
    if year:
        chosen = [period for period in periods if period.starts_on.isocalendar().year == year]
    else:
        chosen = periods[:weeks]
    return chosen[::-1]
