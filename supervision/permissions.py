"""Who may see cases and who may act in them: pure predicates."""

from accounts.models import Role, User
from supervision.models import Case


def may_see_cases(user: User) -> bool:
    """Those who watch over reporting, and a school its own."""
    return user.sees_reporting or user.role in Role.of_a_school()


def may_handle(user: User) -> bool:
    """Investigate, notify, decide: the office, for the province (MOE 五(四))."""
    return user.role == Role.OFFICE


def may_decide(user: User, case: Case) -> bool:
    """Who issued the notice does not decide."""
    return may_handle(user) and case.proposer_id != user.pk


def may_answer(user: User, case: Case) -> bool:
    """The school that the case is about."""
    return user.role in Role.of_a_school() and user.organization_id == case.organization_id
