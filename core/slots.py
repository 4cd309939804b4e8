"""Beat entries claim their minute: any number of beats and workers do the work once.

Slots are locks, so they keep the machine's time, not the demonstration's.
"""

import datetime as dt

from core import clock
from core.models import TaskSlot

KEPT = dt.timedelta(days=14)


def claim(task: str) -> TaskSlot | None:
    """The claim on the current minute, or None when another worker has it."""
    minute = clock.real_now().replace(second=0, microsecond=0)
    slot, created = TaskSlot.objects.get_or_create(task=task, slot=minute)
    return slot if created else None


def finish(slot: TaskSlot) -> None:
    slot.finished_at = clock.real_now()
    slot.save(update_fields=["finished_at"])


def last_finished(task: str) -> dt.datetime | None:
    """When a run of `task` last ended (UTC, the machine's time); the health page and the operator ask."""
    finished = TaskSlot.objects.filter(task=task, finished_at__isnull=False).order_by("-slot")
    return finished.values_list("finished_at", flat=True).first()


def purge() -> int:
    """Forget the slots older than KEPT, but for what `last_finished` answers from younger ones."""
    count, _ = TaskSlot.objects.filter(slot__lt=clock.real_now() - KEPT).delete()
    return count
