"""Who may do what with reports: pure predicates."""

from accounts.models import Organization, Role, User


def may_see_reporting(user: User) -> bool:
    """The matrix and the lists: those who watch over what others report."""
    return user.sees_reporting


def may_remind(user: User, organization: Organization | None = None) -> bool:
    """The office all, a city bureau what it supervises; without an organisation: anybody at all."""
    if user.role == Role.OFFICE:
        return True
    return user.role == Role.CITY_BUREAU and (
        organization is None or organization.supervisor_id == user.organization_id
    )
