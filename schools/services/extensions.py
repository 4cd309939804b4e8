"""Extensions of a round's closings: for all schools, or for one by name (HB 四, SX 三.1). Instants are aware."""

import datetime as dt
from itertools import pairwise
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Organization, Role, User
from core import clock, events
from core.models import Notice
from core.templatetags.portal import closing
from obligations.models import Obligation, ObligationKind
from obligations.previews import dry_run
from schools.models import Application, ApplicationItem, ApplicationRound, Closings, RoundExtension, School
from schools.services import duties, rounds
from schools.services.rounds import STEPS, check_order, label, standing_closings

events.register(round_extended="延长申报时限")


HURRY = dt.timedelta(days=1)


def is_straight(round: ApplicationRound, organization: Organization | None) -> bool:
    """Whether it is one school that applies to the province with no first review: no city step is its own."""
    if organization is None or not School.objects.filter(pk=organization.pk).exists():
        return False
    return not _reviewer_ids(round, organization)


def settled(round: ApplicationRound, organization: Organization | None, closings: Closings) -> Closings:
    """`closings` as they are kept: the city's, which is nothing to a school that goes straight to the
    province, then stands or follows the school's."""
    if not is_straight(round, organization):
        return closings
    return closings._replace(city=max(standing_closings(round, organization).city, closings.school))


@transaction.atomic
def extend(
    *,
    round: ApplicationRound,
    organization: Organization | None,
    closings: Closings,
    reason: str,
    by: User,
    at: dt.datetime,
) -> RoundExtension:
    """Later closings for one school, or (None) for all, `settled`. Raises ValidationError, PermissionDenied."""
    rounds.guard(by)
    round = ApplicationRound.objects.select_for_update().get(pk=round.pk)
    before, closings = standing_closings(round, organization), settled(round, organization, closings)
    extension = RoundExtension(
        round=round,
        organization=organization,
        **dict(zip(STEPS, closings, strict=True)),
        reason=reason.strip(),
        created_by=by,
        created_at=at,
    )
    _check_extension(extension, before, at)
    extension.full_clean()
    extension.save()
    events.record(
        "round_extended",
        round,
        by=by,
        at=at,
        organization_id=organization.pk if organization else None,
        changes={
            "范围": str(organization or "全部院校"),
            **{
                label(name): [clock.local(old).isoformat(), clock.local(new).isoformat()]
                for name, old, new in zip(STEPS, before, closings, strict=True)
                if old != new
            },
        },
        reason=extension.reason,
    )
    duties.moved(round, organization.pk if organization else None, at=at)
    _tell_of_extension(extension, before, at=at)
    return extension


class ExtensionEffect(NamedTuple):
    """How many people are told, and how many schools owe an application again that had lapsed."""

    told: int
    again: int


def extension_effect(**extension: Any) -> ExtensionEffect:
    """What `extend` would do, by doing it and taking it back; arguments as for `extend`."""
    key = f"round-{extension['round'].pk}"
    lapsed = Obligation.objects.filter(kind=ObligationKind.APPLICATION, key=key, exempt_reason=duties.LAPSED)
    with dry_run():
        before = lapsed.count()
        made = extend(**extension)
        told = Notice.objects.filter(key=f"round:{made.round_id}:extension:{made.pk}").count()
        return ExtensionEffect(told, before - lapsed.count())


def _check_extension(extension: RoundExtension, before: Closings, at: dt.datetime) -> None:
    if _is_over(extension.round, at):
        raise ValidationError(
            "本批次的结果已经公布，没有等待审定、公布的项目，不能再延期；学校可在下一批次申报。"
        )
    if not extension.reason:
        raise ValidationError({"reason": "请写明延期的理由，学校和审核部门都会看到。"})
    organization = extension.organization
    eligible = School.objects.eligible(extension.round.kinds)
    if organization and not eligible.filter(pk=organization.pk).exists():
        raise ValidationError({"organization": f"{organization}不在本批次可申报的院校之列，无需延期。"})
    errors = {}
    for name, old, new in zip(STEPS, before, extension.closings, strict=True):
        if new < old:
            errors[name] = f"延期只能往后：{label(name)}现在是{closing(old)}，不能提前到{closing(new)}。"
        elif old < new <= at:
            errors[name] = f"{closing(new)}已经过去，请填以后的时间。"
    if errors:
        raise ValidationError(errors)
    if before == extension.closings:
        raise ValidationError("三个截止时间都没有变，请至少延后一个。")
    steps = steps_of(extension.round, organization)
    check_order({name: getattr(extension, name) for name in steps})


def _is_over(round: ApplicationRound, at: dt.datetime) -> bool:
    """Results are out, and nothing is left for a later batch: neither undecided nor approved and unpublished."""
    if not (published := round.announced_items):
        return False
    items = ApplicationItem.objects.filter(application__round=round)
    left = {*_keys(items.undecided()), *_keys(items.in_force_at(at))}
    return published >= left


def _keys(items: QuerySet[ApplicationItem]) -> QuerySet[ApplicationItem, int]:
    return items.order_by().values_list("pk", flat=True)


def steps_of(round: ApplicationRound, organization: Organization | None) -> tuple[str, ...]:
    """The steps that an extension is told of."""
    if is_straight(round, organization):
        return tuple(name for name in STEPS if name != "city_closes_at")
    return STEPS


def hurried(round: ApplicationRound, organization: Organization | None, closings: Closings) -> list[str]:
    """What to warn of: a review that closes less than HURRY after the step before it."""
    instants = dict(zip(STEPS, closings, strict=True))
    return [
        f"{label(later)}（{closing(instants[later])}）距{label(earlier)}（{closing(instants[earlier])}）不足一天，"
        f"审核部门可能来不及办理；需要的，请把{label(later)}一并延后。"
        for earlier, later in pairwise(steps_of(round, organization))
        if instants[later] - instants[earlier] < HURRY
    ]


# --- who is told


def _tell_of_extension(extension: RoundExtension, before: Closings, *, at: dt.datetime) -> None:
    round, organization = extension.round, extension.organization
    steps = steps_of(round, organization)
    moved = "，".join(
        f"{label(name)}延至{closing(new)}"
        for name, old, new in zip(STEPS, before, extension.closings, strict=True)
        if old != new and name in steps
    )
    text = f"{round}{f'为{organization}' if organization else ''}延期：{moved}。理由：{extension.reason}"
    schools = {organization.pk} if organization else rounds.schools(round)
    reviewers = _reviewer_ids(round, organization) if organization else rounds.reviewers(round)
    told = {Role.SCHOOL_CONTACT: (schools, text), Role.CITY_BUREAU: (reviewers, text)}
    rounds.tell_people(round, f"extension:{extension.pk}", told, at=at)


def _reviewer_ids(round: ApplicationRound, organization: Organization) -> set[int]:
    """None or one. Fixed at submission; before that, by the routes."""
    application = Application.objects.submitted().filter(round=round, school=organization.pk).first()
    if application:
        return {application.reviewer_id} if application.reviewer_id else set()
    schools = School.objects.select_related("organization__supervisor")
    reviewer = round.reviewer_of(schools.get(pk=organization.pk))
    return {reviewer.pk} if reviewer else set()
