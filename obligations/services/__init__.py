"""Verbs on rules, obligations, excuses, suspensions, outages, the calendar.

Periods are made and opened in `obligations.periods`. Instants are aware (UTC).
"""

from obligations.services.feeds import find_feed, make_feed, revoke_feed
from obligations.services.owed import arrival, excuse, fulfil, owe, release, withdraw_excuse
from obligations.services.pauses import lift_suspension, record_outage, suspend
from obligations.services.rules import publish_year, remove_policy, set_calendar_day, set_policy

__all__ = [
    "arrival",
    "excuse",
    "find_feed",
    "fulfil",
    "lift_suspension",
    "make_feed",
    "owe",
    "publish_year",
    "record_outage",
    "release",
    "remove_policy",
    "revoke_feed",
    "set_calendar_day",
    "set_policy",
    "suspend",
    "withdraw_excuse",
]
