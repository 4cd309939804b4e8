"""Who may do what with reports: pure predicates."""

from accounts.models import Organization, Role, User
from obligations.models import Obligation


def may_see_reporting(user: User) -> bool:
    """What schools report, week by week: those who watch over it."""
    return user.sees_reporting


def may_watch_reports(user: User) -> bool:
    """The matrix, the list of non-reporters, the circular: those who watch over schools' reports, and a
    coordinator for the evaluators in his or her charge (MOE 一(一))."""
    return user.sees_reporting or user.role == Role.COORDINATOR


def may_remind(user: User, organization: Organization | None = None) -> bool:
    """The office all, a city bureau what it supervises; without an organisation: anybody at all."""
    if user.role == Role.OFFICE:
        return True
    return user.role == Role.CITY_BUREAU and (
        organization is None or organization.supervisor_id == user.organization_id
    )


def may_circulate(user: User) -> bool:
    """The office for the province or one authority, a city bureau for its own schools."""
    return user.role in {Role.OFFICE, Role.CITY_BUREAU}


def may_fill(user: User, obligation: Obligation) -> bool:
    """The school's contact or the contact's stand-in, the leader reads; an evaluator's own officer."""
    own = user.organization
    if own is None or own.pk != obligation.organization_id:
        return False
    return user.role == (Role.EVALUATOR if own.kind == own.Kind.EVALUATOR else Role.SCHOOL_CONTACT)


def may_return(user: User, obligation: Obligation) -> bool:
    """Who watches over the school sends a filed report back for correction."""
    return may_remind(user, obligation.organization)


def may_see_history(user: User, organization: Organization) -> bool:
    """A school's weeks: itself, and those who watch over reporting. They hold no personal data."""
    return user.sees_reporting or user.organization_id == organization.pk


def may_see_own_history(user: User) -> bool:
    """The people of a school."""
    return user.role in Role.of_a_school()


def may_take_platform_file(user: User, obligation: Obligation) -> bool:
    """The school's contact, who files there too, and those who watch over the school and act."""
    return may_fill(user, obligation) or may_return(user, obligation)


def may_see_summaries(user: User) -> bool:
    """Those who file monthly reports and half-year summaries, and those who watch over them."""
    return user.sees_reporting or user.role in Role.of_an_organization() | {Role.COORDINATOR}


def may_see_ministry_report(user: User) -> bool:
    """The office's half-year report: those who see all that is reported in the province."""
    return user.sees_reporting and user.sees_province
