"""Verbs on cooperation agreements (试点合作协议, HB 三.6). Instants are aware (UTC), days local.

An agreement is registered by the contact of one school; the others that signed it count once their own
contact has said yes. What is registered is not changed: a mistake is voided and registered anew.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.urls import reverse

from accounts.models import Organization, Role, User
from certificates.models import CertificateLevel
from core import clock, events, notices
from core.attachments import attach
from core.templatetags.portal import full_day
from funding import fees
from schools.agreement_rules import CLAUSE, faults, fee_refusals, forbids, not_now, party_of, stays_for_others
from schools.models import Agreement, AgreementParty, School
from schools.permissions import may_register_agreements

events.register(
    agreement_registered="登记合作协议",
    agreement_confirmed="确认合作协议",
    agreement_declined="不参加合作协议",
    agreement_left="本校终止合作协议",
    agreement_ended="终止合作协议",
    agreement_voided="作废合作协议",
)

BY_THE_SCHOOL = f"合作协议由签署协议的院校联系人登记（{CLAUSE}）。"
NO_FILE = f"请上传已签署的协议：签署试点合作协议前，不得开展试点（{CLAUSE}）。"
NO_EVIDENCE = f"请上传说明情况的材料：情况恶劣的要坚决停止合作（{CLAUSE}），须有据可查。"
CONTENT = ("evaluator", "certificate_level", "fee", "signed_on", "valid_until", "reference")


def _locked(agreement: Agreement) -> Agreement:
    """The row as it is now, with its parties: the steps on one agreement come one after the other."""
    locked = Agreement.objects.select_for_update(of=("self",)).select_related(
        "evaluator", "certificate_level__certificate", "registered_by"
    )
    return locked.prefetch_related("parties").get(pk=agreement.pk)


def _checked(action: str, agreement: Agreement, by: User, at: dt.datetime) -> Agreement:
    """The agreement, locked, for an action that is allowed now. Raises PermissionDenied, ValidationError."""
    fresh = _locked(agreement)
    if refusal := forbids(action, fresh, by):
        raise PermissionDenied(refusal)
    if reason := not_now(action, fresh, by, at):
        raise ValidationError(reason)
    return fresh


# --- Register


@transaction.atomic
def register(
    *,
    evaluator: Organization,
    certificate_level: CertificateLevel,
    fee: Decimal,
    signed_on: dt.date,
    valid_until: dt.date,
    files: Sequence[Any],
    by: User,
    at: dt.datetime,
    reference: str = "",
    others: Iterable[School] = (),
    over_cap_reason: str = "",
) -> Agreement:
    """Register what the school of `by` has signed; `others` signed the same and are asked to confirm.

    The same content again within the school gives the agreement that is there. Raises PermissionDenied,
    ValidationError by field (fee: above the standard or the cap of the day of signing).
    """
    if not may_register_agreements(by):
        raise PermissionDenied(BY_THE_SCHOOL)
    school = _own_school(by)
    partners = [other for other in dict.fromkeys(others) if other != school]
    agreement = Agreement(
        evaluator=evaluator,
        certificate_level=certificate_level,
        fee=fee,
        signed_on=signed_on,
        valid_until=valid_until,
        reference=reference.strip(),
        over_cap_reason=over_cap_reason.strip(),
        registered_by=by,
        registered_at=at,
    )
    found = faults(agreement, [school, *partners], at)
    if not files:
        found["files"] = [NO_FILE]
    if found:
        raise ValidationError(found)
    if twin := _twin(agreement, school, partners):
        return twin
    _refuse_invited(agreement, school)
    agreement.cap = fees.limit_on(certificate_level, signed_on, school_id=school.pk).cap
    agreement.save()
    _add_parties(agreement, school, partners)
    for upload in files:
        attach(target=agreement, upload=upload, by=by, at=at)
    _record_registered(agreement, school, partners)
    _invite(agreement, school, partners, at)
    return agreement


def _own_school(by: User) -> School:
    """Locked: one school's registrations wait for each other, so that the same form sent twice meets the first."""
    schools = School.objects.select_for_update(of=("self",)).select_related("organization")
    return schools.get(pk=by.organization_id)


def _twin(agreement: Agreement, school: School, partners: Sequence[School]) -> Agreement | None:
    """One of the same content that the school has registered and that stands as it was registered."""
    same = {name: getattr(agreement, name) for name in CONTENT}
    wanted = {school.pk, *(partner.pk for partner in partners)}
    candidates = Agreement.objects.filter(
        **same, ended_on=None, registered_by__organization=school.pk
    ).prefetch_related("parties")
    for candidate in candidates:
        if {party.school_id for party in candidate.parties.all() if party.left_on is None} == wanted:
            return candidate
    return None


def _refuse_invited(agreement: Agreement, school: School) -> None:
    """One paper is one agreement: where another school has registered it, this one confirms."""
    same = {name: getattr(agreement, name) for name in CONTENT if name != "reference"}
    invited = Agreement.objects.filter(
        **same, ended_on=None, parties__school=school, parties__confirmed_at=None, parties__left_on=None
    )
    if found := invited.select_related("registered_by__organization").first():
        raise ValidationError(
            f"{found.registered_by.organization}已登记这份协议，写明本校共同签署。"
            "请在“合作协议”中确认，不需要再登记；确是另一份协议的，请先对那一份答复不参加。"
        )


def _add_parties(agreement: Agreement, school: School, partners: Sequence[School]) -> None:
    own = AgreementParty(
        agreement=agreement,
        school=school,
        confirmed_at=agreement.registered_at,
        confirmed_by=agreement.registered_by,
    )
    invited = [AgreementParty(agreement=agreement, school=partner) for partner in partners]
    AgreementParty.objects.bulk_create([own, *invited])


def _record_registered(agreement: Agreement, school: School, partners: Sequence[School]) -> None:
    changes: dict[str, Any] = {
        "证书等级": str(agreement.certificate_level),
        "培训评价组织": str(agreement.evaluator),
        "考核费用（元/人）": f"{agreement.fee:.2f}",
        "签署日期": agreement.signed_on.isoformat(),
        "有效期至": agreement.valid_until.isoformat(),
    }
    more = {
        "协议编号": agreement.reference,
        "高于上限的理由": agreement.over_cap_reason,
        "共同签署院校": [str(partner) for partner in partners],
    }
    events.record(
        "agreement_registered",
        agreement,
        by=agreement.registered_by,
        at=agreement.registered_at,
        organization_id=school.pk,
        changes=changes | {name: value for name, value in more.items() if value},
    )


# --- What the other schools say


@transaction.atomic
def confirm(agreement: Agreement, *, by: User, at: dt.datetime) -> AgreementParty:
    """The own school says that it signed this too; again: nothing changes.

    Raises PermissionDenied, ValidationError (the fee is judged again, for this school).
    """
    own = party_of(_locked(agreement), by)
    if own and own.state == "confirmed" and may_register_agreements(by):
        return own
    fresh = _checked("confirm", agreement, by, at)
    party = fresh.parties.select_related("school__organization").get(school=by.organization_id)
    if texts := fee_refusals(fresh, [party.school]):
        raise ValidationError(texts)
    party.confirmed_at, party.confirmed_by = at, by
    party.save(update_fields=["confirmed_at", "confirmed_by"])
    events.record("agreement_confirmed", fresh, by=by, at=at, organization_id=party.school_id)
    text = f"{party.school}已确认共同签署{fresh}。"
    _tell(fresh, {fresh.organization_id}, f"confirmed:{party.school_id}", text, at)
    return party


@transaction.atomic
def decline(agreement: Agreement, *, reason: str, by: User, at: dt.datetime) -> AgreementParty:
    """The own school did not sign this, or will not take part. Raises PermissionDenied, ValidationError."""
    fresh = _checked("decline", agreement, by, at)
    party = _leave(fresh, clock.local(at).date(), reason, "agreement_declined", by, at)
    text = f"{party.school}答复不参加{fresh}：{party.left_reason}"
    _tell(fresh, {fresh.organization_id}, f"declined:{party.school_id}", text, at)
    return party


def _leave(
    agreement: Agreement, day: dt.date, reason: str, action: str, by: User, at: dt.datetime
) -> AgreementParty:
    if not reason.strip():
        raise ValidationError({"reason": "请写明原因。"})
    party = agreement.parties.select_related("school__organization").get(school=by.organization_id)
    party.left_on, party.left_by, party.left_reason = day, by, reason.strip()
    party.save(update_fields=["left_on", "left_by", "left_reason"])
    events.record(action, agreement, by=by, at=at, organization_id=party.school_id, reason=party.left_reason)
    return party


@transaction.atomic
def add_files(agreement: Agreement, *, files: Sequence[Any], by: User, at: dt.datetime) -> Agreement:
    """Scans that belong to it and came later; none is taken off. Raises PermissionDenied, ValidationError."""
    fresh = _checked("add", agreement, by, at)
    if not files:
        raise ValidationError({"files": NO_FILE})
    for upload in files:
        attach(target=fresh, upload=upload, by=by, at=at)
    return fresh


# --- End and void


@transaction.atomic
def end(
    agreement: Agreement, *, ended_on: dt.date, reason: str, files: Sequence[Any], by: User, at: dt.datetime
) -> Agreement:
    """For cause, with evidence (HB 三.6); from `ended_on` on it is not in force.

    One school of several ends it for itself; the last one and the office end it for all. Raises
    PermissionDenied, ValidationError by field.
    """
    fresh = _checked("end", agreement, by, at)
    _require_cause(fresh, ended_on, reason, files, clock.local(at).date())
    for upload in files:
        attach(target=fresh, upload=upload, by=by, at=at)
    if stays_for_others(fresh, by):
        party = _leave(fresh, ended_on, reason, "agreement_left", by, at)
        text = (
            f"{party.school}自{full_day(ended_on)}起终止{fresh}；其他院校的协议不变。原因：{reason.strip()}"
        )
        _tell(fresh, _concerned(fresh), f"left:{party.school_id}", text, at)
        return fresh
    _end(fresh, ended_on, reason, by)
    changes = {"终止日期": ended_on.isoformat()}
    events.record(
        "agreement_ended",
        fresh,
        by=by,
        at=at,
        organization_id=fresh.organization_id,
        changes=changes,
        reason=fresh.end_reason,
    )
    text = f"{fresh}自{full_day(ended_on)}起终止。原因：{fresh.end_reason}"
    _tell(fresh, _concerned(fresh), "ended", text, at)
    return fresh


@transaction.atomic
def void(agreement: Agreement, *, reason: str, by: User, at: dt.datetime) -> Agreement:
    """Take back what was registered by mistake, before anything rests on it: it was in force on no day.

    Raises PermissionDenied, ValidationError.
    """
    fresh = _checked("void", agreement, by, at)
    if not reason.strip():
        raise ValidationError({"reason": "请写明原因。"})
    fresh.is_void = True
    _end(fresh, fresh.signed_on, reason, by)
    events.record(
        "agreement_voided",
        fresh,
        by=by,
        at=at,
        organization_id=fresh.organization_id,
        reason=fresh.end_reason,
    )
    text = f"{fresh}登记有误，已作废：{fresh.end_reason}"
    _tell(fresh, _concerned(fresh), "voided", text, at)
    return fresh


def _require_cause(
    agreement: Agreement, ended_on: dt.date, reason: str, files: Sequence[Any], today: dt.date
) -> None:
    found: dict[str, str] = {}
    if not agreement.signed_on <= ended_on <= today:
        found["ended_on"] = f"终止日期应在签署日期（{full_day(agreement.signed_on)}）和今天之间。"
    if not reason.strip():
        found["reason"] = "请写明原因。"
    if not files:
        found["files"] = NO_EVIDENCE
    if found:
        raise ValidationError(found)


def _end(agreement: Agreement, ended_on: dt.date, reason: str, by: User) -> None:
    agreement.ended_on, agreement.ended_by, agreement.end_reason = ended_on, by, reason.strip()
    agreement.save(update_fields=["ended_on", "ended_by", "end_reason", "is_void"])


# --- Notices


def _invite(agreement: Agreement, school: School, partners: Sequence[School], at: dt.datetime) -> None:
    price = f"{agreement.fee:.2f} 元/人，{full_day(agreement.signed_on)}签"
    text = f"{school}登记了{agreement}（{price}），写明本校共同签署。请核对后确认；本校确认以前不作数。"
    _tell(agreement, {partner.pk for partner in partners}, "invited", text, at)
    told = f"{school}登记了与贵单位签署的{agreement}（{price}）。有不符的，请与学校或省推进办联系。"
    _tell(agreement, {agreement.evaluator_id}, "registered", told, at)


def _concerned(agreement: Agreement) -> set[int | None]:
    """The evaluator and the schools that have not said no."""
    schools = {p.school_id for p in agreement.parties.all() if p.state != "declined"}
    return {agreement.evaluator_id, *schools}


def _tell(agreement: Agreement, organizations: set[Any], step: str, text: str, at: dt.datetime) -> None:
    people = User.objects.active().filter(
        organization__in=organizations, role__in=[Role.SCHOOL_CONTACT, Role.EVALUATOR]
    )
    link = reverse("agreements:detail", args=[agreement.pk])
    key = f"agreement:{agreement.pk}:{step}"
    notices.tell([notices.Message(person.pk, key, text, link) for person in people], at=at)
