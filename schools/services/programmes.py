"""Starting and ending programmes, setting plans: in sets, because a roster comes in sets; what a school
tells of its courses.

Events of a start, an end and a plan are about the school: a programme started by mistake is taken back
with its import, and its number may then be another's.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Organization, User
from certificates.models import CertificateLevel
from core import attachments, events
from schools import permissions
from schools.models import AnnualPlan, ApplicationItem, Programme, School
from schools.services.schools import BATCH, about, guard, lock

SCHOOL_LEFT = "学校已退出试点"

events.register(
    programme_started="开设试点项目",
    programme_ended="结束试点项目",
    plan_set="设定年度计划",
    courses_changed="登记融入的课程",
)

ENDED = "该试点项目已经结束，不再修改。"
COURSES_ARE_THE_SCHOOLS = (
    "融入课程和人才培养方案由本校联系人登记（晋教职成〔2020〕9号 三.4；鄂教职成办函〔2021〕7号 三.3）。"
)


class Start(NamedTuple):
    """A programme to begin; `origin` is the approved item, none where the office begins it by hand."""

    school: School
    level: CertificateLevel
    origin: ApplicationItem | None = None


class Planned(NamedTuple):
    """A plan to set: `candidates` in all, `carried_over` among them (None: as it stands, none in a new plan).

    `source` is the approved item; none leaves what is recorded.
    """

    programme: Programme
    year: int
    candidates: int
    carried_over: int | None = None
    source: ApplicationItem | None = None


@transaction.atomic
def start_programmes(*, pairs: Sequence[tuple[Any, ...]], by: User, at: dt.datetime) -> list[Programme]:
    """From `at` each school runs the certificate level; `pairs` hold the fields of `Start`.

    Raises IntegrityError where it does already.
    """
    guard(by)
    starts = [Start(*pair) for pair in pairs]
    programmes = Programme.objects.bulk_create(
        [
            Programme(school=s.school, certificate_level=s.level, started_at=at, origin=s.origin)
            for s in starts
        ],
        batch_size=BATCH,
    )
    events.record_many(
        about("programme_started", p.school, by, at, changes={"证书": str(p.certificate_level)})
        for p in programmes
    )
    return programmes


@transaction.atomic
def start_programme(
    *,
    school: School,
    level: CertificateLevel,
    by: User,
    at: dt.datetime,
    origin: ApplicationItem | None = None,
) -> Programme:
    """Raises ValidationError where it is running already."""
    lock([school.pk])
    if school.programmes.running_at(at).filter(certificate_level=level).exists():
        raise ValidationError({"certificate_level": "该校已有此证书等级的试点项目。"})
    return start_programmes(pairs=[Start(school, level, origin)], by=by, at=at)[0]


@transaction.atomic
def end_programme(*, programme: Programme, reason: str, by: User, at: dt.datetime) -> Programme:
    """From `at` on the school no longer runs it; what it reported stays. Raises ValidationError."""
    guard(by)
    ended = Programme.objects.filter(pk=programme.pk, ended_at=None, started_at__lt=at).update(ended_at=at)
    if not ended:
        raise ValidationError("该试点项目已经结束，或尚未开始。")
    programme.ended_at = at
    changes = {"证书": str(programme.certificate_level)}
    events.record_many([about("programme_ended", programme.school, by, at, changes=changes, reason=reason)])
    return programme


@transaction.atomic
def end_all(*, organization: Organization, left_at: dt.datetime, by: User, at: dt.datetime) -> None:
    """Of a school that is out of the pilot, since `left_at`: from `at` on, when that is known. Programmes are seen
    by evaluators: why the school left is not said there."""
    for programme in _running(organization).select_for_update(of=("self",)):
        end_programme(programme=programme, reason=SCHOOL_LEFT, by=by, at=at)


def ending_words(organization: Organization) -> list[str]:
    return [f"试点项目：{programme}" for programme in _running(organization)]


def _running(organization: Organization) -> QuerySet[Programme]:
    rows = Programme.objects.filter(school=organization.pk, ended_at=None).order_by("pk")
    return rows.select_related("school__organization", "certificate_level__certificate")


@transaction.atomic
def set_annual_plans(
    *, plans: Sequence[tuple[Any, ...]], by: User, at: dt.datetime
) -> tuple[list[AnnualPlan], list[tuple[AnnualPlan, int]]]:
    """`plans` hold the fields of `Planned`. Returns the plans made, and those changed with their old numbers.

    Raises ValidationError where more would be carried over than planned.
    """
    guard(by)
    wanted = [Planned(*plan) for plan in plans]
    kept = {
        (plan.programme_id, plan.year): plan
        for plan in AnnualPlan.objects.filter(programme__in=[w.programme.pk for w in wanted])
    }
    made: list[AnnualPlan] = []
    changed: list[tuple[AnnualPlan, int]] = []
    written = []
    for want in wanted:
        plan = kept.get((want.programme.pk, want.year))
        before = plan.candidates if plan else None
        fresh = plan or AnnualPlan(programme=want.programme, year=want.year)
        if not (words := _differences(fresh, want, before)):
            continue
        _take(fresh, want)
        if before is None:
            made.append(fresh)
        else:
            changed.append((fresh, before))
        written.append(about("plan_set", want.programme.school, by, at, changes=words))
    AnnualPlan.objects.bulk_create(made, batch_size=BATCH)
    AnnualPlan.objects.bulk_update(
        [plan for plan, _ in changed], ["candidates", "carried_over", "source"], batch_size=BATCH
    )
    events.record_many(written)
    return made, changed


def _differences(plan: AnnualPlan, want: Planned, before: int | None) -> dict[str, Any]:
    """What setting it would change, as the record tells it; empty for nothing."""
    name = f"{want.programme.certificate_level} {want.year}年"
    words: dict[str, Any] = {}
    if before != want.candidates:
        words[name] = [before, want.candidates]
    if want.carried_over is not None and want.carried_over != plan.carried_over:
        words[f"{name}其中沿用上年"] = [plan.carried_over, want.carried_over]
    if want.source is not None and want.source.pk != plan.source_id:
        words[f"{name}依据"] = str(want.source.application)
    return words


def _take(plan: AnnualPlan, want: Planned) -> None:
    plan.candidates = want.candidates
    if want.carried_over is not None:
        plan.carried_over = want.carried_over
    if want.source is not None:
        plan.source = want.source
    if plan.carried_over > plan.candidates:
        raise ValidationError(
            {
                "candidates": f"{want.programme} {want.year}年：沿用上年 {plan.carried_over} 人，计划总数不能少于它。"
                "请先改沿用人数。"
            }
        )


def set_annual_plan(
    *,
    programme: Programme,
    year: int,
    candidates: int,
    by: User,
    at: dt.datetime,
    carried_over: int | None = None,
) -> None:
    """One plan. Raises ValidationError as `set_annual_plans`."""
    set_annual_plans(plans=[Planned(programme, year, candidates, carried_over)], by=by, at=at)


@transaction.atomic
def tell_courses(
    *, programme: Programme, courses: str, files: Sequence[UploadedFile], by: User, at: dt.datetime
) -> None:
    """Which courses the certificate is built into, and the revised training plan (SX 三.4, HB 三.3).

    Raises PermissionDenied, ValidationError.
    """
    if not permissions.may_tell_courses(by, programme):
        raise PermissionDenied(COURSES_ARE_THE_SCHOOLS)
    fresh = Programme.objects.select_for_update().get(pk=programme.pk)
    if fresh.ended_at is not None and fresh.ended_at <= at:
        raise ValidationError(ENDED)
    if fresh.courses != courses:
        events.record(
            "courses_changed",
            fresh,
            by=by,
            at=at,
            organization_id=fresh.organization_id,
            target_label=f"{programme.school} {programme}",
            changes={"融入的课程": [fresh.courses, courses]},
        )
        fresh.courses = courses
        fresh.save(update_fields=["courses"])
    for upload in files:
        attachments.attach(target=fresh, upload=upload, by=by, at=at)
