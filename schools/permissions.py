"""Who may do what with schools, their programmes and the roster: pure predicates."""

from accounts.models import Organization, Role, User
from schools.models import ApplicationItem, ExpertOpinion, Programme, School


def may_see_schools(user: User) -> bool:
    """The list: those in whose scope there is more than one's own school."""
    return user.sees_province or user.role in {Role.CITY_BUREAU, Role.EVALUATOR}


def may_open_schools(user: User) -> bool:
    """Also a school, which finds itself there; not those to whom single records are given."""
    return may_see_schools(user) or user.role in Role.of_a_school()


def may_import_roster(user: User) -> bool:
    return user.role == Role.OFFICE


def may_register_schools(user: User) -> bool:
    return user.role == Role.OFFICE


def may_edit(user: User, school: School) -> bool:
    """Facts, programmes and plans are the province's to set (SX 三.1)."""
    return user.role == Role.OFFICE


def may_open_school(user: User, organization: Organization) -> bool:
    """As reviewers: its own pages and its reporting. A city may review the items of a school that another
    authority supervises, and then sees these alone."""
    return user.sees_province or user.organization_id in {organization.pk, organization.supervisor_id}


def may_see_mobile(user: User, school: School) -> bool:
    """Whoever has to reach the contact: the office, the supervisor, the school itself."""
    organization = school.organization
    return user.role == Role.OFFICE or user.organization_id in {organization.pk, organization.supervisor_id}


def may_see_programmes(user: User) -> bool:
    """The list: a school's own, a city's, an evaluator's of its certificates, all the province's."""
    return may_see_schools(user) or user.role in Role.of_a_school()


def may_tell_courses(user: User, programme: Programme) -> bool:
    """Which courses the certificate is built into is the school's to tell (SX 三.4, HB 三.3)."""
    return user.role == Role.SCHOOL_CONTACT and user.organization_id == programme.school_id


def may_import_platform_states(user: User) -> bool:
    return user.role == Role.OFFICE


def may_see_platform_differences(user: User) -> bool:
    """Ours beside the national platform's: those who approve, each for one's own schools."""
    return user.sees_province or user.role == Role.CITY_BUREAU


# --- rounds and applications


def may_see_rounds(user: User) -> bool:
    return user.sees_province or user.role == Role.CITY_BUREAU or user.role in Role.of_a_school()


def may_keep_rounds(user: User) -> bool:
    """Open a round, set its rules, extend it."""
    return user.role == Role.OFFICE


NOT_THE_APPLICANT = "申报由本校联系人或其代理人填写、提交。"


def may_apply(user: User, school: School) -> bool:
    """Fill in, submit and withdraw: the school's contact or stand-in; the leader reads."""
    return user.role == Role.SCHOOL_CONTACT and user.organization_id == school.pk


def may_see_own_applications(user: User) -> bool:
    return user.role in Role.of_a_school()


def may_see_queue(user: User) -> bool:
    """The list of items to review; the province's other roles read it."""
    return user.sees_province or user.role == Role.CITY_BUREAU


def may_review_first(user: User, item: ApplicationItem) -> bool:
    """The bureau of the application's first review (SX 三.1, HB 四.2)."""
    return user.role == Role.CITY_BUREAU and user.organization_id == item.application.reviewer_id


def may_decide(user: User) -> bool:
    """Approve, return or reject for the province."""
    return user.role == Role.OFFICE


def may_ask_experts(user: User) -> bool:
    return user.role == Role.OFFICE


def is_expert(user: User) -> bool:
    return user.role == Role.EXPERT


def may_read_opinions(user: User) -> bool:
    """All of them: the province's roles. Schools and cities none."""
    return user.sees_province


def may_see_opinions(user: User) -> bool:
    return may_read_opinions(user) or is_expert(user)


def may_keep_interests(user: User) -> bool:
    """The office registers anybody's ties, an expert declares the own ones."""
    return user.role in {Role.OFFICE, Role.EXPERT}


def may_advise(user: User, opinion: ExpertOpinion) -> bool:
    return user.role == Role.EXPERT and opinion.expert_id == user.pk


def may_publish(user: User) -> bool:
    """Result lists, and the answers to objections."""
    return user.role == Role.OFFICE


def may_see_objections(user: User) -> bool:
    return user.sees_province


def may_reveal_objector(user: User) -> bool:
    """Who objects is for those who look into it."""
    return user.role == Role.OFFICE


# --- agreements


def may_see_agreements(user: User) -> bool:
    return (
        user.sees_province
        or user.role in {Role.CITY_BUREAU, Role.EVALUATOR}
        or user.role in Role.of_a_school()
    )


def may_register_agreements(user: User) -> bool:
    """A school's contact, for the own school."""
    return user.role == Role.SCHOOL_CONTACT


def may_keep_agreements(user: User) -> bool:
    """End or void any of them."""
    return user.role == Role.OFFICE


# --- school filing


def may_see_filings(user: User) -> bool:
    """The list: those in whose scope there is more than one's own school."""
    return user.sees_province or user.role == Role.CITY_BUREAU


def may_see_own_filing(user: User) -> bool:
    return user.role in Role.of_a_school()


def may_file(user: User, school: School) -> bool:
    return user.role == Role.SCHOOL_CONTACT and user.organization_id == school.pk


def may_review_filings(user: User) -> bool:
    return user.role == Role.OFFICE
