"""What an approval brings about: the pilot joined, the programme begun, the plan for the year set; and how
all of it is taken back before the results are announced. In sets: a round is approved by the thousand. Whoever
calls has locked the schools."""

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q

from accounts.models import PilotMembership, User
from accounts.services import end_membership
from core import events
from core.models import Event
from core.templatetags.portal import full_day
from obligations.models import ObligationKind
from obligations.services import release
from schools import content as shape
from schools.models import AnnualPlan, ApplicationItem, Objection, Programme, School
from schools.results import upheld_against
from schools.services.programmes import Planned, Start, set_annual_plans, start_programmes
from schools.services.schools import BATCH, about, join_pilot

ONE_ROUND = "一次只能批准同一批次的申报项目。请按批次筛选后再办理。"
TOO_SOON = "试点项目刚刚开设，请稍后再撤回审核意见。"


@dataclass
class Standing:
    """What the items' schools have at an instant: those in the pilot, programmes by (school, level), and
    the plans for the round's year by programme."""

    members: set[int]
    programmes: dict[tuple[int, int], Programme]
    plans: dict[int, AnnualPlan]
    # The programmes that have ended, the last of each school and level.
    ended: dict[tuple[int, int], Programme]


def key(item: ApplicationItem) -> tuple[int, int]:
    return item.application.school_id, item.certificate_level_id


def standing(items: Collection[ApplicationItem], at: dt.datetime) -> Standing:
    """Three queries, however many items of one round."""
    schools = {item.application.school_id for item in items}
    levels = {item.certificate_level_id for item in items}
    years = {item.application.round.year for item in items}
    programmes: dict[tuple[int, int], Programme] = {}
    ended: dict[tuple[int, int], Programme] = {}
    rows = Programme.objects.filter(school__in=schools, certificate_level__in=levels)
    for p in rows.order_by("started_at"):
        those = ended if p.ended_at and p.ended_at <= at else programmes
        those[p.school_id, p.certificate_level_id] = p
    in_pilot = PilotMembership.objects.filter(Q(left_at=None) | Q(left_at__gt=at), organization__in=schools)
    plans = AnnualPlan.objects.filter(programme__in=[p.pk for p in programmes.values()], year__in=years)
    return Standing(
        members=set(in_pilot.values_list("organization", flat=True)),
        programmes=programmes,
        plans={plan.programme_id: plan for plan in plans},
        ended=ended,
    )


def begin(items: Sequence[ApplicationItem], *, by: User, at: dt.datetime) -> None:
    """Schools join the pilot from `at`, programmes begin, plans are set; what is there is not made twice.

    Raises ValidationError for items of several rounds.
    """
    if len({item.application.round_id for item in items}) > 1:
        raise ValidationError(ONE_ROUND)
    found = standing(items, at)
    schools = {item.application.school_id: item.application.school for item in items}
    join_pilot(schools=[s for pk, s in schools.items() if pk not in found.members], by=by, at=at)
    new = [item for item in items if key(item) not in found.programmes]
    starts = [Start(item.application.school, item.certificate_level, item) for item in new]
    for programme in start_programmes(pairs=starts, by=by, at=at):
        found.programmes[programme.school_id, programme.certificate_level_id] = programme
    _remember(items, found)
    plans = [
        Planned(
            _named(found.programmes[key(item)], item),
            item.application.round.year,
            item.planned_total,
            item.carried_over,
            item,
        )
        for item in items
    ]
    set_annual_plans(plans=plans, by=by, at=at)


def take_back(items: Sequence[ApplicationItem], *, reason: str, by: User, at: dt.datetime) -> None:
    """Ends from `at` the programmes that these approvals began and no other approval plans for, brings back
    the plans they replaced; a school that is in the pilot only by them leaves it. Raises ValidationError."""
    _bring_back(items, reason=reason, by=by, at=at)
    _end(items, reason=reason, by=by, at=at)
    for school in _only_by_approval({i.application.school_id: i.application.school for i in items}):
        organization = school.organization
        end_membership(organization=organization, at=at, by=by, reason=reason[:200])
        # Whoever is not in the pilot may still apply to be: what it has begun elsewhere stays owed.
        keep = {ObligationKind.APPLICATION}
        release(organization=organization, reason=reason, by=by, at=at, keep=keep)


def foreseen(items: Sequence[ApplicationItem], at: dt.datetime) -> dict[int, list[str]]:
    """By item, in words, what its approval at `at` brings about."""
    found, upheld = standing(items, at), upheld_against(items)
    return {item.pk: [*map(_against, upheld[item.pk]), *_words(item, found)] for item in items}


def _against(objection: Objection) -> str:
    """What whoever approves it all the same has to know."""
    return f"请注意：公示异议 {objection.receipt} 已答复成立（{objection.answer}），批准后本项仍列入结果"


def _words(item: ApplicationItem, found: Standing) -> Iterator[str]:
    if item.application.school_id not in found.members:
        yield "学校自批准时起加入试点"
    programme = found.programmes.get(key(item))
    plan = found.plans.get(programme.pk) if programme else None
    former = found.ended.get(key(item))
    if programme is None:
        yield f"重新开设试点项目（原项目已于{full_day(former.ended_at)}结束）" if former else "开设试点项目"
    year, heads = item.application.round.year, item.planned_total
    if plan is None:
        yield f"{year} 年计划定为 {shape.heads(heads, item.carried_over)}"
        return
    is_split = plan.carried_over != item.carried_over
    before = shape.heads(plan.candidates, plan.carried_over, is_split=is_split)
    after = shape.heads(heads, item.carried_over, is_split=is_split)
    yield f"{year} 年计划由 {before}改为 {after}" if before != after else f"{year} 年计划仍为 {after}"


def foreseen_back(items: Sequence[ApplicationItem]) -> dict[int, list[str]]:
    """By item, in words, what is undone with its approval."""
    programmes = list(Programme.objects.filter(origin__in=items, ended_at=None))
    kept = _carried_by_others(programmes, items)
    begun = {programme.origin_id for programme in programmes if programme.pk not in kept}
    set_by = set(AnnualPlan.objects.filter(source__in=items).values_list("source", flat=True))
    words: dict[int, list[str]] = {}
    for item in items:
        words[item.pk] = ["回到“待审核”"]
        if item.pk in begun:
            words[item.pk].append(
                "由此开设的试点项目结束；学校仅因此加入试点的，同时退出，其考核站点撤销、不恢复"
            )
        if item.pk in set_by:
            year, before = item.application.round.year, item.plan_before
            back = f"恢复为 {before['candidates']} 人" if before else "取消"
            words[item.pk].append(f"{year} 年计划{back}")
    return words


def _named(programme: Programme, item: ApplicationItem) -> Programme:
    """With its names at hand."""
    programme.school, programme.certificate_level = item.application.school, item.certificate_level
    return programme


def _remember(items: Sequence[ApplicationItem], found: Standing) -> None:
    """Keep with each item the plan that it replaces."""
    changed = []
    for item in items:
        plan = found.plans.get(found.programmes[key(item)].pk)
        before = plan and {
            "candidates": plan.candidates,
            "carried_over": plan.carried_over,
            "source": plan.source_id,
        }
        if item.plan_before != before:
            item.plan_before = before
            changed.append(item)
    ApplicationItem.objects.bulk_update(changed, ["plan_before"], batch_size=BATCH)


def _end(items: Sequence[ApplicationItem], *, reason: str, by: User, at: dt.datetime) -> None:
    begun = Programme.objects.filter(origin__in=items, ended_at=None)
    found = list(begun.select_related("school__organization", "certificate_level__certificate"))
    carried = _carried_by_others(found, items)
    for programme in found:
        if programme.pk in carried:
            programme.origin_id = carried[programme.pk]
    Programme.objects.bulk_update([p for p in found if p.pk in carried], ["origin"], batch_size=BATCH)
    programmes = [programme for programme in found if programme.pk not in carried]
    if any(programme.started_at >= at for programme in programmes):
        raise ValidationError(TOO_SOON)
    Programme.objects.filter(pk__in=[p.pk for p in programmes]).update(ended_at=at)
    events.record_many(
        about("programme_ended", p.school, by, at, changes={"证书": str(p.certificate_level)}, reason=reason)
        for p in programmes
    )


def _carried_by_others(programmes: Sequence[Programme], items: Sequence[ApplicationItem]) -> dict[int, int]:
    """By programme, the earliest approved item besides `items` that has set a plan of it, in whatever round:
    it rests on that one from then on, and does not end."""
    plans = AnnualPlan.objects.filter(
        programme__in=[programme.pk for programme in programmes],
        source__state=ApplicationItem.State.APPROVED,
    ).exclude(source__in=items)
    found: dict[int, int] = {}
    for programme, source in plans.order_by("source__decided_at", "pk").values_list("programme", "source"):
        found.setdefault(programme, source)
    return found


def _bring_back(items: Sequence[ApplicationItem], *, reason: str, by: User, at: dt.datetime) -> None:
    by_pk: dict[int | None, ApplicationItem] = {item.pk: item for item in items}
    plans = AnnualPlan.objects.filter(source__in=items).select_related("programme")
    restored, gone, written = [], [], []
    for plan in plans:
        item = by_pk[plan.source_id]
        before: dict[str, Any] | None = item.plan_before
        name = f"{item} {plan.year}年"
        words = {name: [plan.candidates, before and before["candidates"]]}
        if before and before["carried_over"] != plan.carried_over:
            words[f"{name}其中沿用上年"] = [plan.carried_over, before["carried_over"]]
        written.append(about("plan_set", item.application.school, by, at, changes=words, reason=reason))
        if before is None:
            gone.append(plan.pk)
            continue
        plan.candidates, plan.carried_over = before["candidates"], before["carried_over"]
        plan.source_id = before["source"]
        restored.append(plan)
    AnnualPlan.objects.filter(pk__in=gone).delete()
    AnnualPlan.objects.bulk_update(restored, ["candidates", "carried_over", "source"], batch_size=BATCH)
    events.record_many(written)


def _only_by_approval(schools: dict[int, School]) -> list[School]:
    """The ones that joined with an approval, and since then have begun nothing else that still stands."""
    approved = Event.objects.filter(action="item_approve", organization__in=schools)
    members = PilotMembership.objects.filter(organization__in=schools, left_at=None)
    joined = set(members.values_list("organization", "joined_at"))
    joined &= set(approved.order_by().values_list("organization", "at"))
    begun = Programme.objects.filter(school__in=schools, ended_at=None).values_list("school", "started_at")
    items = ApplicationItem.objects.filter(
        application__school__in=schools, state=ApplicationItem.State.APPROVED
    ).values_list("application__school", "decided_at")
    stands: dict[int, dt.datetime] = {}
    for school, at in (*begun, *items):
        if at and (school not in stands or at > stands[school]):
            stands[school] = at
    return [schools[pk] for pk, at in sorted(joined) if pk not in stands or stands[pk] < at]
