"""What the clock does to obligations: closing a period, reminding of what is due and not done.

Set-based: a week of 10,000 schools closes in a handful of statements. Everything asks "due and not
yet done", so that a run after two weeks of silence ends where runs in time would have ended, and a
second run finds nothing left to do.
"""

import datetime as dt
import uuid
from collections import defaultdict
from typing import NamedTuple

from django.db import transaction
from django.db.models import Case, Count, F, Q, Value, When
from django.urls import reverse

from accounts.models import Role, User
from core import events
from core.events import JOB
from core.notices import Message, digest, tell
from core.templatetags.portal import closing
from obligations import handlers
from obligations.models import Obligation, Outcome, Period, Policy

events.register(obligation_missed="关闭未报", period_closed="关闭周期")

DEFAULT_REMINDER_HOURS = (48, 24, 2)
# Who is reminded of what an organisation owes: a school's, an evaluator's, a bureau's, the province's.
WHO_DOES_IT = (Role.SCHOOL_CONTACT, Role.EVALUATOR, Role.CITY_BUREAU, Role.OFFICE)


class Closed(NamedTuple):
    on_time: int
    late: int
    missed: int


@transaction.atomic
def close_period(period: Period, *, at: dt.datetime) -> Closed:
    """Freeze the outcomes of a period whose `closes_at` is not after `at`; zeros when that was done.

    Sweeps serialise on the period's row; a submission that runs at the same instant meets this on the
    obligation's row, by its `outcome = 'pending'`.
    """
    period = Period.objects.select_for_update().get(pk=period.pk)
    if period.closed_at or period.closes_at > at:
        return Closed(0, 0, 0)
    open_rows = Obligation.objects.filter(period=period, closed_at=None, closes_at__lte=at)
    missed = When(outcome=Outcome.PENDING, then=Value(Outcome.MISSED))
    open_rows.update(closed_at=F("closes_at"), outcome=Case(missed, default=F("outcome")))
    period.closed_at = period.closes_at
    period.save(update_fields=["closed_at"])
    # Who left the pilot earlier has another instant here.
    rows = Obligation.objects.filter(period=period, closed_at=F("closes_at")).order_by()
    counts = dict(rows.values_list("outcome").annotate(Count("pk")))
    closed = Closed(*(counts.get(outcome, 0) for outcome in (Outcome.ON_TIME, Outcome.LATE, Outcome.MISSED)))
    _record_closing(period, closed, at=at)
    return closed


def _record_closing(period: Period, closed: Closed, *, at: dt.datetime) -> None:
    rows = Obligation.objects.filter(period=period, outcome=Outcome.MISSED).select_related("organization")
    rows = rows.only("title", "due_at", "organization__name")
    log = [
        events.build(
            "obligation_missed",
            row,
            by=JOB,
            at=at,
            organization_id=row.organization_id,
            from_state=Outcome.PENDING,
            to_state=Outcome.MISSED,
            changes={"截止": row.due_at.isoformat(), "关闭": period.closes_at.isoformat()},
        )
        for row in rows.order_by("pk")
    ]
    log.append(
        events.build(
            "period_closed",
            period,
            by=JOB,
            at=at,
            changes={"按时": closed.on_time, "迟报": closed.late, "未报": closed.missed},
        )
    )
    events.record_many(log)


@transaction.atomic
def miss(obligation: Obligation, *, at: dt.datetime) -> None:
    """Its time is over and nothing came: for what belongs to no period. Repeated, it changes nothing."""
    changed = (
        Obligation.objects.pending()
        .filter(pk=obligation.pk, due_at__lte=at)
        .update(outcome=Outcome.MISSED, closed_at=at)
    )
    if changed:
        events.record(
            "obligation_missed",
            obligation,
            by=JOB,
            at=at,
            organization_id=obligation.organization_id,
            from_state=Outcome.PENDING,
            to_state=Outcome.MISSED,
            changes={"截止": obligation.due_at.isoformat()},
        )


@transaction.atomic
def remind(*, at: dt.datetime) -> int:
    """Send to each that has not done what is due the latest step of its ladder; the number of obligations.

    Steps are hours before the deadline (the rule's `reminder_hours`); earlier steps that were slept
    through are not sent, and nothing is sent once the obligation has closed.
    """
    hours = Policy.objects.order_by("-effective_from").values_list("reminder_hours", flat=True)
    longest = max((h for ladder in hours for h in ladder), default=max(DEFAULT_REMINDER_HOURS))
    candidates = (
        Obligation.objects.pending()
        .filter(
            Q(closes_at=None) | Q(closes_at__gt=at),
            opens_at__lte=at,
            due_at__lte=at + dt.timedelta(hours=longest),
        )
        .select_for_update(of=("self",), skip_locked=True)
        .select_related("period__policy", "organization")
    )
    by_step: dict[int, list[Obligation]] = defaultdict(list)
    for obligation in candidates.order_by("pk"):
        step = steps_reached(obligation, at)
        if step > obligation.reminded_steps:
            by_step[step].append(obligation)
    for step, obligations in by_step.items():
        Obligation.objects.filter(pk__in=[o.pk for o in obligations]).update(reminded_steps=step)
        _tell_of(obligations, step, at=at)
    return sum(map(len, by_step.values()))


def steps_reached(obligation: Obligation, at: dt.datetime) -> int:
    """How many steps of the ladder lie at or before `at`; being due without a close is one more step."""
    policy = obligation.period.policy if obligation.period else None
    ladder = policy.reminder_hours if policy else DEFAULT_REMINDER_HOURS
    reached = sum(obligation.due_at - dt.timedelta(hours=h) <= at for h in ladder)
    overdue = obligation.closes_at is None and obligation.due_at <= at
    return reached + overdue


def _tell_of(obligations: list[Obligation], step: int, *, at: dt.datetime) -> None:
    recipients = people_of({o.organization_id for o in obligations}, *WHO_DOES_IT)
    given = handlers.people_of(Obligation.objects.pending())
    messages = [
        Message(
            user_id,
            _reminder_key(o, step),
            _reminder_text(o, at),
            o.link or reverse("obligations:deadlines"),
        )
        for o in obligations
        for user_id in {*recipients[o.organization_id], *given[o.pk]}
    ]
    tell(
        digest(
            messages,
            key=f"reminders:{at:%Y%m%d%H%M}",
            summary="您有 {count} 项即将到期的事项。",
            link=reverse("obligations:deadlines"),
        ),
        at=at,
    )


def _reminder_key(obligation: Obligation, step: int) -> str:
    """What belongs to no period may be extended, and is reminded of afresh before its new deadline."""
    if obligation.period_id:
        return f"obligation:{obligation.pk}:{step}"
    return f"obligation:{obligation.pk}:{obligation.due_at:%Y%m%d%H%M}:{step}"


def _reminder_text(obligation: Obligation, at: dt.datetime) -> str:
    deadline = closing(obligation.due_at)
    if at < obligation.due_at:
        missing = "尚未收到" if obligation.period_id else "尚未办理"
        return f"{obligation.title}将于{deadline}截止，{missing}。"
    if obligation.closes_at:
        return f"{obligation.title}已于{deadline}截止，尚未收到；关闭前报送记为迟报。"
    return f"{obligation.title}已于{deadline}到期，尚未办理。"


def people_of(organization_ids: set[int], *roles: str) -> dict[int, list[uuid.UUID]]:
    """Organisation → ids of its active users in one of `roles`; one query."""
    found: dict[int, list[uuid.UUID]] = defaultdict(list)
    users = User.objects.active().filter(role__in=roles, organization__isnull=False)
    # A province-wide set is cheaper to filter here than as ten thousand parameters.
    if len(organization_ids) < 500:
        users = users.filter(organization__in=organization_ids)
    for organization_id, pk in users.order_by("pk").values_list("organization_id", "pk"):
        found[organization_id].append(pk)
    return found
