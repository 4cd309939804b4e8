"""Training-evaluation organisations: their filings, activities, trainers, resources, exam sites."""

from evaluators.models.activities import (
    Activity,
    ActivityQuerySet,
    Qualification,
    QualificationQuerySet,
    Resource,
    SignUp,
    Teacher,
    Trainer,
    TrainingRule,
    levels_visible_to,
)
from evaluators.models.filings import EvaluatorFiling, EvaluatorFilingQuerySet, EvaluatorFilingVersion
from evaluators.models.profiles import Charge, Evaluator, EvaluatorQuerySet
from evaluators.models.sites import (
    ExamSite,
    ExamSiteQuerySet,
    SchoolPlace,
    SiteCondition,
    SiteRule,
)

__all__ = [
    "Activity",
    "ActivityQuerySet",
    "Charge",
    "Evaluator",
    "EvaluatorFiling",
    "EvaluatorFilingQuerySet",
    "EvaluatorFilingVersion",
    "EvaluatorQuerySet",
    "ExamSite",
    "ExamSiteQuerySet",
    "Qualification",
    "QualificationQuerySet",
    "Resource",
    "SchoolPlace",
    "SignUp",
    "SiteCondition",
    "SiteRule",
    "Teacher",
    "Trainer",
    "TrainingRule",
    "levels_visible_to",
]
