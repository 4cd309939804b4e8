"""Who may do what with schools, their programmes and the roster: pure predicates."""

from accounts.models import Role, User
from schools.models import School


def may_see_schools(user: User) -> bool:
    """The list: those in whose scope there is more than one's own school."""
    return user.sees_province or user.role in {Role.CITY_BUREAU, Role.EVALUATOR}


def may_import_roster(user: User) -> bool:
    return user.role == Role.OFFICE


def may_register_schools(user: User) -> bool:
    return user.role == Role.OFFICE


def may_edit(user: User, school: School) -> bool:
    """Facts, programmes and plans are the province's to set (SX 三.1)."""
    return user.role == Role.OFFICE


def may_see_mobile(user: User, school: School) -> bool:
    """Whoever has to reach the contact: the office, the supervisor, the school itself."""
    organization = school.organization
    return user.role == Role.OFFICE or user.organization_id in {organization.pk, organization.supervisor_id}
