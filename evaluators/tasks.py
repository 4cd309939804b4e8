"""What beat sets off. Thin: claim the slot, call the service, log what it did."""

import logging

from celery import shared_task

from core import clock, slots
from evaluators.services import filings

log = logging.getLogger(__name__)


@shared_task
def owe_filings() -> None:
    """Once an hour: evaluators whose certificates have begun to run in the province owe their filing."""
    slot = slots.claim("owe-evaluator-filings")
    if slot is None:
        return
    count = filings.owe_filings(at=clock.now())
    slots.finish(slot)
    if count:
        log.info("evaluator filings owed: %s", count)
