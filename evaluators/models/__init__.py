"""Training-evaluation organisations: their filings, activities, trainers, resources, exam sites."""

from evaluators.models.activities import Activity, ActivityQuerySet, SignUp, Teacher
from evaluators.models.filings import EvaluatorFiling, EvaluatorFilingQuerySet, EvaluatorFilingVersion
from evaluators.models.profiles import Charge, Evaluator, EvaluatorQuerySet
from evaluators.models.qualifications import Qualification, QualificationQuerySet, TrainingRule
from evaluators.models.resources import Resource, levels_visible_to
from evaluators.models.sites import (
    ExamSite,
    ExamSiteQuerySet,
    SchoolPlace,
    SiteCondition,
    SiteRule,
)
from evaluators.models.trainers import Trainer

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
