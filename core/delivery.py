"""Carrying notices by mail and by robot. The notice is the truth; a delivery says how far it came.

At least once: a worker killed between sending and marking leaves a claim that ends, and it is sent again.
Two workers at once send once: each delivery is claimed by a conditional update before it is sent.
"""

import datetime as dt
import logging
import smtplib
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import NamedTuple

from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from core.channels import mails, robots
from core.models import Delivery, Notice, Robot

log = logging.getLogger(__name__)

DIGEST_ABOVE = 5
RECIPIENTS_PER_RUN = 200
QUEUED_PER_RUN = 10_000
# A claim holds this long: longer than any sending takes. Each further attempt waits twice as long.
CLAIM = dt.timedelta(minutes=5)
MAX_ATTEMPTS = 8
# Switching a channel on, or bringing it back after long, does not send what is long past.
KEPT = dt.timedelta(days=3)
UNSENT = (smtplib.SMTPException, OSError, ValueError, robots.NotTaken)


class Counts(NamedTuple):
    """What one run did: messages sent, deliveries in them, messages that failed."""

    messages: int
    delivered: int
    failures: int


def deliver(at: dt.datetime) -> Counts:
    """Send what is due at `at` on the channels that the operator has opened."""
    _end_what_is_past(at)
    counts = [_deliver_mail(at), *_deliver_to_robots(at)]
    total = Counts(*map(sum, zip(*counts, strict=True)))
    if total.messages or total.failures:
        log.info(
            "notices sent: %d in %d messages, %d failures", total.delivered, total.messages, total.failures
        )
    return total


def _end_what_is_past(at: dt.datetime) -> None:
    waiting = Delivery.objects.due(at)
    # The second: its last claimant died.
    waiting.filter(Q(queued_at__lte=at - KEPT) | Q(attempts__gte=MAX_ATTEMPTS)).update(
        state=Delivery.State.GIVEN_UP
    )
    unwanted = ~Exists(Notice.objects.wanted_by_mail().filter(pk=OuterRef("notice")))
    waiting.filter(unwanted, robot=None).update(state=Delivery.State.DROPPED)


def _deliver_mail(at: dt.datetime) -> Counts:
    """More than DIGEST_ABOVE for one person go in one mail."""
    counts = Counts(0, 0, 0)
    if not settings.EMAIL_ENABLED:
        return counts
    mailed = Delivery.objects.filter(notice=OuterRef("pk"), robot=None)
    _queue(Notice.objects.wanted_by_mail().filter(~Exists(mailed)), None, at)
    due = Delivery.objects.due(at).filter(robot=None)
    recipients = due.order_by("notice__recipient").values_list("notice__recipient", flat=True)
    rows = due.filter(notice__recipient__in=list(recipients.distinct()[:RECIPIENTS_PER_RUN]))
    if not rows:
        return counts
    connection = get_connection()
    try:
        connection.open()
    except OSError as error:
        # Nothing is claimed: a server that is down for a day makes no mail be given up.
        log.warning("mail server cannot be reached: %s", error)
        due.update(last_error=f"邮件服务器连不上：{type(error).__name__}")
        return counts
    rows = rows.select_related("notice__recipient").order_by("notice__recipient", "notice__created_at", "pk")
    try:
        for _, mine in groupby(rows, key=lambda row: row.notice.recipient_id):
            counts = Counts(*map(sum, zip(counts, _mail_one(list(mine), at, connection), strict=True)))
    finally:
        connection.close()
    return counts


def _mail_one(mine: list[Delivery], at: dt.datetime, connection: BaseEmailBackend) -> Counts:
    claimed = [row for row in mine if _claim(row, at)]
    together = len(claimed) > DIGEST_ABOVE
    counts = Counts(0, 0, 0)
    for batch in [claimed] if together else [[row] for row in claimed]:
        mail = mails.compose([row.notice for row in batch], connection)
        sent = _send(batch, mail.send, at)
        if sent.failures:
            connection.close()
        counts = Counts(*map(sum, zip(counts, sent, strict=True)))
    return counts


def _deliver_to_robots(at: dt.datetime) -> list[Counts]:
    """To each robot in one message what is important and due."""
    if not settings.WEBHOOK_ALLOWED_HOSTS:
        return []
    counts = []
    for robot in Robot.objects.filter(on_since__isnull=False):
        told = Delivery.objects.filter(robot=robot, key=OuterRef("key"))
        of_theirs = Notice.objects.filter(
            ~Exists(told),
            important=True,
            created_at__gte=robot.on_since,
            recipient__organization=robot.organization_id,
        )
        _queue(of_theirs, robot, at)
        due = Delivery.objects.due(at).filter(robot=robot).select_related("notice")
        claimed = [row for row in due.order_by("notice__created_at", "pk") if _claim(row, at)]
        if claimed:
            text = robots.compose([row.notice.text for row in claimed])
            counts.append(_send(claimed, partial(robots.send, robot, text), at))
    return counts


def _queue(notices: QuerySet[Notice], robot: Robot | None, at: dt.datetime) -> None:
    """A delivery for each of the younger notices; where two have one key, for one of them."""
    young = notices.filter(created_at__gt=at - KEPT).order_by("pk").values_list("pk", "key")
    Delivery.objects.bulk_create(
        [Delivery(notice_id=pk, robot=robot, key=key, queued_at=at) for pk, key in young[:QUEUED_PER_RUN]],
        ignore_conflicts=True,
        batch_size=1000,
    )


def _claim(row: Delivery, at: dt.datetime) -> bool:
    # `attempts` is as it was read: whoever claimed in between has raised it.
    mine = Delivery.objects.due(at).filter(pk=row.pk, attempts=row.attempts)
    retry_at = at + CLAIM * 2**row.attempts
    return bool(mine.update(state=Delivery.State.QUEUED, attempts=F("attempts") + 1, retry_at=retry_at))


def _send(batch: Sequence[Delivery], send: Callable[[], object], at: dt.datetime) -> Counts:
    rows = Delivery.objects.filter(pk__in=[row.pk for row in batch])
    try:
        send()
    except UNSENT as error:
        words = str(error) if isinstance(error, robots.NotTaken) else mails.words(error)
        rows.update(state=Delivery.State.FAILED, last_error=words[:200])
        rows.filter(attempts__gte=MAX_ATTEMPTS).update(state=Delivery.State.GIVEN_UP)
        return Counts(0, 0, 1)
    rows.update(state=Delivery.State.SENT, sent_at=at, last_error="")
    return Counts(1, len(batch), 0)
