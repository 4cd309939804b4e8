"""Pilot schools and what they run, their agreements, application rounds, applications, filings.

Every interval is half-open: what arrives at `t` is in time when `t < closing`.
"""

from schools.models.agreements import Agreement, AgreementParty, AgreementQuerySet
from schools.models.applications import (
    Application,
    ApplicationItem,
    ApplicationItemQuerySet,
    ApplicationQuerySet,
    ApplicationVersion,
    ExpertInterest,
    ExpertOpinion,
    ExpertOpinionQuerySet,
    ItemFile,
    ItemMajor,
)
from schools.models.filings import SchoolFiling, SchoolFilingQuerySet, SchoolFilingVersion
from schools.models.publications import Objection, ObjectionQuerySet, PlatformApproval, ResultList
from schools.models.rounds import (
    ApplicationRound,
    ApplicationRoundQuerySet,
    Closings,
    RoundExtension,
    RoundRoute,
)
from schools.models.schools import (
    AnnualPlan,
    AnnualPlanQuerySet,
    Programme,
    ProgrammeQuerySet,
    School,
    SchoolQuerySet,
)

__all__ = [
    "Agreement",
    "AgreementParty",
    "AgreementQuerySet",
    "AnnualPlan",
    "AnnualPlanQuerySet",
    "Application",
    "ApplicationItem",
    "ApplicationItemQuerySet",
    "ApplicationQuerySet",
    "ApplicationRound",
    "ApplicationRoundQuerySet",
    "ApplicationVersion",
    "Closings",
    "ExpertInterest",
    "ExpertOpinion",
    "ExpertOpinionQuerySet",
    "ItemFile",
    "ItemMajor",
    "Objection",
    "ObjectionQuerySet",
    "PlatformApproval",
    "Programme",
    "ProgrammeQuerySet",
    "ResultList",
    "RoundExtension",
    "RoundRoute",
    "School",
    "SchoolFiling",
    "SchoolFilingQuerySet",
    "SchoolFilingVersion",
    "SchoolQuerySet",
]
