"""Who may do what with evaluators, their filings and what depends on them: pure predicates."""

from accounts.models import Role, User
from certificates.models import Certificate
from evaluators.models import EvaluatorFiling, ExamSite

FILING_CLAUSE = "晋教职成〔2020〕9号 三.8"
FILING_FIRST = (
    "这个证书的评价组织备案还没有予以备案。请先在“评价组织备案”填报备案表（附件3）并由省推进办备案，"
    f"之后才能备案活动、考核站点和考核费用标准（{FILING_CLAUSE}）。"
)

# --- filings


def has_filing(certificate: Certificate) -> bool:
    """Whether a filing of the certificate was accepted, whatever is being changed since."""
    return EvaluatorFiling.objects.accepted().filter(pk=certificate.pk).exists()


def why_not_before_filing(certificate: Certificate) -> str:
    """Why no activity, site or fee standard of the certificate may come yet (SX 三.8); "" when it may."""
    return "" if has_filing(certificate) else FILING_FIRST


def may_file(user: User, certificate: Certificate) -> bool:
    """Fill in and submit 附件3: the officers of the organisation that owns the certificate."""
    return user.role == Role.EVALUATOR and user.organization_id == certificate.owner_id


def may_see_filings(user: User) -> bool:
    return user.sees_province or user.role in {Role.COORDINATOR, Role.EVALUATOR}


def may_review_filings(user: User) -> bool:
    return user.role == Role.OFFICE


def may_see_phones(user: User, certificate: Certificate) -> bool:
    """Who has to reach the people responsible: the office, the coordinator, the organisation itself."""
    return user.role in {Role.OFFICE, Role.COORDINATOR} or may_file(user, certificate)


def may_reveal(user: User, certificate: Certificate) -> bool:
    """See ID number and home address in full, each time with a reason that is recorded."""
    return may_review_filings(user) or may_file(user, certificate)


# --- charges of coordinators


def may_keep_charges(user: User) -> bool:
    """Who gives evaluators to coordinators (MOE 一(一))."""
    return user.role == Role.OFFICE


def may_see_charges(user: User) -> bool:
    return user.sees_province or user.role == Role.COORDINATOR


# --- activities, trainers, teachers, resources


def may_see_activities(user: User) -> bool:
    by_role = user.role in {Role.COORDINATOR, Role.CITY_BUREAU, Role.EVALUATOR}
    return user.sees_province or by_role or user.role in Role.of_a_school()


def may_file_activities(user: User) -> bool:
    return user.role == Role.EVALUATOR


def may_keep_activity(user: User, organization_id: int) -> bool:
    """Change, complete, cancel it, and record who came: the organisation that filed it."""
    return user.role == Role.EVALUATOR and user.organization_id == organization_id


def may_return_activities(user: User) -> bool:
    return user.role == Role.OFFICE


def may_sign_up(user: User) -> bool:
    """A school's contact, for the teachers of the own school."""
    return user.role == Role.SCHOOL_CONTACT


def may_see_trainers(user: User) -> bool:
    return user.sees_province or user.role in {Role.COORDINATOR, Role.EVALUATOR}


def may_keep_trainers(user: User) -> bool:
    return user.role == Role.EVALUATOR


def may_see_teachers(user: User) -> bool:
    by_role = user.role in {Role.CITY_BUREAU, Role.EVALUATOR}
    return user.sees_province or by_role or user.role in Role.of_a_school()


def may_keep_teachers(user: User) -> bool:
    return user.role == Role.SCHOOL_CONTACT


def may_see_ratios(user: User) -> bool:
    """Trainers beside planned candidates: a school's own, a city's, all the province's."""
    return user.sees_province or user.role == Role.CITY_BUREAU or user.role in Role.of_a_school()


def may_see_resources(user: User) -> bool:
    return may_see_activities(user)


def may_keep_resources(user: User, certificate: Certificate) -> bool:
    return user.role == Role.EVALUATOR and user.organization_id == certificate.owner_id


def may_set_training_rule(user: User) -> bool:
    return user.role == Role.OFFICE


# --- exam sites


def may_see_sites(user: User) -> bool:
    """Conditions and filed sites are published to society (MOE 三(一)); the list here is for who works."""
    return user.role != Role.LEARNER


def may_publish_conditions(user: User, certificate: Certificate) -> bool:
    return user.role == Role.EVALUATOR and user.organization_id == certificate.owner_id


def may_apply_for_sites(user: User) -> bool:
    """A pilot school's contact, for the own school."""
    return user.role == Role.SCHOOL_CONTACT


def may_agree_to_sites(user: User, certificate: Certificate) -> bool:
    return user.role == Role.EVALUATOR and user.organization_id == certificate.owner_id


def may_file_sites(user: User) -> bool:
    return user.role == Role.OFFICE


def may_import_sites(user: User) -> bool:
    return user.role == Role.OFFICE


def may_see_coverage(user: User) -> bool:
    """Numbers by city: the province's, a city's own row, an evaluator's own certificates."""
    return user.sees_province or user.role in {Role.COORDINATOR, Role.CITY_BUREAU, Role.EVALUATOR}


def may_set_site_rule(user: User) -> bool:
    return user.role == Role.OFFICE


def is_of_a_school(user: User) -> bool:
    return user.role in Role.of_a_school()


def may_see_review(user: User, site: ExamSite) -> bool:
    """Comments and history of an application: not for those to whom only the filed site is public."""
    return ExamSite.objects.of_party(user).filter(pk=site.pk).exists()
