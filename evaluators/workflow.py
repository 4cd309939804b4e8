"""The lifecycles of what evaluators file, as tables."""

import datetime as dt

from accounts.models import PilotMembership, User
from core.templatetags import portal
from core.workflow import Transition, Workflow
from evaluators.models import Activity, EvaluatorFiling, ExamSite
from evaluators.permissions import (
    FILING_CLAUSE,
    may_agree_to_sites,
    may_apply_for_sites,
    may_file,
    may_file_sites,
    may_keep_activity,
    may_return_activities,
    may_review_filings,
    why_not_before_filing,
)

A = Activity.State
F = EvaluatorFiling.State
S = ExamSite.State


def _filing_owner_only(user: User, record: EvaluatorFiling) -> str:
    if may_file(user, record.certificate):
        return ""
    return f"备案表由该证书的培训评价组织填报（{FILING_CLAUSE}）。"


def _filing_office_only(user: User, record: EvaluatorFiling) -> str:
    return "" if may_review_filings(user) else f"评价组织备案由省推进办审核（{FILING_CLAUSE}）。"


filing = Workflow(
    (
        Transition("evaluator_filing_submit", "提交备案", tuple(F), F.SUBMITTED, _filing_owner_only),
        Transition("evaluator_filing_accept", "予以备案", (F.SUBMITTED,), F.ACCEPTED, _filing_office_only),
        Transition(
            "evaluator_filing_return",
            "退回修改",
            (F.SUBMITTED,),
            F.RETURNED,
            _filing_office_only,
            asks=("comment",),
        ),
        Transition(
            "evaluator_filing_refuse",
            "不予备案",
            (F.SUBMITTED,),
            F.REFUSED,
            _filing_office_only,
            asks=("comment",),
            dangerous=True,
        ),
    )
)


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


SITE_CLAUSE = "教职成厅函〔2019〕19号 三(一)"


def _own_site_only(user: User, record: ExamSite) -> str:
    if may_apply_for_sites(user) and user.organization_id == record.school_id:
        return ""
    return f"考核站点由试点院校对照条件自主申报（{SITE_CLAUSE}），由本校联系人办理。"


def _site_evaluator_only(user: User, record: ExamSite) -> str:
    if may_agree_to_sites(user, record.certificate):
        return ""
    return f"申报先由证书的培训评价组织办理，再由省推进办备案（{SITE_CLAUSE}）。"


def _site_office_only(user: User, record: ExamSite) -> str:
    return (
        "" if may_file_sites(user) else f"考核站点在省级教育行政部门备案（{SITE_CLAUSE}），由省推进办办理。"
    )


def _site_reviewer_only(user: User, record: ExamSite) -> str:
    """First the evaluator, then, once that has agreed, the province. Who comes too late is told the state, not
    that he or she may not."""
    if record.state == S.APPLIED:
        return _site_evaluator_only(user, record)
    if record.state == S.AGREED or may_file_sites(user):
        return _site_office_only(user, record)
    return _site_evaluator_only(user, record)


def _site_ready(record: ExamSite, at: dt.datetime) -> list[str]:
    missing = why_not_before_filing(record.certificate)
    return [missing] if missing else []


def _still_in_pilot(record: ExamSite, at: dt.datetime) -> list[str]:
    if PilotMembership.objects.as_of(at).filter(organization=record.school_id).exists():
        return ["学校仍在试点中；申报由学校撤回，或由评价组织、省推进办答复。"]
    return []


site = Workflow(
    (
        Transition("site_agree", "同意设站", (S.APPLIED,), S.AGREED, _site_evaluator_only, _site_ready),
        Transition("site_file", "予以备案", (S.AGREED,), S.FILED, _site_office_only, _site_ready),
        Transition(
            "site_return",
            "退回修改",
            (S.APPLIED, S.AGREED),
            S.RETURNED,
            _site_reviewer_only,
            asks=("comment",),
        ),
        Transition(
            "site_refuse",
            "不同意设站",
            (S.APPLIED, S.AGREED),
            S.REFUSED,
            _site_reviewer_only,
            asks=("comment",),
            dangerous=True,
        ),
        Transition("site_reapply", "修改后重新申报", (S.RETURNED,), S.APPLIED, _own_site_only, _site_ready),
        Transition(
            "site_withdraw",
            "撤回申报",
            (S.APPLIED, S.AGREED, S.RETURNED),
            S.ENDED,
            _own_site_only,
            asks=("comment",),
            dangerous=True,
        ),
        Transition(
            "site_lapse",
            "退出试点，申报不再办理",
            (S.APPLIED, S.AGREED, S.RETURNED),
            S.ENDED,
            _site_office_only,
            _still_in_pilot,
            asks=("comment",),
            dangerous=True,
        ),
        Transition(
            "site_end",
            "撤销站点",
            (S.FILED,),
            S.ENDED,
            _site_office_only,
            asks=("ended_on", "comment"),
            dangerous=True,
        ),
    )
)
