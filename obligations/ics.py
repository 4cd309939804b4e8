"""Deadlines as a calendar file (RFC 5545).

An entry is the half hour that ends with the deadline, so that what closes at midnight stands on the day
that is left for it. Instants are UTC. An entry keeps its UID from the day it is known until it is done;
nothing in it names a person, and nothing rings (no VALARM): reminders are the portal's.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Count, Min, Q
from django.urls import reverse

from accounts.models import User
from core.templatetags.portal import closing, state_word
from obligations import handlers, permissions
from obligations.coming import coming
from obligations.models import NOT_OWED, Obligation, ObligationKind, ObligationQuerySet, Outcome, Period

CONTENT_TYPE = "text/calendar; charset=utf-8"
LENGTH = dt.timedelta(minutes=30)
# Longer ago, a calendar shows them no more; the pages that offer it say so.
KEPT = dt.timedelta(days=180)
_FOLD = 75  # octets in a line, its end not counted


class Entry(NamedTuple):
    """`uid` without its domain; `changed_at` is when what is told here was last so."""

    uid: str
    title: str
    text: str
    due_at: dt.datetime
    changed_at: dt.datetime
    address: str
    is_cancelled: bool = False


def calendar(user: User, at: dt.datetime) -> bytes:
    """What `user` may see of deadlines: one's own organisation's and what is given to one each, those of others added up."""
    mine = Q(organization=user.organization_id) | handlers.given_to(user)
    own = Obligation.objects.visible_to(user).filter(mine)
    rows = own.filter(due_at__gte=at - KEPT).select_related("period").order_by("due_at", "pk")
    entries = [_own(row) for row in rows]
    watches = permissions.may_watch_deadlines(user)
    if watches:
        others = Obligation.objects.visible_to(user).exclude(mine)
        entries += _of_others(others.filter(due_at__gte=at - KEPT))
    entries += [
        _ahead(found.period, found.owing, watches=watches, organization_id=user.organization_id)
        for found in coming(user, at)
    ]
    return render(entries)


def etag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _own(row: Obligation) -> Entry:
    """What was done, was not owed or was missed is told so."""
    word = state_word(NOT_OWED) if row.state == NOT_OWED else Outcome(row.outcome).label
    state = "" if row.outcome == Outcome.PENDING else f"（{word}）"
    changed_at = row.received_at or row.filled_at or row.closed_at or row.opens_at
    return Entry(
        _uid(row.kind, row.key, row.organization_id),
        f"{row.title}{state}",
        f"截止：{closing(row.due_at)}。",
        row.due_at,
        changed_at,
        settings.SITE_URL + (row.link or reverse("obligations:deadlines")),
        row.outcome == Outcome.EXEMPT,
    )


def _of_others(rows: ObligationQuerySet) -> Iterator[Entry]:
    """One entry for each kind and deadline, of what is still to be done."""
    sums = (
        rows.pending().order_by().values("kind", "due_at").annotate(n=Count("pk"), opens_at=Min("opens_at"))
    )
    for found in sums.order_by("due_at", "kind"):
        kind = ObligationKind(found["kind"])
        query = {"kind": kind.value, "state": "todo"}
        yield Entry(
            _uid(kind, f"{found['due_at']:%Y%m%dT%H%M%SZ}", "all"),
            f"{kind.label}：{found['n']} 项待办",
            f"截止：{closing(found['due_at'])}。",
            found["due_at"],
            found["opens_at"],
            settings.SITE_URL + reverse("obligations:deadlines", query=query),
        )


def _ahead(period: Period, owing: int, *, watches: bool, organization_id: int | None) -> Entry:
    uid = (
        _uid(period.kind, f"{period.due_at:%Y%m%dT%H%M%SZ}", "all")
        if watches
        else _uid(period.kind, period.key, organization_id)
    )
    owed_by = f"应报 {owing} 家。" if watches else ""
    return Entry(
        uid,
        f"{period}（尚未开始）",
        f"{closing(period.opens_at)}开始，截止：{closing(period.due_at)}。{owed_by}{period.note}",
        period.due_at,
        # When a period was made is not kept; its opening is what it is counted by.
        min(period.opens_at, period.due_at),
        settings.SITE_URL + reverse("obligations:deadlines"),
    )


def _uid(kind: str, key: str, whose: object) -> str:
    return f"{kind}-{key}-{whose}"


# --- the file


def render(entries: Iterable[Entry]) -> bytes:
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:-//{_escaped(settings.PORTAL_NAME)}//ZH",
        "CALSCALE:GREGORIAN",
        f"X-WR-CALNAME:{_escaped(settings.PORTAL_NAME)}截止事项",
        "X-PUBLISHED-TTL:PT1H",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
    ]
    for entry in entries:
        lines += _event(entry)
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def _event(entry: Entry) -> list[str]:
    return [
        "BEGIN:VEVENT",
        f"UID:{_escaped(entry.uid)}@{urlsplit(settings.SITE_URL).hostname}",
        f"DTSTAMP:{_instant(entry.changed_at)}",
        f"DTSTART:{_instant(entry.due_at - LENGTH)}",
        f"DTEND:{_instant(entry.due_at)}",
        f"SUMMARY:{_escaped(entry.title)}",
        f"DESCRIPTION:{_escaped(entry.text)}",
        f"URL:{entry.address}",
        f"STATUS:{'CANCELLED' if entry.is_cancelled else 'CONFIRMED'}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _instant(instant: dt.datetime) -> str:
    return f"{instant.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"


def _escaped(text: str) -> str:
    r"""TEXT of RFC 5545 3.3.11: `\`, `;`, `,` and line ends escaped; other control characters may not stand."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")
    return "".join(letter for letter in text if letter >= " " and letter != "\x7f")


def _folded(line: str) -> bytes:
    """At most 75 octets to a line, no letter torn apart; what follows begins with a space (3.1)."""
    pieces, piece = [], b""
    for letter in line:
        octets = letter.encode()
        if len(piece) + len(octets) > _FOLD:
            pieces.append(piece)
            piece = b" "
        piece += octets
    return b"\r\n".join([*pieces, piece]) + b"\r\n"
