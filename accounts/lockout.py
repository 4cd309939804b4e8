"""Whether too many wrong passwords have locked an account. Locks keep real time."""

import datetime as dt

from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Max, Sum

from accounts.models import User
from core import clock


def until(username: str) -> dt.datetime | None:
    """The end of the lock on this sign-in name, from wherever it was tried; None if there is none."""
    cool_off = get_cool_off() or dt.timedelta()
    attempts = AccessAttempt.objects.filter(username=username, attempt_time__gt=clock.real_now() - cool_off)
    # One row for each browser: failures count together by address, as the lock does.
    by_address = (
        attempts.order_by()
        .values("ip_address")
        .annotate(failures=Sum("failures_since_start"), last=Max("attempt_time"))
    )
    locked = [row["last"] for row in by_address if row["failures"] >= settings.AXES_FAILURE_LIMIT]
    return max(locked) + cool_off if locked else None


def is_locked(user: User) -> bool:
    return until(user.username) is not None
