"""Cases: the matter and its evidence; what is said and issued in its course; what follows from it."""

from supervision.models.cases import Case, CaseEvidence, CaseQuerySet
from supervision.models.course import CaseDecision, CaseDocument, FollowUp, Statement, WayOut

__all__ = [
    "Case",
    "CaseDecision",
    "CaseDocument",
    "CaseEvidence",
    "CaseQuerySet",
    "FollowUp",
    "Statement",
    "WayOut",
]
