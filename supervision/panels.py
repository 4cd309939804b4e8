"""What stands of supervision on an evaluator's page."""

from typing import Any

from accounts.models import User
from evaluators.models import Evaluator
from supervision import feedback_counts, permissions


def feedback(user: User, evaluator: Evaluator) -> dict[str, Any] | None:
    """How much was told of it, by ground and month: for those who may read the feedback itself."""
    reads = permissions.may_see_feedback(user) and permissions.may_see_feedback_counts(user)
    if not reads:
        return None
    rows = feedback_counts.numbers(user, evaluator.organization_id)
    return {
        "template": "supervision/feedback/_panel.html",
        "numbers": rows[0] if rows else None,
        "months": feedback_counts.MONTHS,
        "many": feedback_counts.MANY,
        "many_schools": feedback_counts.MANY_SCHOOLS,
        "clause": feedback_counts.CLAUSE,
    }
