"""Consecutive missed weeks (MOE 五(四): 连续三周不填报周报).

The streak is read from the obligations' rows, never kept: missed and not excused ones since the last
that was filed, in time order. Exempt and excused ones are skipped, and a streak that spans one is
marked, for an officer must confirm that it is still 连续三周. Periods of a decided case never count again.
"""

import datetime as dt
from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from obligations.models import Obligation, ObligationQuerySet, Outcome, Period
from supervision.models import Case, CaseEvidence

_BEFORE_ALL = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass
class Streak:
    """`weeks` is the sum of the periods' lengths; `obligations` are in time order, each with its period."""

    obligations: list[Obligation] = field(default_factory=list)
    spans_exempt: bool = False

    @property
    def weeks(self) -> int:
        return sum(o.period.weeks for o in self.obligations if o.period)


def current_streaks(organizations: "QuerySet | list[int]", *, at: dt.datetime) -> dict[int, Streak]:
    """Organisation id → its streak over what had closed by `at`; those without one are left out.

    Three queries, however many organisations; their periods are few, and read once.
    """
    closed = Obligation.objects.weekly().filter(organization__in=organizations, closed_at__lte=at)
    counted = _counted(closed, at=at)
    streaks: dict[int, Streak] = {}
    for obligation in counted.select_related("organization", "period").order_by("due_at", "pk"):
        streaks.setdefault(obligation.organization_id, Streak()).obligations.append(obligation)
    _mark_spanning(streaks, closed)
    return streaks


def current_weeks(obligations: ObligationQuerySet, *, at: dt.datetime) -> dict[int, int]:
    """Organisation id → weeks of its streak among weekly `obligations` closed by `at`; one query."""
    counted = _counted(obligations.filter(closed_at__lte=at), at=at).order_by()
    return dict(counted.values_list("organization").annotate(Sum("period__weeks")))


def _counted(closed: ObligationQuerySet, *, at: dt.datetime) -> ObligationQuerySet:
    """What of the closed weeks stands in a streak: missed, not excused, in no decided case, none filed since.

    Asked row by row, through the index: few weeks are missed, and all that were filed are many.
    """
    filed = Obligation.objects.weekly().filter(
        organization=OuterRef("organization"),
        outcome__in=[Outcome.ON_TIME, Outcome.LATE],
        closed_at__lte=at,
    )
    last_filed = Subquery(filed.order_by("-due_at").values("due_at")[:1])
    decided = CaseEvidence.objects.filter(obligation=OuterRef("pk"), case__state=Case.State.DECIDED)
    return closed.counted_missed().filter(~Exists(decided), due_at__gt=Coalesce(last_filed, _BEFORE_ALL))


def _mark_spanning(streaks: dict[int, Streak], closed: QuerySet[Obligation]) -> None:
    long = {pk: s for pk, s in streaks.items() if len(s.obligations) > 1}
    if not long:
        return
    first = min(s.obligations[0].due_at for s in long.values())
    skipped = closed.filter(due_at__gt=first).exclude(outcome__in=[Outcome.ON_TIME, Outcome.LATE])
    skipped = skipped.exclude(outcome=Outcome.MISSED, excused_at=None)
    for organization_id, due_at in skipped.order_by().values_list("organization_id", "due_at"):
        streak = long.get(organization_id)
        if streak and streak.obligations[0].due_at < due_at < streak.obligations[-1].due_at:
            streak.spans_exempt = True


def missed_in(period: Period) -> QuerySet[Obligation]:
    """The obligations that a closed period adds to streaks."""
    return Obligation.objects.filter(period=period).counted_missed()
