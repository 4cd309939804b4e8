"""Verbs on money: the special fund, cost caps and fee standards."""

from funding.services.caps import remove_cap, remove_policy, set_cap, set_exam_form, set_policy
from funding.services.money import allocate, note_arrival
from funding.services.standards import (
    agree,
    decline,
    file_standard,
    propose_standard,
    refuse,
    resubmit,
    return_standard,
    withdraw,
)

__all__ = [
    "agree",
    "allocate",
    "decline",
    "file_standard",
    "note_arrival",
    "propose_standard",
    "refuse",
    "remove_cap",
    "remove_policy",
    "resubmit",
    "return_standard",
    "set_cap",
    "set_exam_form",
    "set_policy",
    "withdraw",
]
