"""Pages of deadlines, rules, the calendar, suspensions and outages."""

from obligations.views.calendar import CalendarDaySet, CalendarPublish, calendar_year
from obligations.views.deadlines import DeadlineList
from obligations.views.disputes import (
    DisputeList,
    dispute,
    dispute_answer,
    dispute_new,
    dispute_withdraw,
)
from obligations.views.feeds import feed, feed_download, feed_page, feed_revoke
from obligations.views.outages import OutageCreate, OutageList
from obligations.views.platform import PlatformLists, platform_list
from obligations.views.policies import PolicyCreate, PolicyUpdate, policies, policy_remove
from obligations.views.suspensions import (
    SuspensionCreate,
    SuspensionList,
    suspension_detail,
    suspension_lift,
)

__all__ = [
    "CalendarDaySet",
    "CalendarPublish",
    "DeadlineList",
    "DisputeList",
    "OutageCreate",
    "OutageList",
    "PlatformLists",
    "PolicyCreate",
    "PolicyUpdate",
    "SuspensionCreate",
    "SuspensionList",
    "calendar_year",
    "dispute",
    "dispute_answer",
    "dispute_new",
    "dispute_withdraw",
    "feed",
    "feed_download",
    "feed_page",
    "feed_revoke",
    "platform_list",
    "policies",
    "policy_remove",
    "suspension_detail",
    "suspension_lift",
]
