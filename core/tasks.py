"""Scheduled work of core: thin, counted, safe to run twice."""

from celery import shared_task
from django.core.management import call_command

from core import clock, delivery, slots


@shared_task
def deliver_notices() -> None:
    if slot := slots.claim("deliver_notices"):
        delivery.deliver(clock.now())
        slots.finish(slot)


@shared_task
def clear_sessions() -> None:
    """Sessions that have ended, and old claims of beat entries."""
    if slot := slots.claim("clear_sessions"):
        call_command("clearsessions")
        slots.purge()
        slots.finish(slot)
