"""The lifecycles of application items, of school filings and of experts' opinions, as tables.

An item: draft → submitted → first_reviewed → approved | rejected, with returned from either review. What
goes straight to the province is submitted into first_reviewed. A returned item goes back to whoever
returned it, and may be mended until that step closes; a rejected one that is taken up again goes back to
whoever rejected it.
"""

import datetime as dt
from collections.abc import Callable, Sequence

from accounts.models import User
from core.templatetags import portal
from core.workflow import Transition, Workflow
from schools import conflicts, eligibility
from schools.models import ApplicationItem, ExpertOpinion, SchoolFiling
from schools.permissions import (
    NOT_THE_APPLICANT,
    may_advise,
    may_apply,
    may_ask_experts,
    may_decide,
    may_file,
    may_review_filings,
    may_review_first,
)

S = ApplicationItem.State
F = SchoolFiling.State
E = ExpertOpinion.State
STRAIGHT = "本校申报直接报省教育厅审核，不经市级初审（鄂教职成办函〔2021〕7号 四.2；按本批次设置）。"


Lacks = Callable[[ApplicationItem, dt.datetime], list[str]]


def _of_many(lacks: Lacks) -> Callable[[Sequence[ApplicationItem], dt.datetime], list[list[str]]]:
    def lacking(items: Sequence[ApplicationItem], at: dt.datetime) -> list[list[str]]:
        eligibility.load(items, at)
        return [lacks(item, at) for item in items]

    return lacking


def _own_contact_only(user: User, item: ApplicationItem) -> str:
    return "" if may_apply(user, item.application.school) else NOT_THE_APPLICANT


def _may_submit_to_city(item: ApplicationItem, at: dt.datetime) -> list[str]:
    if not eligibility.goes_straight(item):
        return eligibility.missing(item, at)
    if item.application.first_reviewer is None:
        return [STRAIGHT]
    return ["由省推进办退回，修改后直接提交省级审核，不再经市级初审（晋教职成〔2020〕9号 三.1）。"]


def _may_submit_to_province(item: ApplicationItem, at: dt.datetime) -> list[str]:
    if eligibility.goes_straight(item):
        return eligibility.missing(item, at)
    reviewer = item.application.first_reviewer
    return [f"先由{reviewer}初审（晋教职成〔2020〕9号 三.1：市教育行政部门初审；按本批次设置）。"]


def _first_reviewer_only(user: User, item: ApplicationItem) -> str:
    if may_review_first(user, item):
        return ""
    reviewer = item.application.reviewer
    if reviewer is None:
        return STRAIGHT
    return f"由{reviewer}初审（晋教职成〔2020〕9号 三.1：市教育行政部门初审）。"


def _office_only(user: User, item: ApplicationItem) -> str:
    if not may_decide(user):
        return "由省推进办审核（晋教职成〔2020〕9号 三.1：省教育厅确定试点院校和试点证书）。"
    if item.state == S.SUBMITTED:
        return (
            f"须先经{item.application.reviewer}初审，不能越过（晋教职成〔2020〕9号 三.1：市教育行政部门初审；"
            "鄂教职成办函〔2021〕7号 四.2；按本批次设置）。"
        )
    return ""


def _office_or_first_reviewer(user: User, item: ApplicationItem) -> str:
    return "" if may_decide(user) else _first_reviewer_only(user, item)


def _closed(closing: dt.datetime, step: str, at: dt.datetime) -> list[str]:
    if at < closing:
        return []
    return [f"{step}已于{portal.closing(closing)}截止。确需延期的，由省推进办说明理由后延长。"]


def _first_review_open(item: ApplicationItem, at: dt.datetime) -> list[str]:
    return _closed(eligibility.closings(item).city, "市级初审", at)


def _decision_open(item: ApplicationItem, at: dt.datetime) -> list[str]:
    return _closed(eligibility.closings(item).province, "省级审核", at)


def _may_approve(item: ApplicationItem, at: dt.datetime) -> list[str]:
    return [*_decision_open(item, at), *eligibility.obstacles(item, at)]


def _may_withdraw(item: ApplicationItem, at: dt.datetime) -> list[str]:
    if not item.was_handed_in:
        return ["还没有提交过，不用撤回；不再申报的，请移除。"]
    return _closed(eligibility.closings(item).province, "省级审核", at)


def _announced(item: ApplicationItem) -> list[str]:
    if item.pk in item.application.round.announced_items:
        return ["该项目的结果已经公布，不能撤回审核意见；需要变更的，结束试点项目或在下一批次申报。"]
    return []


def _may_reconsider(item: ApplicationItem, at: dt.datetime) -> list[str]:
    return _announced(item) or _decision_open(item, at)


def _may_reconsider_first(item: ApplicationItem, at: dt.datetime) -> list[str]:
    return _announced(item) or _first_review_open(item, at)


def _is_rejected_by_city(item: ApplicationItem) -> bool:
    return item.state == S.REJECTED and item.returned_from == S.SUBMITTED


def _not_the_provinces(item: ApplicationItem) -> str:
    if not _is_rejected_by_city(item):
        return ""
    return (
        f"{item.application.reviewer}初审没有推荐，省里不能越过（晋教职成〔2020〕9号 三.1：市教育行政部门初审）。"
        "需要重新审核的，请“撤回初审意见”，由其重新初审。"
    )


def _not_the_citys(item: ApplicationItem) -> str:
    return "" if _is_rejected_by_city(item) else "是省级审核不予批准的，由省推进办“撤回审核意见”。"


review = Workflow(
    (
        Transition(
            "item_submit",
            "提交初审",
            (S.DRAFT, S.RETURNED),
            S.SUBMITTED,
            _own_contact_only,
            _may_submit_to_city,
            lacks_of=_of_many(_may_submit_to_city),
        ),
        Transition(
            "item_submit_to_province",
            "提交省级审核",
            (S.DRAFT, S.RETURNED),
            S.FIRST_REVIEWED,
            _own_contact_only,
            _may_submit_to_province,
            lacks_of=_of_many(_may_submit_to_province),
        ),
        Transition(
            "item_withdraw",
            "撤回申报",
            (S.DRAFT, S.SUBMITTED, S.FIRST_REVIEWED, S.RETURNED),
            S.WITHDRAWN,
            _own_contact_only,
            _may_withdraw,
        ),
        Transition(
            "item_reopen",
            "重新填报",
            (S.WITHDRAWN,),
            S.DRAFT,
            _own_contact_only,
            eligibility.closed_to_drafts,
        ),
        Transition(
            "item_recommend",
            "初审通过",
            (S.SUBMITTED,),
            S.FIRST_REVIEWED,
            _first_reviewer_only,
            _first_review_open,
        ),
        Transition(
            "item_return_first",
            "初审退回修改",
            (S.SUBMITTED,),
            S.RETURNED,
            _first_reviewer_only,
            _first_review_open,
            asks=("comment",),
        ),
        Transition(
            "item_reject_first",
            "初审不予推荐",
            (S.SUBMITTED,),
            S.REJECTED,
            _first_reviewer_only,
            _first_review_open,
            asks=("comment",),
            dangerous=True,
        ),
        Transition(
            "item_approve",
            "批准",
            (S.FIRST_REVIEWED,),
            S.APPROVED,
            _office_only,
            _may_approve,
            lacks_of=_of_many(_may_approve),
        ),
        Transition(
            "item_return",
            "退回修改",
            (S.FIRST_REVIEWED,),
            S.RETURNED,
            _office_only,
            _decision_open,
            asks=("comment",),
        ),
        Transition(
            "item_reject",
            "不予批准",
            (S.FIRST_REVIEWED,),
            S.REJECTED,
            _office_only,
            _decision_open,
            asks=("comment",),
            dangerous=True,
        ),
        Transition(
            "item_reconsider",
            "撤回审核意见",
            (S.APPROVED, S.REJECTED),
            S.FIRST_REVIEWED,
            _office_only,
            _may_reconsider,
            asks=("comment",),
            dangerous=True,
            misfits=_not_the_provinces,
        ),
        Transition(
            "item_reconsider_first",
            "撤回初审意见",
            (S.REJECTED,),
            S.SUBMITTED,
            _office_or_first_reviewer,
            _may_reconsider_first,
            asks=("comment",),
            dangerous=True,
            misfits=_not_the_citys,
        ),
    )
)


def _own_school_only(user: User, record: SchoolFiling) -> str:
    return "" if may_file(user, record.school) else "备案由本校联系人或其代理人填写、提交。"


def _filing_office_only(user: User, record: SchoolFiling) -> str:
    return "" if may_review_filings(user) else "院校备案由省推进办审核。"


filing = Workflow(
    (
        Transition("filing_submit", "提交备案", tuple(F), F.SUBMITTED, _own_school_only),
        Transition("filing_accept", "予以备案", (F.SUBMITTED,), F.ACCEPTED, _filing_office_only),
        Transition(
            "filing_return", "退回修改", (F.SUBMITTED,), F.RETURNED, _filing_office_only, asks=("comment",)
        ),
    )
)


def _asked_expert_only(user: User, record: ExpertOpinion) -> str:
    return "" if may_advise(user, record) else "由被征求意见的专家本人办理。"


def _asking_office_only(user: User, record: ExpertOpinion) -> str:
    return "" if may_ask_experts(user) else "专家意见由省推进办征求和撤回。"


def _not_decided(record: ExpertOpinion, at: dt.datetime) -> list[str]:
    if record.item.state in conflicts.DECIDED:
        return [f"该项目“{record.item.get_state_display()}”，不再征求意见。"]
    return []


def _may_give(record: ExpertOpinion, at: dt.datetime) -> list[str]:
    """Late is accepted; what one has a tie with is not."""
    if tie := conflicts.tie_of(record):
        return [f"您与该项目有利益关系（{tie}），应当回避。请点“回避”。"]
    return _not_decided(record, at)


opinion = Workflow(
    (
        Transition("opinion_give", "提出意见", (E.ASKED,), E.GIVEN, _asked_expert_only, _may_give),
        Transition("opinion_decline", "回避", (E.ASKED,), E.DECLINED, _asked_expert_only),
        Transition("opinion_withdraw", "撤回征求", (E.ASKED,), E.WITHDRAWN, _asking_office_only),
        Transition(
            "opinion_ask_again", "再次征求", (E.WITHDRAWN,), E.ASKED, _asking_office_only, _not_decided
        ),
    )
)
