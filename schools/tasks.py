"""What beat sets off. Thin: claim the slot, call the service, log what it did."""

import datetime as dt
import logging

from celery import shared_task

from core import clock, slots
from schools.services import duties, opinions, renewals

log = logging.getLogger(__name__)

# This far behind the clock, longer than any request may run: what was handed in before the closing has its
# version by the time the job looks.
LAG = dt.timedelta(seconds=60)


@shared_task
def lapse_applications() -> None:
    """Once a minute: applications that were begun and not handed in by their closing are not owed any more."""
    slot = slots.claim("lapse-applications")
    if slot is None:
        return
    count = duties.lapse(clock.now() - LAG)
    slots.finish(slot)
    if count:
        log.info("applications lapsed: %s", count)


@shared_task
def owe_renewals() -> None:
    """Once an hour: agreements about to expire are to be renewed, those renewed are done."""
    slot = slots.claim("owe-renewals")
    if slot is None:
        return
    settled = renewals.owe_renewals(at=clock.now() - LAG)
    slots.finish(slot)
    if any(settled):
        log.info("renewals owed: %s, settled: %s", *settled)


@shared_task
def remind_experts() -> None:
    """Every ten minutes: opinions due within a day; who was told of a date is not told again."""
    slot = slots.claim("remind-experts")
    if slot is None:
        return
    opinions.remind(at=clock.now())
    slots.finish(slot)
