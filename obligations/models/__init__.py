"""What is owed by when: policies with their history, the calendar, periods, obligations, suspensions, outages,
what the national platform's list says, disputes.

Every interval is half-open. A report received at `t` is on time when `t < due_at` and late when
`due_at <= t < closes_at`; `received_outcome` is the one place where that is written.
"""

from obligations.models.disputes import Dispute, DisputeQuerySet
from obligations.models.feeds import CalendarFeed, CalendarFeedQuerySet
from obligations.models.owed import (
    NOT_OWED,
    Obligation,
    ObligationQuerySet,
    Outcome,
    received_outcome,
)
from obligations.models.pauses import Outage, Suspension, SuspensionQuerySet
from obligations.models.platform import PlatformFiling, PlatformImport, PlatformImportQuerySet
from obligations.models.rules import (
    PERIODIC,
    REPORTS,
    STEPS_OF_ROUNDS,
    CalendarDay,
    CalendarYear,
    ObligationKind,
    Period,
    PeriodQuerySet,
    Policy,
)

__all__ = [
    "NOT_OWED",
    "PERIODIC",
    "REPORTS",
    "STEPS_OF_ROUNDS",
    "CalendarDay",
    "CalendarFeed",
    "CalendarFeedQuerySet",
    "CalendarYear",
    "Dispute",
    "DisputeQuerySet",
    "Obligation",
    "ObligationKind",
    "ObligationQuerySet",
    "Outage",
    "Outcome",
    "Period",
    "PeriodQuerySet",
    "PlatformFiling",
    "PlatformImport",
    "PlatformImportQuerySet",
    "Policy",
    "Suspension",
    "SuspensionQuerySet",
    "received_outcome",
]
