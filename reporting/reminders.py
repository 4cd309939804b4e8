"""Reminders that an officer sends by hand; those of the clock are the sweep's."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.urls import reverse

from accounts.models import Role, User
from core import clock, events, notices
from core.models import Notice
from obligations.models import Obligation, Outcome
from reporting.permissions import may_remind

events.register(reminded="提醒填报")


@dataclass
class Recipients:
    """Who would get a reminder: obligation → its school's active accounts.

    `told_today` were reminded by hand today already, `unreachable` have no active account.
    """

    reachable: dict[Obligation, list[User]] = field(default_factory=dict)
    told_today: list[Obligation] = field(default_factory=list)
    unreachable: list[Obligation] = field(default_factory=list)

    @property
    def people(self) -> int:
        return sum(len(users) for users in self.reachable.values())


def may_be_reminded(obligation: Obligation) -> bool:
    """Still to be done: pending, or missed and neither filled nor excused."""
    return obligation.state in {Outcome.PENDING, Outcome.MISSED}


def recipients(obligations: Iterable[Obligation], *, at: dt.datetime) -> Recipients:
    """Two queries; done ones are left out."""
    todo = [obligation for obligation in obligations if may_be_reminded(obligation)]
    people: dict[int, list[User]] = {obligation.organization_id: [] for obligation in todo}
    users = User.objects.active().filter(role__in=Role.of_an_organization(), organization__in=list(people))
    for user in users.order_by("role", "username"):
        people[user.organization_id].append(user)  # type: ignore[index]
    told = set(
        Notice.objects.filter(key__in=[_key(obligation, at) for obligation in todo]).values_list(
            "key", flat=True
        )
    )
    found = Recipients()
    for obligation in todo:
        if not people[obligation.organization_id]:
            found.unreachable.append(obligation)
        elif _key(obligation, at) in told:
            found.told_today.append(obligation)
        else:
            found.reachable[obligation] = people[obligation.organization_id]
    return found


@transaction.atomic
def remind(*, obligations: Iterable[Obligation], by: User, at: dt.datetime) -> Recipients:
    """Tell the schools' accounts of what they still owe, each obligation once a day.

    Raises PermissionDenied when one of them is not within the officer's charge.
    """
    obligations = list(obligations)
    if not all(may_remind(by, obligation.organization) for obligation in obligations):
        raise PermissionDenied("只能提醒本部门主管的院校。")
    found = recipients(obligations, at=at)
    messages = [
        notices.Message(user.pk, _key(obligation, at), _text(obligation, by, at), _link(obligation))
        for obligation, users in found.reachable.items()
        for user in users
    ]
    notices.tell(messages, at=at)
    events.record_many(
        events.build(
            "reminded",
            obligation,
            by=by,
            at=at,
            organization_id=obligation.organization_id,
            changes={"recipients": [user.name for user in users]},
        )
        for obligation, users in found.reachable.items()
    )
    return found


def _key(obligation: Obligation, at: dt.datetime) -> str:
    return f"obligation:{obligation.pk}:manual:{clock.local(at).date()}"


def _text(obligation: Obligation, by: User, at: dt.datetime) -> str:
    due = clock.local(obligation.due_at)
    weekday = "一二三四五六日"[due.weekday()]
    deadline = f"{due.month}月{due.day}日（星期{weekday}）{due:%H:%M}"
    if at < obligation.due_at:
        matter = f"{obligation.title}尚未填报，截止时间为{deadline}。"
    elif obligation.outcome == Outcome.PENDING:
        matter = f"{obligation.title}已过截止时间（{deadline}），请尽快填报，关闭前填报记为迟报。"
    else:
        matter = f"{obligation.title}未填报，请补报。"
    return f"{by.organization}提醒：{matter}"


def _link(obligation: Obligation) -> str:
    return reverse("reporting:edit", args=[obligation.pk])
