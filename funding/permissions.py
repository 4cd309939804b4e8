"""Who sees the special fund, who registers it, who says that it has arrived."""

from accounts.models import Role, User
from funding.models import Allocation


def may_see_funds(user: User) -> bool:
    return user.sees_province or user.role == Role.CITY_BUREAU or user.role in Role.of_a_school()


def may_allocate(user: User) -> bool:
    """Finance, and the office for it."""
    return user.role in {Role.FINANCE, Role.OFFICE}


def may_note_arrival(user: User, allocation: Allocation) -> bool:
    """The school that got it; finance and office where the school cannot."""
    own = user.role == Role.SCHOOL_CONTACT and user.organization_id == allocation.organization_id
    return allocation.arrived_on is None and (own or may_allocate(user))


def may_see_fees(user: User) -> bool:
    return user.role != Role.LEARNER


def may_set_caps(user: User) -> bool:
    """Caps and the rule for fees: the office, and finance."""
    return user.role in {Role.OFFICE, Role.FINANCE}


def may_set_exam_form(user: User) -> bool:
    return user.role == Role.OFFICE


def may_propose(user: User) -> bool:
    return user.role == Role.EVALUATOR


def may_file_standards(user: User) -> bool:
    return user.role in {Role.OFFICE, Role.FINANCE}


def may_agree(user: User) -> bool:
    """Say yes to a proposed standard for one's school."""
    return user.role == Role.SCHOOL_CONTACT
