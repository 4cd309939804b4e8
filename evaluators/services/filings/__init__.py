"""Verbs on evaluators' filings (SX 三.8, 附件3): what is owed, handing in, the province's answers, papers."""

from evaluators.services.filings.handing_in import ONLY_OWNER, save_draft, submit_filing
from evaluators.services.filings.owing import NOT_RUNNING, duties, owe_filings
from evaluators.services.filings.papers import ONLY_REVEAL, ONLY_SCAN, attach_scan, reveal
from evaluators.services.filings.reviews import accept_filing, refuse_filing, return_filing

__all__ = [
    "NOT_RUNNING",
    "ONLY_OWNER",
    "ONLY_REVEAL",
    "ONLY_SCAN",
    "accept_filing",
    "attach_scan",
    "duties",
    "owe_filings",
    "refuse_filing",
    "return_filing",
    "reveal",
    "save_draft",
    "submit_filing",
]
