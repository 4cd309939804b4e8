"""The verbs of this app: accounts of people, and organisations."""

from accounts.services.organizations import (
    add_alias,
    edit_organization,
    end_membership,
    ends_with,
    join_pilot,
    remove_alias,
)
from accounts.services.people import (
    change_password,
    create_account,
    deactivate,
    edit_account,
    enrol_second_factor,
    hand_over,
    reactivate,
    record_sign_in,
    reset_password,
    reset_second_factor,
    reveal_mobile,
    unlock,
)
from accounts.services.tokens import create_token, find_token, note_use, revoke_token

__all__ = [
    "add_alias",
    "change_password",
    "create_account",
    "create_token",
    "deactivate",
    "edit_account",
    "edit_organization",
    "end_membership",
    "ends_with",
    "enrol_second_factor",
    "find_token",
    "hand_over",
    "join_pilot",
    "note_use",
    "reactivate",
    "record_sign_in",
    "remove_alias",
    "reset_password",
    "reset_second_factor",
    "reveal_mobile",
    "revoke_token",
    "unlock",
]
