"""Monthly reports and half-year summaries on the homes: what an evaluator files next, what the office watches."""

from dataclasses import dataclass

from django.db.models import Q

from accounts.models import User
from core import clock
from obligations.models import Obligation, ObligationKind, Outcome, Period
from obligations.rates import Rate, rates
from reporting.summaries.scope import KINDS, summaries_visible_to

BACK_FILLS = 10


@dataclass(frozen=True)
class Standing:
    """How the newest opened period of a kind is reported."""

    period: Period
    rate: Rate

    @property
    def missing(self) -> int:
        return self.rate.pending + self.rate.never_filled


def tasks(user: User) -> list[Obligation]:
    """What the user's own organisation has still to file, the soonest first; one query."""
    todo = Q(outcome=Outcome.PENDING) | Q(outcome=Outcome.MISSED, excused_at=None)
    mine = summaries_visible_to(user).opened(clock.now()).filter(todo, filled_at=None)
    mine = mine.filter(organization=user.organization_id).select_related("period")
    return list(mine.order_by("due_at")[:BACK_FILLS])


def coming() -> Period | None:
    """The month that is not over yet: its report opens when it is."""
    months = Period.objects.unopened().filter(kind=ObligationKind.MONTHLY_REPORT)
    return months.order_by("opens_at").first()


def standings(user: User) -> list[Standing]:
    """Of the newest opened month and half-year within the user's scope; two queries."""
    opened = Period.objects.filter(kind__in=KINDS, opened_at__isnull=False)
    newest = {period.kind: period for period in opened.order_by("starts_on")}
    if not newest:
        return []
    counts = rates(summaries_visible_to(user).filter(period__in=list(newest.values())), "period")
    return [Standing(period, counts[period.pk]) for period in newest.values() if period.pk in counts]
