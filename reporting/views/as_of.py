"""A school's record as it stood on a day: to be read and printed."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.models import Organization
from core import clock
from core.templatetags import portal
from reporting import as_of


def instant_of(text: str) -> dt.datetime | None:
    """The end of a day given as `2020-11-24`, or an ISO instant with its zone; None for anything else."""
    try:
        return clock.at(dt.date.fromisoformat(text) + dt.timedelta(days=1)) - dt.timedelta(microseconds=1)
    except (ValueError, OverflowError):
        pass
    try:
        # A plus sign that nobody encoded arrives as a space.
        instant = dt.datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        return None
    return instant if instant.tzinfo else None


def record(request: HttpRequest, organization: Organization, text: str) -> HttpResponse:
    at = instant_of(text)
    now = clock.now()
    if at is None or (at > now and clock.local(at).date() > clock.local(now).date()):
        reason = "还没有到这一天" if at else "请写成 2020-11-24，或带时区的时刻"
        messages.error(request, f"不能按“{text[:40]}”查看：{reason}。")
        return redirect("reporting:history", organization.pk)
    found = as_of.as_of(organization, min(at, now))
    context: dict[str, Any] = {
        "organization": organization,
        "record": found,
        "as_of_words": _words(text, found.at),
        "day": f"{clock.local(found.at):%Y-%m-%d}",
        "today": f"{clock.local(now):%Y-%m-%d}",
        "printed_at": now,
    }
    return render(request, "reporting/weekly/as_of.html", context)


def _words(text: str, at: dt.datetime) -> str:
    """`2020年11月24日` for a day, with the hour for an instant."""
    return portal.exact(at) if "T" in text else f"{clock.local(at):%Y年%-m月%-d日}"
