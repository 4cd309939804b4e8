"""The portal's one clock, and the province's calendar days.

Instants are aware datetimes in UTC; days are days of Asia/Shanghai (settings.TIME_ZONE), whatever
the zone of the machine. With demonstration data the clock runs on from a stored "today"
(`ClockOrigin`); sign-in sessions and tokens keep real time.
"""

import datetime as dt
import time
from zoneinfo import ZoneInfo

from django.conf import settings

PROVINCE_ZONE = ZoneInfo(settings.TIME_ZONE)
# A process learns of a changed origin within this many seconds; a page asks the database no oftener.
_ORIGIN_MAX_AGE = 30.0

_shift = dt.timedelta()
_shift_read_at: float | None = None
_is_demonstration = False


def real_now() -> dt.datetime:
    """The machine's instant, in UTC."""
    return dt.datetime.now(dt.UTC)


def now() -> dt.datetime:
    """The portal's instant, in UTC."""
    _read_origin()
    return real_now() + _shift


def is_demonstration() -> bool:
    """Whether the clock runs on from the stored "today" of demonstration data."""
    _read_origin()
    return _is_demonstration


def _read_origin() -> None:
    global _shift, _shift_read_at, _is_demonstration
    if _shift_read_at is None or time.monotonic() - _shift_read_at > _ORIGIN_MAX_AGE:
        from core.models import ClockOrigin

        origin = ClockOrigin.objects.order_by("pk").last()
        _shift = origin.portal_at - origin.real_at if origin else dt.timedelta()
        _is_demonstration = origin is not None
        _shift_read_at = time.monotonic()


def forget_origin() -> None:
    """Read the stored origin again at the next `now()`."""
    global _shift_read_at
    _shift_read_at = None


def local(instant: dt.datetime) -> dt.datetime:
    """`instant` on the province's wall clock."""
    return instant.astimezone(PROVINCE_ZONE)


def today() -> dt.date:
    """The province's calendar day at `now()`."""
    return local(now()).date()


def at(day: dt.date, time_of_day: dt.time = dt.time()) -> dt.datetime:
    """The instant (UTC) of a wall-clock time of the province; by default the day's first instant."""
    return dt.datetime.combine(day, time_of_day, tzinfo=PROVINCE_ZONE).astimezone(dt.UTC)
