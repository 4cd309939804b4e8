"""Verbs on exam sites (考核站点, MOE 三(一)): applying, answers, the end of a site."""

from evaluators.services.sites.answers import agree, file, refuse, send_back
from evaluators.services.sites.applying import (
    BY_THE_SCHOOL,
    NO_CONDITION,
    apply,
    reapply,
    why_not_apply,
    withdraw,
)
from evaluators.services.sites.duties import duties_of
from evaluators.services.sites.ending import (
    ANSWERED_BY_THE_OFFICE,
    ENDING_BY_THE_SCHOOL,
    ask_to_end,
    end,
    end_all,
    ending_words,
    keep,
    lapse,
    standing_of,
    why_not_ask_to_end,
    why_not_keep,
)

__all__ = [
    "ANSWERED_BY_THE_OFFICE",
    "BY_THE_SCHOOL",
    "ENDING_BY_THE_SCHOOL",
    "NO_CONDITION",
    "agree",
    "apply",
    "ask_to_end",
    "duties_of",
    "end",
    "end_all",
    "ending_words",
    "file",
    "keep",
    "lapse",
    "reapply",
    "refuse",
    "send_back",
    "standing_of",
    "why_not_apply",
    "why_not_ask_to_end",
    "why_not_keep",
    "withdraw",
]
