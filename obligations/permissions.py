"""Who may do what with rules, deadlines, suspensions and outages: pure predicates."""

from accounts.models import Organization, Role, User
from obligations.models import Obligation, Suspension


def may_see_rules(user: User) -> bool:
    """Rules, calendar, outages: everybody who works for the pilot."""
    return user.role != Role.LEARNER


def may_see_deadlines(user: User) -> bool:
    """Those who owe something, and those who watch over those who do."""
    return may_watch_deadlines(user) or user.role in Role.of_an_organization()


def may_watch_deadlines(user: User) -> bool:
    """See what several organisations owe: the watchers of reporting, and a coordinator (MOE 一(一))."""
    return user.sees_reporting or user.role == Role.COORDINATOR


def may_see_suspensions(user: User) -> bool:
    return user.sees_reporting or user.role in Role.of_an_organization()


def may_govern(user: User) -> bool:
    """Set rules, holidays and outages."""
    return user.role == Role.OFFICE


def may_excuse(user: User, obligation: Obligation) -> bool:
    """Only the office, whosever it is; whether it is missed is for the service to say."""
    return user.role == Role.OFFICE


def may_suspend_something(user: User) -> bool:
    return user.role in {Role.OFFICE, Role.CITY_BUREAU, Role.SCHOOL_CONTACT}


def may_suspend(user: User, organization: Organization, kind: str) -> bool:
    """An emergency is declared from above; a vacation by the school itself too. An evaluator has none.

    A city bureau decides for itself and for what it supervises, wherever that lies.
    """
    if user.role == Role.OFFICE:
        return organization.kind != Organization.Kind.EVALUATOR or kind == Suspension.Kind.EMERGENCY
    if user.role == Role.CITY_BUREAU:
        return user.organization_id in {organization.pk, organization.supervisor_id}
    return (
        user.role == Role.SCHOOL_CONTACT
        and kind == Suspension.Kind.VACATION
        and organization.pk == user.organization_id
    )


def may_lift(user: User, suspension: Suspension) -> bool:
    """Who could have declared all of it; a suspension for a certificate's schools is the office's."""
    if suspension.lifted_at:
        return False
    return all(
        may_suspend(user, organization, suspension.kind) for organization in suspension.organizations.all()
    )


def may_import_platform_list(user: User) -> bool:
    """Take in the national platform's list of the whole province."""
    return user.role == Role.OFFICE


def may_see_platform_lists(user: User) -> bool:
    """Lists of the whole province: those who see all of it and its reporting."""
    return user.sees_province and user.sees_reporting


def may_see_disputes(user: User) -> bool:
    return user.sees_reporting or user.role in Role.of_a_school()


def may_dispute(user: User, obligation: Obligation) -> bool:
    """The school's contact or stand-in; whether the mark is a missed one is for the service to say."""
    return user.role == Role.SCHOOL_CONTACT and user.organization_id == obligation.organization_id


def may_answer_dispute(user: User) -> bool:
    return user.role == Role.OFFICE
