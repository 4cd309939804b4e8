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
