"""Making a circular: a job with its two files, done at once when small, else by a worker."""

import datetime as dt
from typing import Any

from django.core.files.base import ContentFile
from django.db import transaction
from django.http import QueryDict
from django.urls import reverse

from accounts.models import Organization, OrganizationQuerySet, User
from core import clock, events, jobs
from core.attachments import attach
from core.models import Job
from obligations.models import ObligationKind, Period
from reporting.circular import figures, paper, wording
from reporting.periods import between, opened_periods
from reporting.permissions import may_circulate
from reporting.reporters import kinds_for, reporters

KIND = "reporting.circular"
# Those who report × periods up to which somebody waits for it: some two seconds of work.
AT_ONCE = 3000
STEPS = 3

events.register(circular_made="生成填报情况通报")


def reporters_of(user: User, authority: Organization | None, kind: ObligationKind) -> OrganizationQuerySet:
    """Who reports that kind within the user's scope, or those of one authority among them."""
    found = reporters(user, kind)
    return found.filter(supervisor=authority) if authority else found


def make(
    *, periods: list[Period], authority: Organization | None, number: str, by: User, at: dt.datetime
) -> Job:
    """Start making the Word and Excel files of `periods` (oldest first); the same asked again while it is
    being made is the same job."""
    kind = ObligationKind(periods[0].kind)
    arguments = {
        "kind": kind,
        "from": periods[0].key,
        "to": periods[-1].key,
        "authority": authority.pk if authority else None,
        "number": number,
    }
    open_states = [Job.State.QUEUED, Job.State.RUNNING]
    mine = Job.objects.visible_to(by).filter(kind=KIND, state__in=open_states, arguments=arguments)
    if running := mine.first():
        return running
    job = jobs.create(kind=KIND, arguments=arguments, total_steps=STEPS, by=by, at=at)
    if reporters_of(by, authority, kind).count() * len(periods) <= AT_ONCE:
        jobs.run(job.pk)
    else:
        jobs.enqueue(job)
    return job


def run(job: Job) -> None:
    """Count, write both files, keep them with the job. Raises JobRefused."""
    by, at, asked = job.created_by, clock.now(), job.arguments
    issuer = by.organization
    if issuer is None or not may_circulate(by):
        raise jobs.JobRefused("您的账号已不能生成通报。请联系推进办。")
    authority = _authority(by, asked["authority"])
    kind = _kind(by, asked["kind"])
    periods = between(opened_periods(kind=kind), asked["from"], asked["to"])
    counted = figures.count(reporters_of(by, authority, kind), periods, at=at)
    jobs.beat(job, 1, STEPS)
    whose = authority or (issuer if issuer.kind == Organization.Kind.CITY else None)
    word = paper.word(counted, issuer=issuer, authority=whose, number=asked["number"])
    jobs.beat(job, 2, STEPS)
    excel = paper.excel(counted, issuer=issuer, authority=whose)
    name = f"{counted.label}{counted.noun}填报情况通报" + (f"（{authority.name}）" if authority else "")
    with transaction.atomic():
        for content, extension in [(word, "docx"), (excel, "xlsx")]:
            attach(target=job, upload=ContentFile(content, name=f"{name}.{extension}"), by=by, at=at)
        _record(job, counted, by=by, at=at)
        jobs.finish(job, {"title": wording.title(counted), "back": _page(asked)}, at=at)


def _kind(user: User, asked: str) -> ObligationKind:
    if asked not in kinds_for(user):
        raise jobs.JobRefused("这种报送的填报情况已不在您的范围内。请重新选择种类。")
    return ObligationKind(asked)


def _authority(user: User, pk: int | None) -> Organization | None:
    if pk is None:
        return None
    supervised = Organization.objects.visible_to(user).schools().values("supervisor")
    found = Organization.objects.filter(pk=pk, pk__in=supervised).first()
    if found is None:
        raise jobs.JobRefused("该主管部门的院校已不在您的范围内。请重新选择。")
    return found


def _record(job: Job, counted: figures.Circular, *, by: User, at: dt.datetime) -> None:
    rate = counted.total.rate
    events.record(
        "circular_made",
        job,
        by=by,
        at=at,
        organization_id=by.organization_id,
        target_label=wording.title(counted),
        changes={
            counted.who.noun: len(counted.schools),
            "应报": rate.owed,
            "按时": rate.on_time,
            "迟报": rate.late,
            "未报": rate.missed,
        },
    )


def _page(asked: dict[str, Any]) -> str:
    query = QueryDict(mutable=True)
    query["from"], query["to"] = asked["from"], asked["to"]
    if asked["kind"] != ObligationKind.WEEKLY_REPORT:
        query["kind"] = asked["kind"]
    if asked["authority"]:
        query["city"] = str(asked["authority"])
    return f"{reverse('reporting:circular')}?{query.urlencode()}"
