"""What is known to fall due and has not begun: the periods ahead, before anybody owes their reports."""

import datetime as dt
from typing import Any, NamedTuple

from django.db.models import Count, Q

from accounts import in_charge
from accounts.models import Organization, OrganizationQuerySet, User
from obligations import periods
from obligations.models import Period


class Coming(NamedTuple):
    """A period not yet opened, and how many of those within the user's scope owe it as things stand now."""

    period: Period
    owing: int


def coming(user: User, at: dt.datetime) -> list[Coming]:
    """The periods ahead that concern somebody within the user's scope, the soonest due first; two queries."""
    ahead = list(Period.objects.unopened().filter(due_at__gt=at).order_by("due_at", "pk"))
    counts = _owing(watched(user), ahead)
    return [Coming(period, counts[period.pk]) for period in ahead if counts.get(period.pk)]


def watched(user: User) -> OrganizationQuerySet:
    """Whoever may owe something within the user's scope, with those in his or her charge."""
    charged = in_charge.organizations(user).values("pk")
    scope = Organization.objects.visible_to(user).values("pk")
    return Organization.objects.filter(Q(pk__in=scope) | Q(pk__in=charged))


def _owing(organizations: OrganizationQuerySet, ahead: list[Period]) -> dict[int, int]:
    asked: dict[str, Any] = {
        f"p{period.pk}": Count("pk", filter=Q(pk__in=periods.owing(period).order_by().values("pk")))
        for period in ahead
        if not period.exempt_reason
    }
    if not asked:
        return {}
    return {int(name[1:]): count for name, count in organizations.order_by().aggregate(**asked).items()}
