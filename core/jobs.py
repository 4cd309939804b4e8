"""Long work as a row: claimed by conditional update, with heartbeat and progress, repeated when abandoned.

An app registers a runner for each kind of job. A runner may be repeated from its start: what it writes goes
in one transaction together with `finish`, so that work done twice is done once.
"""

import datetime as dt
import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import F, Q
from django.urls import reverse

from core import clock, notices
from core.models import Job

logger = logging.getLogger(__name__)

# Longer than any transaction of a runner: while one runs on SQLite, no heartbeat can be written.
STALE_AFTER = dt.timedelta(minutes=5)
MAX_ATTEMPTS = 3

Runner = Callable[[Job], None]
_runners: dict[str, tuple[str, Runner]] = {}
_important: set[str] = set()


class JobRefused(Exception):
    """The work cannot be done; the text is what the user reads."""


class LostClaim(Exception):
    """Another worker has taken the job over; what this one wrote must be rolled back."""


def register(kind: str, title: str, runner: Runner, *, important: bool = False) -> None:
    """`title` is what the user reads, such as 院校名册导入; the end of `important` work is told to the
    organisation's robot too."""
    _runners[kind] = (title, runner)
    if important:
        _important.add(kind)


def title(job: Job) -> str:
    return _runners[job.kind][0]


def create(*, kind: str, arguments: dict[str, Any], total_steps: int = 0, by: Any, at: dt.datetime) -> Job:
    """A queued job. `enqueue` hands it to a worker; `run` does it here and now."""
    return Job.objects.create(
        kind=kind,
        arguments=arguments,
        total_steps=total_steps,
        created_by=by,
        created_at=at,
        heartbeat_at=clock.real_now(),
    )


def enqueue(job: Job) -> None:
    """To a worker, once the current transaction is committed; the task carries only the id."""
    from core import tasks

    task: Any = tasks.run_job
    task.delay_on_commit(str(job.pk))


def run(job_id: UUID | str) -> bool:
    """Claim and do the job. False when it is not there to be claimed."""
    job = _claim(job_id)
    if job is None:
        return False
    try:
        _runners[job.kind][1](job)
    except LostClaim:
        logger.warning("job %s was taken over", job.pk)
    except JobRefused as refusal:
        _fail(job, str(refusal))
    except Exception:
        logger.exception("job %s (%s) failed", job.pk, job.kind)
        _fail(job, "系统处理时出错，没有写入任何数据。请重试；仍然出错时，请把本页地址告诉推进办。")
    return True


def beat(job: Job, done_steps: int, total_steps: int) -> None:
    """Show progress and that the worker lives. Not inside a transaction: nobody would see it."""
    _mine(job).update(heartbeat_at=clock.real_now(), done_steps=done_steps, total_steps=total_steps)


def finish(job: Job, result: dict[str, Any], *, at: dt.datetime) -> None:
    """Raises LostClaim."""
    done = _mine(job).update(
        state=Job.State.DONE, result=result, error="", finished_at=at, done_steps=F("total_steps")
    )
    if not done:
        raise LostClaim


def again(job: Job, arguments: dict[str, Any]) -> bool:
    """Queue a finished job for its next step. False when somebody was quicker (a double click)."""
    return bool(
        Job.objects.filter(pk=job.pk, state=Job.State.DONE, finished_at=job.finished_at).update(
            state=Job.State.QUEUED, arguments=arguments, attempt=0, heartbeat_at=clock.real_now()
        )
    )


def resume(*, at: dt.datetime) -> list[Job]:
    """Give up or queue again what no worker has touched since `at` (real time) − STALE_AFTER.

    Returns the jobs to be handed to a worker.
    """
    stale = Job.objects.filter(
        Q(heartbeat_at__lt=at - STALE_AFTER) | Q(heartbeat_at=None),
        state__in=[Job.State.QUEUED, Job.State.RUNNING],
    )
    for job in stale.filter(attempt__gte=MAX_ATTEMPTS).order_by("created_at"):
        _fail(
            job, f"处理中断了 {MAX_ATTEMPTS} 次，已停止，没有写入任何数据。请重新提交；内容很多时请分成几份。"
        )
        announce(job.pk)
    again_due = stale.filter(attempt__lt=MAX_ATTEMPTS)
    return [
        job
        for job in again_due.order_by("created_at")
        if again_due.filter(pk=job.pk).update(state=Job.State.QUEUED, heartbeat_at=at)
    ]


def announce(job_id: UUID | str) -> None:
    """Tell whoever started it how it ended: they may have left the page. Once for each ending."""
    job = Job.objects.get(pk=job_id)
    if job.state not in {Job.State.DONE, Job.State.FAILED}:
        return
    ending = "已完成，请查看结果" if job.state == Job.State.DONE else "没有完成，请查看原因"
    message = notices.Message(
        job.created_by_id,
        f"job:{job.pk}:{job.arguments.get('step', '')}:{job.finished_at:%Y%m%d%H%M%S}",
        f"{title(job)}{ending}。",
        reverse("core:job", args=[job.pk]),
        important=job.kind in _important,
    )
    notices.tell([message], at=clock.now())


def _claim(job_id: UUID | str) -> Job | None:
    claimed = Job.objects.filter(pk=job_id, state=Job.State.QUEUED).update(
        state=Job.State.RUNNING, attempt=F("attempt") + 1, heartbeat_at=clock.real_now(), done_steps=0
    )
    return Job.objects.select_related("created_by").get(pk=job_id) if claimed else None


def _mine(job: Job) -> Any:
    return Job.objects.filter(pk=job.pk, state=Job.State.RUNNING, attempt=job.attempt)


def _fail(job: Job, error: str) -> None:
    open_states = [Job.State.QUEUED, Job.State.RUNNING]
    Job.objects.filter(pk=job.pk, state__in=open_states, attempt=job.attempt).update(
        state=Job.State.FAILED, error=error, finished_at=clock.now()
    )
