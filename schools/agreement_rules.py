"""What an agreement must be to be registered; who may confirm, decline, end or void one, and when (HB 三.6)."""

import datetime as dt
from collections.abc import Collection, Iterator, Sequence

from django.core.exceptions import ValidationError

from accounts.models import Role, User
from core import clock
from core.templatetags.portal import full_day
from funding import fees
from schools.clauses import HB
from schools.models import Agreement, AgreementParty, School
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


def faults(
    agreement: Agreement, schools: Sequence[School], at: dt.datetime, unread: Collection[str] = ()
) -> dict[str, list[str]]:
    """What keeps `agreement` of these schools from being registered, by field; files apart.

    `unread`: fields of which nothing is known; they are not judged.
    """
    found: dict[str, list[str]] = {}
    others = ["evaluator", "certificate_level", "cap", "registered_by", "ended_by"]
    try:
        agreement.clean_fields(exclude={*others, *unread})
    except ValidationError as error:
        found |= error.message_dict
    if "certificate_level" not in unread:
        certificate = agreement.certificate_level.certificate
        if certificate.owner_id != agreement.evaluator_id:
            text = f"{agreement.evaluator}不是“{certificate}”的培训评价组织，请选择{certificate.owner}。"
            found.setdefault("certificate_level", []).append(text)
    for name, text in _wrong_days(agreement, clock.local(at).date(), unread):
        found.setdefault(name, []).append(text)
    is_judged = "fee" not in found and {"certificate_level", "fee", "signed_on"}.isdisjoint(unread)
    if is_judged and (texts := fee_refusals(agreement, schools)):
        found["fee"] = texts
    return found


def _wrong_days(agreement: Agreement, today: dt.date, unread: Collection[str]) -> Iterator[tuple[str, str]]:
    is_signed, is_bounded = "signed_on" not in unread, "valid_until" not in unread
    if is_signed and agreement.signed_on > today:
        yield "signed_on", "签署日期还没有到；请在签署以后登记。"
    if is_signed and is_bounded and agreement.valid_until < agreement.signed_on:
        yield "valid_until", "有效期不能早于签署日期。"
    elif is_bounded and agreement.valid_until < today:
        yield "valid_until", "这份协议已经到期，请登记有效的协议。"


def fee_refusals(agreement: Agreement, schools: Sequence[School]) -> list[str]:
    """By the standard and the cap of the day of signing; what holds for all is said once."""
    found: dict[str, None] = {}
    for number, school in enumerate(schools):
        texts = fees.refusals(
            agreement.fee,
            level=agreement.certificate_level,
            day=agreement.signed_on,
            school_id=school.pk,
            reason=agreement.over_cap_reason,
        )
        for text in texts:
            if text not in found:
                found[f"{school}：{text}" if number else text] = None
    return list(found)
