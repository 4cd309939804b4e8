"""Who may see cases: pure predicates."""

from accounts.models import Role, User


def may_see_cases(user: User) -> bool:
    """Those who watch over reporting, and a school its own."""
    return user.sees_reporting or user.role in Role.of_a_school()
