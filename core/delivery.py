"""Carrying notices by mail. The row is the truth: a mail that fails is tried again, up to MAX_ATTEMPTS."""

import datetime as dt
import logging
import smtplib
from itertools import groupby
from typing import NamedTuple

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models import F

from core.models import Notice

log = logging.getLogger(__name__)

DIGEST_ABOVE = 5
RECIPIENTS_PER_RUN = 200
# A claim holds this long: longer than any mail takes. Each further attempt waits twice as long.
CLAIM = dt.timedelta(minutes=5)


class Counts(NamedTuple):
    mails: int
    notices: int
    failures: int


def deliver(at: dt.datetime) -> Counts:
    """Mail what is due at `at`, if a mail server is named; more than DIGEST_ABOVE for one person in one mail.

    Two workers at once send once: each notice is claimed by a conditional update before it is sent.
    """
    counts = Counts(0, 0, 0)
    if not settings.EMAIL_ENABLED:
        return counts
    due = Notice.objects.deliverable(at)
    recipients = list(
        due.order_by("recipient_id").values_list("recipient_id", flat=True).distinct()[:RECIPIENTS_PER_RUN]
    )
    rows = (
        due.filter(recipient__in=recipients)
        .select_related("recipient")
        .order_by("recipient_id", "created_at", "pk")
    )
    connection = get_connection()
    try:
        connection.open()
    except OSError as error:
        # Nothing is claimed: a server that is down for a day makes no notice be given up.
        log.warning("mail server cannot be reached: %s", error)
        return counts
    try:
        for _, mine in groupby(rows, key=lambda notice: notice.recipient_id):
            counts = Counts(*map(sum, zip(counts, _deliver_to_one(list(mine), at, connection), strict=True)))
    finally:
        connection.close()
    if counts.mails or counts.failures:
        log.info("notices mailed: %d in %d mails, %d failures", counts.notices, counts.mails, counts.failures)
    return counts


def _deliver_to_one(mine: list[Notice], at: dt.datetime, connection: BaseEmailBackend) -> Counts:
    claimed = [notice for notice in mine if _claim(notice, at)]
    together = len(claimed) > DIGEST_ABOVE
    mails = failures = delivered = 0
    for batch in [claimed] if together else [[notice] for notice in claimed]:
        rows = Notice.objects.filter(pk__in=[notice.pk for notice in batch])
        try:
            _mail(batch, connection).send()
        except (smtplib.SMTPException, OSError, ValueError) as error:
            rows.update(last_error=f"{type(error).__name__}: {error}"[:200])
            connection.close()
            failures += 1
        else:
            rows.update(mailed_at=at, last_error="")
            mails += 1
            delivered += len(batch)
    return Counts(mails, delivered, failures)


def _claim(notice: Notice, at: dt.datetime) -> bool:
    # `attempts` is as it was read: whoever claimed in between has raised it.
    mine = Notice.objects.filter(pk=notice.pk, attempts=notice.attempts, mailed_at=None)
    return bool(mine.update(attempts=F("attempts") + 1, retry_at=at + CLAIM * 2**notice.attempts))


def _mail(batch: list[Notice], connection: BaseEmailBackend) -> EmailMessage:
    recipient = batch[0].recipient
    subject = f"您有 {len(batch)} 条新通知" if len(batch) > 1 else " ".join(batch[0].text.split())[:60]
    lines = [f"{notice.text}\n{settings.SITE_URL}{notice.link or '/'}" for notice in batch]
    ending = f"登录平台查看：{settings.SITE_URL}/\n不想再收到邮件，可在账号页面关闭“接收邮件通知”。"
    return EmailMessage(
        subject=f"[{settings.PORTAL_NAME}] {subject}",
        body="\n\n".join([f"{recipient.name}，您好：", *lines, ending]),
        to=[recipient.email],
        connection=connection,
    )
