"""Verbs on cases: what the sweep flags, and each step of the procedure."""

from supervision.services.decisions import accept, dismiss, drop, fail, rectify, reverse, revoke
from supervision.services.flagging import Finding, flag
from supervision.services.papers import attach_scan
from supervision.services.procedure import (
    add_evidence_files,
    advance,
    certify_platform,
    confirm_streak,
    investigate,
    notify,
    open_case,
)
from supervision.services.statements import discard_file, save_statement, send_statement
from supervision.services.telling import watchers
from supervision.services.withdrawal import finish_follow_up, write_ways_out

__all__ = [
    "Finding",
    "accept",
    "add_evidence_files",
    "advance",
    "attach_scan",
    "certify_platform",
    "confirm_streak",
    "discard_file",
    "dismiss",
    "drop",
    "fail",
    "finish_follow_up",
    "flag",
    "investigate",
    "notify",
    "open_case",
    "rectify",
    "reverse",
    "revoke",
    "save_statement",
    "send_statement",
    "watchers",
    "write_ways_out",
]
