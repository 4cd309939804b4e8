"""Who may see cases and who may act in them: pure predicates."""

from accounts.models import Role, User
from supervision.models import Case, Feedback, FeedbackQuestion


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


# --- feedback on evaluators


def may_file_feedback(user: User) -> bool:
    """A school's own people (HB 三.6: 试点院校要及时发现并反馈)."""
    return user.role in Role.of_a_school()


def may_see_feedback(user: User) -> bool:
    """The list: whoever files it, handles it or reads all of the province's supervision."""
    watches = user.sees_province and user.sees_reporting
    return watches or may_file_feedback(user) or user.role == Role.COORDINATOR


def may_see_feedback_counts(user: User) -> bool:
    """Numbers by evaluator and ground, without any text; a city those of its schools."""
    watches = user.sees_province and user.sees_reporting
    return watches or user.role in {Role.COORDINATOR, Role.CITY_BUREAU, Role.EVALUATOR}


def may_assign_feedback(user: User) -> bool:
    return user.role == Role.OFFICE


def may_answer_feedback(user: User, feedback: Feedback) -> bool:
    """The office; a coordinator what was assigned to him or her."""
    assigned = user.role == Role.COORDINATOR and feedback.assignee_id == user.pk
    return user.role == Role.OFFICE or assigned


def may_answer_question(user: User, question: FeedbackQuestion) -> bool:
    return user.role == Role.EVALUATOR and user.organization_id == question.evaluator_id


def may_see_questions(user: User) -> bool:
    watches = user.sees_province and user.sees_reporting
    return watches or user.role in {Role.EVALUATOR, Role.COORDINATOR}


# --- monitoring points


def may_see_monitoring(user: User) -> bool:
    by_role = user.role in {Role.COORDINATOR, Role.CITY_BUREAU, Role.EVALUATOR}
    return user.sees_province or by_role or user.role in Role.of_a_school()


def may_choose_points(user: User) -> bool:
    return user.role == Role.OFFICE
