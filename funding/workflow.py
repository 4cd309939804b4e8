"""The lifecycle of a fee standard, as a table: proposed by the evaluator, agreed with schools, filed (SX 三.8)."""

import datetime as dt

from accounts.models import User
from core.workflow import Transition, Workflow
from funding import fees
from funding.models import FeeStandard
from funding.permissions import may_file_standards, may_propose

S = FeeStandard.State


def _own_evaluator_only(user: User, standard: FeeStandard) -> str:
    if may_propose(user) and user.organization_id == standard.evaluator_id:
        return ""
    return "考核费用标准由该证书的培训评价组织提出（晋教职成〔2020〕9号 三.8）。"


def _office_only(user: User, standard: FeeStandard) -> str:
    return (
        ""
        if may_file_standards(user)
        else "考核费用标准报省教育厅备案（晋教职成〔2020〕9号 三.8），由推进办办理。"
    )


def _may_file(standard: FeeStandard, at: dt.datetime) -> list[str]:
    return fees.obstacles(standard, at)


standards = Workflow(
    (
        Transition("standard_propose", "重新提出", (S.RETURNED,), S.PROPOSED, _own_evaluator_only),
        Transition("standard_withdraw", "撤回", (S.PROPOSED, S.RETURNED), S.WITHDRAWN, _own_evaluator_only),
        Transition("standard_file", "予以备案", (S.PROPOSED,), S.FILED, _office_only, _may_file),
        Transition("standard_return", "退回修改", (S.PROPOSED,), S.RETURNED, _office_only, asks=("comment",)),
        Transition(
            "standard_refuse",
            "不予备案",
            (S.PROPOSED,),
            S.REFUSED,
            _office_only,
            asks=("comment",),
            dangerous=True,
        ),
    )
)
