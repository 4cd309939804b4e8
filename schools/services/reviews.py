"""The review of applications: what the city and the province decide on items, one or thousands at once.

Whatever is decided goes through `decide_many`: the workflow checks and writes every item with an event of
its own, then the consequences follow in sets, and each school is told once per application.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from accounts.models import Role, User
from core import notices
from core.templatetags.portal import closing
from core.workflow import Transition
from schools import eligibility, permissions
from schools.models import Application, ApplicationItem
from schools.services import approvals, duties
from schools.services.schools import lock
from schools.workflow import review

S = ApplicationItem.State

# In the order of a reviewer's work.
OF_THE_CITY = ("item_recommend", "item_return_first", "item_reject_first", "item_reconsider_first")
OF_THE_PROVINCE = ("item_approve", "item_return", "item_reject", "item_reconsider", "item_reconsider_first")
FINAL = {"item_approve", "item_reject", "item_reject_first"}
TAKEN_UP_AGAIN = {"item_reconsider", "item_reconsider_first"}
RETURNED_FROM = {"item_return_first": S.SUBMITTED, "item_return": S.FIRST_REVIEWED}
REJECTED_FROM = {"item_reject_first": S.SUBMITTED, "item_reject": S.FIRST_REVIEWED}
# What the rules, the events and the notices read of an item: shared by all items of one query.
FACTS = (
    "application__round__extensions",
    "application__school__organization__supervisor",
    "application__reviewer",
    "certificate_level__certificate__owner",
)


class Line(NamedTuple):
    """One item of a preview: why it cannot be done (empty: it can), and what would come of it."""

    item: ApplicationItem
    reasons: list[str]
    consequences: list[str]


def with_facts(items: QuerySet[ApplicationItem]) -> QuerySet[ApplicationItem]:
    return items.prefetch_related(*FACTS)


@transaction.atomic
def decide_many(
    *, action: str, items: Collection[int], by: User, at: dt.datetime, comment: str = ""
) -> list[ApplicationItem]:
    """All of the items (their keys) or none, in as many queries for one as for a thousand.

    Raises ValidationError without the comment where it is asked, NotNow, PermissionDenied.
    """
    comment = comment.strip()
    transition = review.transition(action)
    if "comment" in transition.asks and not comment:
        raise ValidationError({"comment": f"“{transition.label}”须写明理由，学校会看到。"})
    chosen = ApplicationItem.objects.filter(pk__in=items)
    lock(set(chosen.values_list("application__school", flat=True)))
    duties.lock(chosen.values_list("application", flat=True))
    decided = review.perform_many(
        action,
        with_facts(chosen),
        by=by,
        at=at,
        comment=comment,
        values=_values(action, comment, by, at),
        organization_of=lambda item: item.application.school_id,
    )
    if action == "item_approve":
        approvals.begin(decided, by=by, at=at)
    elif action == "item_reconsider":
        approvals.take_back(decided, reason=comment, by=by, at=at)
    duties.reviewed(list({item.application_id: item.application for item in decided}.values()), at=at)
    _tell_schools(decided, transition, comment, at)
    return decided


def _values(action: str, comment: str, by: User, at: dt.datetime) -> dict[str, Any]:
    """What is written together with the state."""
    values: dict[str, Any] = {"review_comment": comment}
    if action in FINAL:
        values |= {"decided_at": at, "decided_by": by}
    elif action in TAKEN_UP_AGAIN:
        values |= {"decided_at": None, "decided_by": None, "review_comment": "", "returned_from": ""}
    if state := (RETURNED_FROM | REJECTED_FROM).get(action):
        values["returned_from"] = state
    return values


def _tell_schools(
    items: Sequence[ApplicationItem], transition: Transition, comment: str, at: dt.datetime
) -> None:
    """Every contact of a school, one notice per application."""
    by_application: dict[Application, list[ApplicationItem]] = defaultdict(list)
    for item in items:
        by_application[item.application].append(item)
    contacts: dict[int, list[Any]] = defaultdict(list)
    schools = {application.school_id for application in by_application}
    for organization, user in (
        User.objects.school_contacts().filter(organization__in=schools).values_list("organization", "pk")
    ):
        contacts[organization].append(user)
    notices.tell(
        [
            notices.Message(
                recipient_id=user,
                key=f"application_reviewed:{application.pk}:{transition.action}:{at.isoformat()}",
                text=_words(application, mine, transition, comment),
                link=reverse("applications:detail", args=[application.pk]),
            )
            for application, mine in by_application.items()
            for user in contacts[application.school_id]
        ],
        at=at,
    )


def _words(
    application: Application, items: list[ApplicationItem], transition: Transition, comment: str
) -> str:
    named = "、".join(str(item) for item in items[:3]) + ("等" if len(items) > 3 else "")
    words = f"{application.round}：{named} {len(items)} 项“{transition.label}”。"
    return f"{words}意见：{comment}" if comment else words


def _verb(action: str) -> None:
    """Register `action` for one item: what pages and the API run."""

    @review.verb(action)
    def decide(item: ApplicationItem, *, by: User, at: dt.datetime, comment: str = "") -> ApplicationItem:
        return decide_many(action=action, items=[item.pk], by=by, at=at, comment=comment)[0]


for _action in {*OF_THE_CITY, *OF_THE_PROVINCE}:
    _verb(_action)


def actions_of(user: User) -> list[Transition]:
    """The decisions that are this user's side to take."""
    actions: tuple[str, ...] = OF_THE_PROVINCE if permissions.may_decide(user) else ()
    if user.role == Role.CITY_BUREAU:
        actions = OF_THE_CITY
    return [review.transition(action) for action in actions]


def waiting_state(user: User) -> str:
    """In which state items wait for this user; "" for who only reads."""
    actions = actions_of(user)
    return str(actions[0].sources[0]) if actions else ""


def mark(item: ApplicationItem) -> str:
    """What an officer has seen of an item; another mark means that it has changed since."""
    return f"{item.pk}:{item.state}:{item.application.current_id or 0}:{item.planned_total}"


def preview(*, action: str, items: QuerySet[ApplicationItem], by: User, at: dt.datetime) -> list[Line]:
    """What the decision would do to each of the items, and which of them cannot be decided so."""
    transition = review.transition(action)
    rows = list(with_facts(items))
    foreseen = _foreseen(action, rows, at)
    lines = []
    for item, missing in zip(rows, review.missing_of(transition, rows, at), strict=True):
        forbidden = transition.forbids(by, item)
        reasons = [forbidden] if forbidden else missing
        lines.append(Line(item, reasons, [] if reasons else foreseen.get(item.pk, [])))
    return lines


def _foreseen(action: str, items: list[ApplicationItem], at: dt.datetime) -> dict[int, list[str]]:
    if action == "item_approve":
        return approvals.foreseen(items, at)
    if action == "item_reconsider":
        return approvals.foreseen_back(items)
    if action == "item_reconsider_first":
        return {item.pk: ["回到“待初审”，由市教育局重新初审"] for item in items}
    if action in RETURNED_FROM:
        return {item.pk: [f"学校可以修改后再次提交，{closing(_until(item, action))}截止"] for item in items}
    return {}


def _until(item: ApplicationItem, action: str) -> dt.datetime:
    """Until when a returned item may come back."""
    closings = eligibility.closings(item)
    return closings.city if action == "item_return_first" else closings.province
