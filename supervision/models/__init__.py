"""Cases: the matter and its evidence; what is said and issued in its course; what follows from it. Feedback on
evaluators, and monitoring points."""

from supervision.models.cases import Case, CaseEvidence, CaseQuerySet
from supervision.models.course import CaseDecision, CaseDocument, FollowUp, Statement, WayOut
from supervision.models.feedback import (
    Feedback,
    FeedbackQuerySet,
    FeedbackQuestion,
    FeedbackQuestionQuerySet,
)
from supervision.models.monitoring import (
    MonitoringPoint,
    MonitoringPointQuerySet,
    MonitoringTurn,
    MonitoringTurnQuerySet,
)

__all__ = [
    "Case",
    "CaseDecision",
    "CaseDocument",
    "CaseEvidence",
    "CaseQuerySet",
    "Feedback",
    "FeedbackQuerySet",
    "FeedbackQuestion",
    "FeedbackQuestionQuerySet",
    "FollowUp",
    "MonitoringPoint",
    "MonitoringPointQuerySet",
    "MonitoringTurn",
    "MonitoringTurnQuerySet",
    "Statement",
    "WayOut",
]
