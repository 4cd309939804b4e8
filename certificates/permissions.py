"""Who may do what with proposals of credit records: pure predicates."""

from accounts.models import Role, User
from certificates.models import CreditProposal

CLAUSE = "教职成厅函〔2019〕19号 三(三)"


def may_see_proposals(user: User) -> bool:
    return user.sees_province or user.role in {Role.EVALUATOR, Role.COORDINATOR}


def may_propose(user: User, proposal: CreditProposal) -> bool:
    """The organisation that owns the certificate."""
    return user.role == Role.EVALUATOR and user.organization_id == proposal.organization_id


def may_review(user: User) -> bool:
    """Accept and return them, and enter the day on which a certificate was published."""
    return user.role == Role.OFFICE
