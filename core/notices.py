"""Notices: rows first, then channels.

A row is unique by (recipient, key), the key naming the matter and the step, so telling twice tells once.
"""

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import NamedTuple

from django.db.models import QuerySet

from core.models import Notice


class Message(NamedTuple):
    recipient_id: uuid.UUID
    key: str
    text: str
    link: str = ""
    # Also for the robot of the recipient's organisation; the text names no person.
    important: bool = False


def tell(messages: Iterable[Message], *, at: dt.datetime) -> None:
    """Write the notices that are not there yet."""
    Notice.objects.bulk_create(
        [
            Notice(
                recipient_id=m.recipient_id,
                key=m.key,
                text=m.text[:500],
                link=m.link,
                created_at=at,
                important=m.important,
            )
            for m in messages
        ],
        ignore_conflicts=True,
        batch_size=1000,
    )


def digest(messages: Iterable[Message], *, key: str, summary: str, link: str, most: int = 5) -> list[Message]:
    """The same messages, but more than `most` for one recipient become one.

    `summary` is formatted with `count`; `key` names the matter of the digest, important if one of them is.
    """
    by_recipient: dict[uuid.UUID, list[Message]] = {}
    for message in messages:
        by_recipient.setdefault(message.recipient_id, []).append(message)
    out: list[Message] = []
    for recipient_id, mine in by_recipient.items():
        if len(mine) > most:
            important = any(message.important for message in mine)
            out.append(Message(recipient_id, key, summary.format(count=len(mine)), link, important))
        else:
            out.extend(mine)
    return out


def mark_read(notices: QuerySet[Notice], *, at: dt.datetime) -> int:
    """How many were unread until now. Reading is one's own matter: no event."""
    return notices.filter(read_at=None).update(read_at=at)
