"""What a school does with its application: begin, fill in, hand in, withdraw. Instants are aware (UTC)."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from accounts.models import User
from certificates.models import CertificateLevel
from core import drafts, events
from core.workflow import NotNow
from schools import eligibility
from schools.eligibility import Standing
from schools.models import (
    AnnualPlan,
    Application,
    ApplicationItem,
    ApplicationRound,
    ApplicationVersion,
    Programme,
    School,
)
from schools.permissions import NOT_THE_APPLICANT, may_apply
from schools.services import duties, handing_in
from schools.services.schools import lock
from schools.workflow import review

State = ApplicationItem.State

events.register(
    application_started="开始申报",
    item_added="添加申报项目",
)


# --- Begin


@transaction.atomic
def start_application(*, round: ApplicationRound, school: School, by: User, at: dt.datetime) -> Application:
    """The school's application in the round; begun once, however often it is asked for.

    Raises PermissionDenied, ValidationError with every reason at the door.
    """
    if not may_apply(by, school):
        raise PermissionDenied(NOT_THE_APPLICANT)
    if begun := Application.objects.filter(round=round, school=school).first():
        return begun
    if reasons := eligibility.door(round, school, at):
        raise ValidationError(reasons)
    application, is_new = Application.objects.get_or_create(
        round=round, school=school, defaults={"started_by": by, "started_at": at}
    )
    if is_new:
        events.record("application_started", application, by=by, at=at, organization_id=school.pk)
        duties.applicant(application, at=at)
    return application


@transaction.atomic
def add_items(
    *, application: Application, levels: Iterable[CertificateLevel], by: User, at: dt.datetime
) -> list[ApplicationItem]:
    """One draft for each level that the application does not have yet; one withdrawn is begun again.

    What the school runs already becomes a renewal with the heads planned for the year, carried ones apart, or
    else the number of the year before. Raises PermissionDenied, ValidationError.
    """
    _open_to(application, by, at)
    # A double click is two requests at once: the second finds what the first has added.
    Application.objects.select_for_update(of=("self",)).get(pk=application.pk)
    wanted = {level.pk: level for level in levels}
    rows = ApplicationItem.objects.filter(application=application)
    there = {item.certificate_level_id: item for item in rows}
    for pk in wanted:
        if pk in there and there[pk].state == State.WITHDRAWN:
            review.run("item_reopen", there[pk], by=by, at=at)
    running = _running(application, at)
    typed = _typed(application, running)
    new = [
        ApplicationItem(
            application=application,
            certificate_level=level,
            is_renewal=pk in running,
            draft=typed.get(pk),
        )
        for pk, level in wanted.items()
        if pk not in there
    ]
    ApplicationItem.objects.bulk_create(new)
    for item in new:
        events.record("item_added", item, by=by, at=at, organization_id=application.school_id)
    if new:
        duties.applicant(application, at=at)
    return new


def add_running(*, application: Application, by: User, at: dt.datetime) -> tuple[list[ApplicationItem], int]:
    """A renewal for every certificate level that the school runs (HB 四.4) but those whose plan for the year
    stands by an approval: their carried heads would go. Returns what was added, and how many were left out."""
    running = _running(application, at)
    approved = AnnualPlan.objects.filter(
        programme__school=application.school_id,
        programme__ended_at=None,
        programme__certificate_level__in=running,
        year=application.round.year,
        source__state=State.APPROVED,
    ).exclude(source__application=application)
    planned = set(approved.values_list("programme__certificate_level", flat=True))
    rows = CertificateLevel.objects.filter(pk__in=running - planned).select_related("certificate")
    added = add_items(application=application, levels=rows, by=by, at=at)
    there = application.items.exclude(state=State.WITHDRAWN).filter(certificate_level__in=planned)
    return added, len(planned) - there.count()


def _running(application: Application, at: dt.datetime) -> set[int]:
    rows = Programme.objects.running_at(at).filter(school=application.school_id)
    return set(rows.values_list("certificate_level", flat=True))


def _typed(application: Application, levels: set[int]) -> dict[int, dict[str, str]]:
    """What the renewals of the levels run begin with: the plan for the year, its carried heads kept apart
    where the round lets them be carried, or else the number planned for the year before."""
    round = application.round
    plans = AnnualPlan.objects.filter(
        programme__school=application.school_id,
        programme__ended_at=None,
        programme__certificate_level__in=levels,
        year__in=(round.year - 1, round.year),
    ).select_related("programme")
    typed = {}
    for plan in plans.order_by("year"):
        carried = plan.carried_over if plan.year == round.year and round.allows_carry_over else 0
        typed[plan.programme.certificate_level_id] = {
            "planned_new": str(plan.candidates - carried),
            "carried_over": str(carried or ""),
        }
    return typed


def _open_to(application: Application, by: User, at: dt.datetime) -> None:
    if not may_apply(by, application.school):
        raise PermissionDenied(NOT_THE_APPLICANT)
    if reasons := eligibility.door(application.round, application.school, at):
        raise ValidationError(reasons)


# --- Hand in


@transaction.atomic
def submit_application(
    *,
    application: Application,
    token: str,
    by: User,
    at: dt.datetime,
    only_complete: bool = False,
    only: ApplicationItem | None = None,
) -> ApplicationVersion:
    """Hand in every draft and returned item together, or the one item of `only`: one immutable version
    with its receipt.

    `at` was taken when the request arrived, before any lock. The same token gives the version that is
    there, and so does the same content. `only_complete`: what is not complete stays a draft; else it
    blocks. Raises PermissionDenied, NotNow with every reason, ChangedSince where `token` (`token_of`) names
    something else than what waits now.
    """
    if not may_apply(by, application.school):
        raise PermissionDenied(NOT_THE_APPLICANT)
    # In whatever round: what the rules ask of the school holds until its items have their states.
    lock([application.school_id])
    application = Application.objects.select_for_update(of=("self",)).get(pk=application.pk)
    if sent := application.versions.filter(token=token).first():
        return sent
    waiting = waiting_items(application, at, lock=True, only=only)
    if (
        not waiting
        and only is None
        and application.current
        and not any(map(eligibility.is_open, application.items.all()))
    ):
        return application.current
    if waiting and token != token_of(waiting):
        raise drafts.ChangedSince
    ready = _ready(application, waiting, at, only_complete=only_complete)
    handing_in.write(ready)
    if application.current is None:
        application.reviewer = application.first_reviewer
        application.save(update_fields=["reviewer"])
    sent = [standing.item for standing in ready]
    _perform(sent, by=by, at=at)
    version = handing_in.version(application, sent, token=token, by=by, at=at)
    duties.submitted(application, version, at=at)
    return version


def waiting_items(
    application: Application, at: dt.datetime, *, lock: bool = False, only: ApplicationItem | None = None
) -> list[Standing]:
    """What would be handed in now: drafts and returned items whose time has not run out; of `only`, itself."""
    rows = application.items.filter(state__in=[State.DRAFT, State.RETURNED]).order_by("pk")
    if only is not None:
        rows = rows.filter(pk=only.pk)
    rows = rows.select_related("certificate_level__certificate__owner")
    items = list(rows.select_for_update(of=("self",)) if lock else rows)
    return [s for s in eligibility.standings(items, at) if not eligibility.closed(s.item, at)]


def token_of(waiting: Sequence[Standing]) -> str:
    """Names what is about to be handed in, to the last letter and file: 64 letters at most."""
    return drafts.content_hash(
        {
            str(s.item.pk): [
                s.item.state,
                s.item.draft_revision,
                [file.pk for file in s.item.kept_files],
                (agreement := s.ground.agreement_of(s.item, s.facts)) and agreement.pk,
            ]
            for s in waiting
        }
    )


def _ready(
    application: Application, waiting: list[Standing], at: dt.datetime, *, only_complete: bool
) -> list[Standing]:
    """Raises NotNow: nothing to hand in, or something is incomplete and was not left out."""
    if not waiting:
        reasons = eligibility.door(application.round, application.school, at)
        raise NotNow(reasons or ["还没有可以提交的项目，请先添加证书等级并填写。"])
    ready = [standing for standing in waiting if standing.is_complete]
    if (only_complete and ready) or len(ready) == len(waiting):
        return ready
    raise NotNow([_lacking(s) for s in waiting if s.problems])


def _lacking(standing: Standing) -> str:
    """One line of an item: what is missing if it is one thing, else how much, which its own card lists."""
    if len(standing.problems) == 1:
        return f"{standing.item}：{standing.problems[0].text}"
    return f"{standing.item}：还缺 {len(standing.problems)} 项，见该证书等级下的清单。"


def _perform(items: list[ApplicationItem], *, by: User, at: dt.datetime) -> None:
    """To whoever is next: a returned item to who returned it, a new one along the school's route."""
    by_action: dict[str, list[int]] = {}
    for item in items:
        action = "item_submit_to_province" if eligibility.goes_straight(item) else "item_submit"
        by_action.setdefault(action, []).append(item.pk)
    for action, keys in by_action.items():
        review.perform_many(
            action,
            ApplicationItem.objects.filter(pk__in=keys).prefetch_related(
                "application__school__organization", "certificate_level__certificate"
            ),
            by=by,
            at=at,
            values={"returned_from": ""},
            organization_of=lambda item: item.application.school_id,
        )


def _verb(action: str) -> None:
    """Register `action` for one item alone: what is beside it stays as it is."""

    @review.verb(action)
    @transaction.atomic
    def submit_one(item: ApplicationItem, *, by: User, at: dt.datetime) -> ApplicationItem:
        fresh = ApplicationItem.objects.get(pk=item.pk)
        if not may_apply(by, fresh.application.school):
            raise PermissionDenied(NOT_THE_APPLICANT)
        if reasons := review.missing(review.transition(action), fresh, at):
            raise NotNow(reasons)
        token = token_of(waiting_items(fresh.application, at, only=fresh))
        submit_application(application=fresh.application, token=token, by=by, at=at, only=fresh)
        item.refresh_from_db()
        return item


_verb("item_submit")
_verb("item_submit_to_province")


# --- Withdraw


@review.verb("item_withdraw")
@transaction.atomic
def withdraw_item(item: ApplicationItem, *, by: User, at: dt.datetime, comment: str = "") -> ApplicationItem:
    """Raises PermissionDenied, NotNow."""
    duties.lock([item.application_id])
    fresh = _move("item_withdraw", item, by=by, at=at, comment=comment)
    duties.withdrawn(fresh.application, by=by, at=at)
    return fresh


@review.verb("item_reopen")
@transaction.atomic
def reopen_item(item: ApplicationItem, *, by: User, at: dt.datetime, comment: str = "") -> ApplicationItem:
    """A withdrawn item is a draft again, with what it said, and a renewal if the school runs it now. Raises
    PermissionDenied, NotNow."""
    duties.lock([item.application_id])
    is_renewal = item.certificate_level_id in _running(item.application, at)
    fresh = _move("item_reopen", item, by=by, at=at, comment=comment, values={"is_renewal": is_renewal})
    duties.applicant(fresh.application, at=at)
    return fresh


def _move(
    action: str, item: ApplicationItem, *, values: dict[str, Any] | None = None, **who: Any
) -> ApplicationItem:
    values = {"returned_from": "", **(values or {})}
    moved: ApplicationItem = review.perform(
        action, item, organization_id=item.application.school_id, values=values, **who
    )
    return moved
