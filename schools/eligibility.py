"""What an application item needs, each rule with its clause: asked by the form at every moment, by the
submission, and once more by the approval.

The rules stand in `rules.RULES`; the form asks about what is typed, submission and approval about what
was sent. Instants are aware.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import prefetch_related_objects

from core.templatetags.portal import when
from schools import content as shape
from schools.content import Facts, Problem, Typed
from schools.grounds import Ground, grounds
from schools.models import ApplicationItem, ApplicationRound, Closings, School
from schools.rules import by, of_kind, problems_of, warnings_of

# --- When


def closings(item: ApplicationItem) -> Closings:
    """When the steps close for the item's school, with its extensions."""
    return item.application.round.closings_of(item.application.school_id)


def deadline(item: ApplicationItem) -> dt.datetime:
    """Until when (half-open) the school may submit it: a returned one until the step that returned it closes."""
    closing = closings(item)
    if item.state != ApplicationItem.State.RETURNED:
        return closing.school
    return closing.city if item.returned_from == ApplicationItem.State.SUBMITTED else closing.province


def closed(item: ApplicationItem, at: dt.datetime) -> list[str]:
    """Why nothing can be submitted at this instant; [] within the time (half-open: `t < deadline`)."""
    if (opens := not_yet(item.application.round, at)) or at < (until := deadline(item)):
        return opens
    if item.state == ApplicationItem.State.RETURNED:
        return [f"退回后的修改已于{when(until)}截止。确需延期的，由省推进办说明理由后为本校单独延期。"]
    return [_school_step_closed(item.application.round, until)]


def not_yet(round: ApplicationRound, at: dt.datetime) -> list[str]:
    if at >= round.opens_at:
        return []
    return [f"{round}自{when(round.opens_at)}开始申报，现在还不能填写。"]


def _school_step_closed(round: ApplicationRound, until: dt.datetime) -> str:
    return (
        f"{round}的院校填报已于{when(until)}截止{by(round)}。"
        "确需补报的，请联系省推进办，由其说明理由后为本校单独延期。"
    )


# --- Who


def door(round: ApplicationRound, school: School, at: dt.datetime) -> list[str]:
    """Why this school cannot apply in the round at all; [] when it can."""
    found = [*of_kind(round, school), *not_yet(round, at)]
    until = round.closings_of(school.pk).school
    return found if at < until else [*found, _school_step_closed(round, until)]


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


def standings(items: Sequence[ApplicationItem], at: dt.datetime) -> list[Standing]:
    """Of each item as its form stands (draft, else what was sent); queries do not grow with the items."""
    prefetch_related_objects(items, "majors")
    typed = [shape.typed_of(item) for item in items]
    facts = [
        shape.facts_of(item) if item.draft is None else shape.facts_typed(text)
        for item, text in zip(items, typed, strict=True)
    ]
    return [
        Standing(
            item,
            text,
            fact,
            ground,
            problems_of(item, fact, ground),
            warnings_of(item, fact, ground),
        )
        for item, text, fact, ground in zip(items, typed, facts, grounds(items, facts, at), strict=True)
    ]


def is_open(item: ApplicationItem) -> bool:
    """Of a state in which the school fills it in."""
    return item.state in {ApplicationItem.State.DRAFT, ApplicationItem.State.RETURNED}


def missing(item: ApplicationItem, at: dt.datetime) -> list[str]:
    """Why it cannot be submitted now; [] when it can."""
    [standing] = standings([item], at)
    return [*closed(item, at), *(problem.text for problem in standing.problems)]


def obstacles(item: ApplicationItem, at: dt.datetime) -> list[str]:
    """What the submitted facts lack; [] when nothing. Many items at once: `load` them first."""
    ground = vars(item).get("ground")
    if ground is None or ground.at != at:
        load([item], at)
    return [problem.text for problem in problems_of(item, shape.facts_of(item), item.ground)]


def load(items: Sequence[ApplicationItem], at: dt.datetime) -> None:
    """Give each item the ground on which `obstacles` judges it at this instant; queries do not grow."""
    prefetch_related_objects(items, "majors")
    facts = [shape.facts_of(item) for item in items]
    for item, ground in zip(items, grounds(items, facts, at), strict=True):
        item.ground = ground
