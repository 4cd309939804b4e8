"""How a school itself stands in the rounds: what it may still do, what it handed in, what came back."""

from collections import defaultdict
from typing import Any

from django.db.models import Subquery

from accounts.models import Role, User
from core import clock
from schools import permissions
from schools.models import Application, ApplicationItem, ApplicationRound, School
from schools.services.rounds import standing_closings


def own_standings(
    user: User, only: ApplicationRound | None = None, *, open_only: bool = False
) -> list[dict[str, Any]]:
    """Of a school's user: the rounds in which it may still do something or has an application, with what it
    may do next; three queries, one where there is no round. `open_only`: rounds that are not over for
    the school."""
    if user.role not in Role.of_a_school():
        return []
    at = clock.now()
    school = School.objects.filter(pk=user.organization_id)
    visible = ApplicationRound.objects.visible_to(user)
    if only:
        visible = visible.filter(pk=only.pk)
    if open_only:
        visible = visible.open_at(at, [user.organization_id])
    rounds = visible.annotate(own_kind=Subquery(school.values("kind"))).prefetch_related("extensions")
    rows = []
    for round, application, states in _begun(user, list(rounds)):
        closings = round.closings_of(user.organization_id)
        invited = round.own_kind in round.kinds
        may_begin = round.opens_at <= at < closings.school and invited
        if application or may_begin or (only and invited) or at < round.opens_at:
            rows.append(
                {
                    "round": round,
                    "application": application,
                    "handed_in": [
                        (s.value, str(s.label), states.count(s)) for s in ApplicationItem.State if s in states
                    ],
                    "closings": closings,
                    "is_extended": closings != standing_closings(round, None),
                    "is_open": may_begin,
                    "may_begin": may_begin and not application and _applies(user),
                }
            )
    return rows


def _begun(user: User, rounds: list[Any]) -> list[tuple[Any, int | None, list[str]]]:
    """Each round with the key of the school's application, if there is one, and the states of its items."""
    if not rounds:
        return []
    mine = Application.objects.filter(school=user.organization_id, round__in=rounds)
    keys: dict[int, int] = {}
    states: dict[int, list[str]] = defaultdict(list)
    for pk, round, state in mine.order_by("pk").values_list("pk", "round", "items__state"):
        keys[round] = pk
        states[round].append(state)
    return [(round, keys.get(round.pk), states[round.pk]) for round in rounds]


def _applies(user: User) -> bool:
    return permissions.may_apply(user, School(pk=user.organization_id))
