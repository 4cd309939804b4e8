"""Money: cost caps and fee standards of examinations, and the special fund of the pilot."""

from funding.models.fees import (
    CostElement,
    FeeCap,
    FeeCapQuerySet,
    FeePolicy,
    FeeStandard,
    FeeStandardQuerySet,
    StandardConsent,
    StandardCost,
)
from funding.models.money import Allocation, AllocationQuerySet

__all__ = [
    "Allocation",
    "AllocationQuerySet",
    "CostElement",
    "FeeCap",
    "FeeCapQuerySet",
    "FeePolicy",
    "FeeStandard",
    "FeeStandardQuerySet",
    "StandardConsent",
    "StandardCost",
]
