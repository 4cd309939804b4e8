"""What beat sets off. Thin: claim the slot, call the service, log what it did."""

import logging

from celery import shared_task

from core import clock, slots
from reporting import sweep as sweeping

log = logging.getLogger(__name__)


@shared_task
def sweep() -> None:
    """One sweep a minute, a minute behind the clock, by whoever claims the slot."""
    slot = slots.claim("sweep")
    if slot is None:
        return
    counts = sweeping.sweep(clock.now() - sweeping.LAG)
    slots.finish(slot)
    if any(counts.as_dict().values()):
        log.info("sweep %s", counts.as_dict())
