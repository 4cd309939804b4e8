"""What an application item needs, each rule with its clause: asked by the form at every moment, by the
submission, and once more by the approval.

The rules stand in `rules.RULES`; the form asks about what is typed, submission and approval about what
was sent. Instants are aware.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import prefetch_related_objects

from core.templatetags.portal import closing, when
from schools import content as shape
from schools.content import Facts, Problem, Typed
from schools.grounds import WITH_THE_SCHOOL, Ground, grounds
from schools.models import ApplicationItem, ApplicationRound, Closings, School
from schools.rules import by, of_kind, problems_of, warnings_of

# --- When


def closings(item: ApplicationItem) -> Closings:
    """When the steps close for the item's school, with its extensions."""
    return item.application.round.closings_of(item.application.school_id)


def deadline(item: ApplicationItem) -> dt.datetime:
    """Until when (half-open) the school may submit it: a returned one until the step that returned it closes."""
    steps = closings(item)
    if item.state != ApplicationItem.State.RETURNED:
        return steps.school
    return steps.city if item.returned_from == ApplicationItem.State.SUBMITTED else steps.province


def closed(item: ApplicationItem, at: dt.datetime) -> list[str]:
    """Why nothing can be submitted at this instant; [] within the time (half-open: `t < deadline`)."""
    if (opens := not_yet(item.application.round, at)) or at < (until := deadline(item)):
        return opens
    if item.state == ApplicationItem.State.RETURNED:
        return [f"退回后的修改已于{closing(until)}截止。确需延期的，由省推进办说明理由后为本校单独延期。"]
    return [_school_step_closed(item.application.round, until)]


def closed_to_drafts(item: ApplicationItem, at: dt.datetime) -> list[str]:
    """Why nothing new can be begun; []."""
    return door(item.application.round, item.application.school, at)


def not_yet(round: ApplicationRound, at: dt.datetime) -> list[str]:
    if at >= round.opens_at:
        return []
    return [f"{round}自{when(round.opens_at)}开始申报，现在还不能填写。"]


def _school_step_closed(round: ApplicationRound, until: dt.datetime) -> str:
    return (
        f"{round}的院校填报已于{closing(until)}截止{by(round)}。"
        "确需补报的，请联系省推进办，由其说明理由后为本校单独延期。"
    )


def after_rejection(item: ApplicationItem, at: dt.datetime) -> str:
    """What its school may do about it, and until when."""
    steps = closings(item)
    if item.returned_from == ApplicationItem.State.SUBMITTED:
        who, step, until = str(item.application.reviewer), "市级初审", steps.city
    else:
        who, step, until = "省推进办", "省级审核", steps.province
    if at < until:
        return f"认为有误的，请在{closing(until)}前与{who}联系，由其撤回意见后重新审核；也可以在以后的批次再申报。"
    return f"{step}已于{closing(until)}截止，本批次不再重新审核；可以在以后的批次再申报。"


# --- Who


def door(round: ApplicationRound, school: School, at: dt.datetime) -> list[str]:
    """Why this school cannot apply in the round at all; [] when it can."""
    found = [*of_kind(round, school), *not_yet(round, at)]
    until = round.closings_of(school.pk).school
    return found if at < until else [*found, _school_step_closed(round, until)]


# --- Which way


def goes_straight(item: ApplicationItem) -> bool:
    """To the province with no first review: so goes the school, or the province itself returned it."""
    returned_by_province = item.returned_from == ApplicationItem.State.FIRST_REVIEWED
    return returned_by_province or item.application.first_reviewer is None


# --- What the others ask


@dataclass(frozen=True)
class Standing:
    """How an item stands: what it says, what blocks it, what is worth a look."""

    item: ApplicationItem
    typed: Typed
    facts: Facts
    ground: Ground
    problems: list[Problem]
    warnings: list[Problem]

    @property
    def is_complete(self) -> bool:
        return not self.problems


def standings(items: Sequence[ApplicationItem], at: dt.datetime, *, drafts: bool = True) -> list[Standing]:
    """Of each item as its form stands (draft, else what was sent); queries do not grow with the items.

    `drafts` False: as it was sent, for whoever is not of the school: what it mends is not theirs to read.
    """
    load(items, at, drafts=drafts)
    read = _facts if drafts else shape.facts_of
    return [
        Standing(
            item,
            shape.typed_of(item),
            facts,
            item.ground,
            problems_of(item, facts, item.ground),
            warnings_of(item, facts, item.ground),
        )
        for item, facts in zip(items, map(read, items), strict=True)
    ]


def is_open(item: ApplicationItem) -> bool:
    """Of a state in which the school fills it in."""
    return item.state in WITH_THE_SCHOOL


def missing(item: ApplicationItem, at: dt.datetime) -> list[str]:
    """Why it cannot be submitted now; [] when it can."""
    return [*closed(item, at), *_texts(item, _facts(item), at)]


def obstacles(item: ApplicationItem, at: dt.datetime) -> list[str]:
    """What the submitted facts lack; [] when nothing."""
    return _texts(item, shape.facts_of(item), at)


def _texts(item: ApplicationItem, facts: Facts, at: dt.datetime) -> list[str]:
    ground = vars(item).get("ground")
    if ground is None or ground.at != at:
        load([item], at)
    return [problem.text for problem in problems_of(item, facts, item.ground)]


def load(items: Sequence[ApplicationItem], at: dt.datetime, *, drafts: bool = True) -> None:
    """Give each item the ground on which it is judged at this instant: `missing` and `obstacles` then ask
    the database nothing, so queries do not grow with the items. `drafts` as for `standings`."""
    prefetch_related_objects(items, "majors")
    facts = list(map(_facts if drafts else shape.facts_of, items))
    for item, ground in zip(items, grounds(items, facts, at, drafts=drafts), strict=True):
        item.ground = ground


def _facts(item: ApplicationItem) -> Facts:
    """As its form stands: the draft, else what was sent."""
    return shape.facts_of(item) if item.draft is None else shape.facts_typed(item.draft)
