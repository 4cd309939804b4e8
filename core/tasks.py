"""Scheduled work of core: thin, counted, safe to run twice."""

from celery import shared_task
from django.core.management import call_command

from core import attachments, clock, delivery, jobs, slots


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


@shared_task
def clear_files() -> None:
    """Stored files that belong to no record."""
    if slot := slots.claim("clear_files"):
        attachments.discard_loose(at=clock.real_now())
        slots.finish(slot)


@shared_task
def run_job(job_id: str) -> None:
    """One long piece of work; the row says what, and whether it is still to be done."""
    if jobs.run(job_id):
        jobs.announce(job_id)


@shared_task
def resume_jobs() -> None:
    """Queue again what a dead worker, or a lost message, has left."""
    if slot := slots.claim("resume_jobs"):
        for job in jobs.resume(at=clock.real_now()):
            jobs.enqueue(job)
        slots.finish(slot)
