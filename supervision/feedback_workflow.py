"""The lifecycle of a feedback, as a table: filed → assigned → answered → closed; assigning may be left out, and ends
with the assignee's account."""

from accounts.models import User
from core.workflow import Transition, Workflow
from supervision.models import Feedback
from supervision.permissions import may_answer_feedback, may_assign_feedback

S = Feedback.State


def _office_only(user: User, feedback: Feedback) -> str:
    return "" if may_assign_feedback(user) else "反馈由省推进办交办、办结。"


def _handler_only(user: User, feedback: Feedback) -> str:
    return "" if may_answer_feedback(user, feedback) else "反馈由省推进办或经其交办的对接专员答复。"


feedback = Workflow(
    (
        Transition(
            "feedback_assign",
            "交办",
            (S.FILED, S.ASSIGNED),
            S.ASSIGNED,
            forbids=_office_only,
            asks=("assignee",),
        ),
        Transition("feedback_take_back", "收回交办", (S.ASSIGNED,), S.FILED, by_job=True),
        Transition(
            "feedback_answer",
            "答复",
            (S.FILED, S.ASSIGNED),
            S.ANSWERED,
            forbids=_handler_only,
            asks=("answer", "measures"),
        ),
        Transition(
            "feedback_close", "办结", (S.ANSWERED,), S.CLOSED, forbids=_office_only, asks=("comment",)
        ),
    )
)
