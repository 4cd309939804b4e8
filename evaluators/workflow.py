"""The lifecycles of what evaluators file, as tables."""

import datetime as dt

from accounts.models import User
from core.templatetags import portal
from core.workflow import Transition, Workflow
from evaluators.models import Activity
from evaluators.permissions import may_keep_activity, may_return_activities

A = Activity.State


def _own_activity_only(user: User, record: Activity) -> str:
    allowed = may_keep_activity(user, record.evaluator_id)
    return "" if allowed else "活动由备案的评价组织修改、补充和取消。"


def _activity_office_only(user: User, record: Activity) -> str:
    return "" if may_return_activities(user) else "活动备案由省推进办退回补充。"


def _not_begun(record: Activity, at: dt.datetime) -> list[str]:
    if at < record.starts_at:
        return []
    begun = portal.when(record.starts_at)
    return [f"活动已于{begun}开始，不能再修改：活动方案须提前备案（晋教职成〔2020〕9号 三.8）。"]


def _not_over(record: Activity, at: dt.datetime) -> list[str]:
    if at < record.ends_at:
        return []
    return [f"活动已于{portal.when(record.ends_at)}结束，不能取消。没有举行的，请与省推进办联系。"]


activity = Workflow(
    (
        Transition("activity_change", "修改", (A.FILED,), A.FILED, _own_activity_only, _not_begun),
        Transition("activity_complete", "补充后重新备案", (A.RETURNED,), A.FILED, _own_activity_only),
        Transition(
            "activity_return", "退回补充", (A.FILED,), A.RETURNED, _activity_office_only, asks=("comment",)
        ),
        Transition(
            "activity_cancel",
            "取消活动",
            (A.FILED, A.RETURNED),
            A.CANCELLED,
            _own_activity_only,
            _not_over,
            asks=("comment",),
            dangerous=True,
        ),
    )
)
