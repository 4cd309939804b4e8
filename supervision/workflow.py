"""The lifecycle of a case, as a table. No step is skipped: `core.workflow` refuses what is not in it.

flagged → investigating → notified → responded | lapsed → decided; a rectification goes through
rectifying to decided (accepted) or to overdue, and from there to decision again.
"""

import datetime as dt

from accounts.models import User
from core.templatetags.portal import closing
from core.workflow import Transition, Workflow
from obligations.models import Obligation, Outcome
from supervision import evidence, students
from supervision.models import Case, CaseDecision
from supervision.permissions import may_answer, may_decide, may_handle

S = Case.State
TO_DECIDE = (S.RESPONDED, S.LAPSED, S.OVERDUE)


def _office_only(user: User, case: Case) -> str:
    return "" if may_handle(user) else f"案件由省推进办办理（{Case.CLAUSE}：由省级教育行政部门取消）。"


def _another_officer(user: User, case: Case) -> str:
    if reason := _office_only(user, case):
        return reason
    if not may_decide(user, case):
        return "告知书由您发出；提出处理意见的人不作决定，请由推进办另一位经办人办理。"
    return ""


def _own_school_only(user: User, case: Case) -> str:
    return "" if may_answer(user, case) else "陈述申辩和整改报告由本案所涉学校的联系人或负责人提交。"


def _evidence_stands(case: Case, at: dt.datetime) -> list[str]:
    return evidence.gaps(case)


def _may_drop(case: Case, at: dt.datetime) -> list[str]:
    """Where the evidence stands, the matter is decided after a hearing and not dropped."""
    if not case.is_of_reporting:
        return []
    standing = evidence.standing_evidence(case)
    if standing.suffices and standing.is_confirmed(case.exempt_confirmed_at):
        return ["连续三周未报的证据仍然成立，不能径行结案；请告知学校，听取陈述申辩后作出决定。"]
    return []


def _in_time(term: Obligation | None, what: str, at: dt.datetime) -> list[str]:
    if term is None or at < term.due_at:
        return []
    return [f"{what}的期限已于{closing(term.due_at)}届满。"]


def _may_respond(case: Case, at: dt.datetime) -> list[str]:
    return _in_time(case.answer_term, "陈述申辩", at)


def _may_report(case: Case, at: dt.datetime) -> list[str]:
    if case.rectification_term and case.rectification_term.outcome != Outcome.PENDING:
        return ["整改报告已经提交，正在验收。"]
    return _in_time(case.rectification_term, "整改", at)


def _is_over(term: Obligation | None, at: dt.datetime) -> list[str]:
    if term is None or term.outcome != Outcome.PENDING:
        return ["学校已在期限内提交。"]
    return [f"期限到{closing(term.due_at)}才届满。"] if at < term.due_at else []


def _may_lapse(case: Case, at: dt.datetime) -> list[str]:
    return _is_over(case.answer_term, at)


def _may_be_overdue(case: Case, at: dt.datetime) -> list[str]:
    return _is_over(case.rectification_term, at)


def _may_revoke(case: Case, at: dt.datetime) -> list[str]:
    reasons = [*evidence.gaps(case)]
    if lines := students.unsettled(case, at):
        reasons.append(
            f"先列明在训、报考和参加考核的学生并写明安置办法（晋教职成〔2020〕9号 三.5 保障学生权益）："
            f"还有 {len(lines)} 个试点项目没有写。"
        )
    return reasons


def _may_reverse(case: Case, at: dt.datetime) -> list[str]:
    decision = case.current_decision
    if decision and decision.kind in {CaseDecision.Kind.REVOKED, CaseDecision.Kind.RECTIFY}:
        return []
    return ["复核只能撤销取消资格或责令整改的决定；现行决定没有使学校受不利处理。"]


procedure = Workflow(
    (
        Transition("case_investigate", "开始调查核实", (S.FLAGGED,), S.INVESTIGATING, _office_only),
        Transition(
            "case_notify", "发出告知书", (S.INVESTIGATING,), S.NOTIFIED, _office_only, _evidence_stands
        ),
        Transition("case_drop", "不予处理，结案", (S.INVESTIGATING,), S.DECIDED, _office_only, _may_drop),
        Transition(
            "case_respond", "提交陈述申辩", (S.NOTIFIED,), S.RESPONDED, _own_school_only, _may_respond
        ),
        Transition("case_lapse", "陈述申辩期满", (S.NOTIFIED,), S.LAPSED, lacks=_may_lapse, by_job=True),
        Transition(
            "case_revoke",
            "取消试点资格",
            TO_DECIDE,
            S.DECIDED,
            _another_officer,
            _may_revoke,
            dangerous=True,
        ),
        Transition(
            "case_rectify", "责令限期整改", TO_DECIDE, S.RECTIFYING, _another_officer, _evidence_stands
        ),
        Transition("case_dismiss", "决定不予处理", TO_DECIDE, S.DECIDED, _another_officer),
        Transition(
            "case_report", "提交整改报告", (S.RECTIFYING,), S.RECTIFYING, _own_school_only, _may_report
        ),
        Transition("case_accept", "整改验收合格", (S.RECTIFYING,), S.DECIDED, _another_officer),
        Transition("case_fail", "整改验收不合格", (S.RECTIFYING,), S.OVERDUE, _another_officer),
        Transition(
            "case_overdue", "整改逾期", (S.RECTIFYING,), S.OVERDUE, lacks=_may_be_overdue, by_job=True
        ),
        Transition(
            "case_reverse",
            "复核：撤销原决定",
            (S.DECIDED,),
            S.DECIDED,
            _another_officer,
            _may_reverse,
            dangerous=True,
        ),
    )
)
