"""Who may confirm, decline, end or void a cooperation agreement, and when (HB 三.6)."""

import datetime as dt

from accounts.models import Role, User
from core import clock
from core.templatetags.portal import full_day
from schools.clauses import HB
from schools.models import Agreement, AgreementParty
from schools.permissions import may_keep_agreements, may_register_agreements

CLAUSE = f"{HB} 三.6"


def party_of(agreement: Agreement, user: User) -> AgreementParty | None:
    """The user's own school among the parties (as loaded); None for everybody else."""
    if user.role not in Role.of_a_school():
        return None
    return next((p for p in agreement.parties.all() if p.school_id == user.organization_id), None)


def forbids(action: str, agreement: Agreement, user: User) -> str:
    """Why this user may never `confirm`, `decline`, `end`, `void` or `add` files to it; ""."""
    is_party = may_register_agreements(user) and party_of(agreement, user) is not None
    if action in {"confirm", "decline"}:
        return "" if is_party else "由受邀共同签署的院校联系人确认或答复。"
    is_registrar = is_party and agreement.organization_id == user.organization_id
    if action == "add":
        return "" if is_registrar else "由登记这份协议的院校联系人补充文件。"
    if may_keep_agreements(user) or (is_party and action == "end"):
        return ""
    if action == "end":
        return f"由签署协议的院校联系人或省推进办终止（{CLAUSE}）。"
    return "" if is_registrar else "由登记这份协议的院校联系人或省推进办作废。"


def not_now(action: str, agreement: Agreement, user: User, at: dt.datetime) -> str:
    """Why the action does not fit how the agreement stands; ""."""
    if agreement.is_void:
        return "这份协议登记有误，已经作废。"
    if agreement.ended_on:
        return f"这份协议已于{full_day(agreement.ended_on)}终止。"
    if action == "add":
        return ""
    if action == "void":
        return _used(agreement, user)
    if agreement.valid_until < clock.local(at).date():
        return f"这份协议已于{full_day(agreement.valid_until)}到期。继续合作的，请续签后重新登记。"
    if (party := party_of(agreement, user)) is None:
        return ""
    return _not_now_for(party, action)


def _not_now_for(party: AgreementParty, action: str) -> str:
    if party.state == "left":
        return f"本校已于{full_day(party.left_on)}终止这份协议。"
    if party.state == "declined":
        return f"本校已于{full_day(party.left_on)}答复不参加。确已签署的，请由本校登记这份协议。"
    if party.state == "confirmed" and action != "end":
        return "本校已经确认这份协议。"
    if party.state == "unconfirmed" and action == "end":
        return "本校还没有确认这份协议，不需要终止；请确认，或答复不参加。"
    return ""


def _used(agreement: Agreement, user: User) -> str:
    if agreement.items.exists():
        return "已有申报项目使用这份协议，不能作废；确需停止的，请终止协议。"
    others = [p for p in agreement.parties.all() if p.confirmed_at and p.school_id != user.organization_id]
    if others and not may_keep_agreements(user):
        return f"已有 {len(others)} 所共同签署的院校确认，不能作废；请终止协议，或与省推进办联系。"
    return ""


def stays_for_others(agreement: Agreement, user: User) -> bool:
    """Whether an end by this user is one school's alone: another that has confirmed goes on with it."""
    own = party_of(agreement, user)
    return own is not None and any(
        party.state == "confirmed" and party.school_id != own.school_id for party in agreement.parties.all()
    )
