"""The lifecycle of a proposal: draft → submitted → accepted | returned, and submitted again from either."""

from accounts.models import User
from certificates.models import CreditProposal
from certificates.permissions import CLAUSE, may_propose, may_review
from core.workflow import Transition, Workflow

S = CreditProposal.State


def _owner_only(user: User, proposal: CreditProposal) -> str:
    return "" if may_propose(user, proposal) else f"由该证书的评价组织提出（{CLAUSE}）。"


def _office_only(user: User, proposal: CreditProposal) -> str:
    return "" if may_review(user) else "由省推进办接收、退回。"


proposal = Workflow(
    (
        Transition("credit_submit", "提出学分记录建议", tuple(S), S.SUBMITTED, _owner_only),
        Transition("credit_accept", "接收", (S.SUBMITTED,), S.ACCEPTED, _office_only),
        Transition("credit_return", "退回修改", (S.SUBMITTED,), S.RETURNED, _office_only, asks=("comment",)),
    )
)
