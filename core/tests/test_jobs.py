"""Jobs: claimed once, resumed when abandoned, given up in the end. The work here is a note in a list."""

import datetime as dt

import pytest

from core import clock, jobs
from core.models import Job, Notice

done: list[str] = []


def runner(job):
    jobs.beat(job, 1, 2)
    done.append(str(job.pk))
    if job.arguments.get("refuse"):
        raise jobs.JobRefused("不行，因为测试。")
    if job.arguments.get("crash"):
        raise RuntimeError
    jobs.finish(job, {"ok": True}, at=clock.now())


@pytest.fixture(autouse=True)
def _note_runner():
    jobs.register("test.note", "测试任务", runner)
    done.clear()


@pytest.fixture
def make(world):
    def job(**arguments):
        return jobs.create(kind="test.note", arguments=arguments, by=world.office, at=clock.now())

    return job


def test_a_job_is_done_once(make):
    job = make()
    assert jobs.run(job.pk)
    assert not jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.result, done) == ("done", {"ok": True}, [str(job.pk)])


@pytest.mark.parametrize(
    ("arguments", "words"), [({"refuse": 1}, "因为测试"), ({"crash": 1}, "没有写入任何数据")]
)
def test_what_fails_says_so_and_is_told_once(make, arguments, words):
    job = make(**arguments)
    jobs.run(job.pk)
    jobs.announce(job.pk)
    jobs.announce(job.pk)
    job.refresh_from_db()
    assert job.state == "failed"
    assert words in job.error
    assert Notice.objects.get().link == f"/jobs/{job.pk}/"


def test_an_abandoned_job_is_queued_again_and_given_up_in_the_end(make):
    job = make()
    now = clock.real_now()
    assert jobs.resume(at=now) == []
    for attempt in (1, 2, 3):
        Job.objects.filter(pk=job.pk).update(
            state="running", attempt=attempt, heartbeat_at=now - dt.timedelta(minutes=6)
        )
        resumed = jobs.resume(at=now)
        assert [j.pk for j in resumed] == ([job.pk] if attempt < 3 else [])
    job.refresh_from_db()
    assert job.state == "failed"
    assert "中断了 3 次" in job.error
    assert Notice.objects.count() == 1


def test_who_lost_the_claim_writes_nothing(make):
    job = make()
    claimed = jobs._claim(job.pk)
    Job.objects.filter(pk=job.pk).update(attempt=2)
    with pytest.raises(jobs.LostClaim):
        jobs.finish(claimed, {}, at=clock.now())
