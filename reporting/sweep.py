"""What the clock sets off: periods open, reminders go out, periods close, streaks warn and flag.

`sweep(at)` may be run at any instant, twice, by two workers, or after weeks of silence: it goes
through what is due and not yet done in the order of time and ends in the same state.
"""

import datetime as dt
from dataclasses import asdict, dataclass

from django.db import transaction
from django.urls import reverse

from core import links
from core.notices import Message, digest, tell
from obligations.closing import close_period, remind
from obligations.models import PERIODIC, ObligationKind, Period
from obligations.periods import make_periods, open_period
from reporting.models import StreakWarning
from reporting.streaks import Streak, current_streaks, missed_in
from supervision import services as supervision
from supervision.models import Case

# Beat sweeps this far behind the clock, longer than any request may run: a report that was received
# before the close has its row by the time the close looks.
LAG = dt.timedelta(seconds=60)


@dataclass
class Counts:
    """What one sweep did."""

    periods_opened: int = 0
    obligations_created: int = 0
    reminders: int = 0
    closed_on_time: int = 0
    closed_late: int = 0
    missed: int = 0
    exempted: int = 0
    warnings: int = 0
    flags: int = 0

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def sweep(at: dt.datetime) -> Counts:
    """Do all that is due at `at` (an aware instant)."""
    counts = Counts()
    newest: Period | None = None
    for kind in PERIODIC:
        make_periods(kind, at=at)
    while True:
        opening = Period.objects.to_open(at).first()
        closing = Period.objects.to_close(at).filter(opened_at__isnull=False).first()
        if opening and (closing is None or opening.opens_at <= closing.closes_at):
            _open(opening, counts)
        elif closing:
            _close(closing, counts, at=at)
            newest = closing if closing.kind == ObligationKind.WEEKLY_REPORT else newest
        else:
            break
    _find_left_out(counts, at=at, done=newest)
    counts.reminders += remind(at=at)
    supervision.advance(at=at)
    return counts


def _open(period: Period, counts: Counts) -> None:
    done = open_period(period)
    counts.periods_opened += done.opened
    counts.obligations_created += done.created
    counts.exempted += done.exempted


@transaction.atomic
def _close(period: Period, counts: Counts, *, at: dt.datetime) -> None:
    """The closing and its consequences stand or fall together."""
    closed = close_period(period, at=at)
    counts.closed_on_time += closed.on_time
    counts.closed_late += closed.late
    counts.missed += closed.missed
    if closed.missed and period.kind == ObligationKind.WEEKLY_REPORT:
        _follow_up(period, counts, at=at)


@transaction.atomic
def _find_left_out(counts: Counts, *, at: dt.datetime, done: Period | None) -> None:
    """Consequences are derived from the rows: what a withdrawn excuse makes due again is found here.

    `done` is the week that this sweep closed last: what follows from it has just been derived.
    """
    closed = Period.objects.closed().filter(kind=ObligationKind.WEEKLY_REPORT, closed_at__lte=at)
    latest = closed.select_for_update().order_by("-due_at").first()
    if latest and latest != done:
        _follow_up(latest, counts, at=at)


def _follow_up(period: Period, counts: Counts, *, at: dt.datetime) -> None:
    """Warn at a streak below the rule's limit, flag from it on, for those who missed `period`."""
    organizations = missed_in(period).values("organization")
    streaks = current_streaks(organizations, at=period.closes_at)
    limit = period.policy.flag_weeks
    below = [s for s in streaks.values() if s.weeks < limit]
    reached = [s for s in streaks.values() if s.weeks >= limit]
    counts.warnings += _warn(period, below, at=at)
    counts.flags += supervision.flag(
        (supervision.Finding(s.obligations[-1].organization, s.obligations, s.spans_exempt) for s in reached),
        ground=Case.Ground.NOT_REPORTING,
        flagged_at=period.closes_at,
        at=at,
    )


def _warn(period: Period, streaks: list[Streak], *, at: dt.datetime) -> int:
    """Write the warnings that are not there yet, and tell the school, its supervisor and the office."""
    latest = {s.obligations[-1].pk: s for s in streaks}
    known = set(StreakWarning.objects.filter(pk__in=latest).values_list("pk", flat=True))
    fresh = {pk: s for pk, s in latest.items() if pk not in known}
    StreakWarning.objects.bulk_create(
        [
            StreakWarning(obligation_id=pk, weeks=s.weeks, warned_at=period.closes_at)
            for pk, s in fresh.items()
        ],
        ignore_conflicts=True,
        batch_size=1000,
    )
    if fresh:
        _tell_of(period, list(fresh.values()), at=at)
    return len(fresh)


def _tell_of(period: Period, streaks: list[Streak], *, at: dt.datetime) -> None:
    people = supervision.watchers(s.obligations[-1].organization for s in streaks)
    address = links.pattern("reporting:report")
    messages = []
    for streak in streaks:
        last = streak.obligations[-1]
        text = (
            f"预警：{last.organization}{last.title}已关闭，未收到，连续 {streak.weeks} 周未报；"
            f"连续三周不填报周报的，可取消试点资格（{Case.CLAUSE}）。仍可补报。"
        )
        link = address.format(last.pk)
        messages += [
            Message(u, f"obligation:{last.pk}:closed", text, link, important=True)
            for u in people[last.organization_id]
        ]
    tell(
        digest(
            messages,
            key=f"warnings:{period.pk}",
            summary=f"{period.label}已关闭：{{count}} 所院校未报，已预警。",
            link=reverse("reporting:non-reporters") + f"?period={period.key}",
        ),
        at=at,
    )
