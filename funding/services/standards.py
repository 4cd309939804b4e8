"""Verbs on fee standards: proposed by the evaluator, agreed with schools, filed by the province (SX 三.8)."""

import datetime as dt
import uuid
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import transaction
from django.urls import reverse

from accounts.models import Organization, Role, User
from certificates.models import CertificateLevel
from core import drafts, events, notices
from core.models import Event
from core.templatetags.portal import full_day, when
from core.workflow import NotNow
from funding import fees, gates, permissions, running
from funding.models import CostElement, FeeStandard, StandardConsent, StandardCost
from funding.services.caps import note_exam_form
from funding.workflow import standards
from obligations.closing import people_of

events.register(
    fee_standard_proposed="提出考核费用标准",
    fee_standard_agreed="院校同意考核费用标准",
    fee_standard_declined="院校不同意考核费用标准",
)

# What schools agree to: when one of these changes, they are asked anew.
AGREED_UPON = ("exam_form", "organization", "amount", "effective_from")
Costs = dict[CostElement, Decimal]
ONLY_EVALUATOR = "考核费用标准由该证书的培训评价组织提出（晋教职成〔2020〕9号 三.8）。"
ONLY_CONCERNED = (
    "只有开展或申报了这个证书等级的院校可以答复（晋教职成〔2020〕9号 三.8：与试点院校具体协商）。"
)
ONLY_SCHOOL = "是否同意由试点院校的联系人答复（晋教职成〔2020〕9号 三.8：与试点院校具体协商）。"


@transaction.atomic
def propose_standard(*, fields: dict[str, Any], costs: Costs, by: User, at: dt.datetime) -> FeeStandard:
    """`fields`: certificate_level, exam_form, organization (or None: all schools), amount, effective_from,
    basis, over_cap_reason. `costs`: yuan by cost item.

    Judged against the cap of its first day. Raises ValidationError, PermissionDenied.
    """
    level = CertificateLevel.objects.select_for_update().get(pk=fields["certificate_level"].pk)
    if not (permissions.may_propose(by) and level.certificate.owner_id == by.organization_id):
        raise PermissionDenied(ONLY_EVALUATOR)
    standard = FeeStandard(**fields, evaluator_id=by.organization_id, proposed_by=by, proposed_at=at)
    check(standard, costs, at)
    standard.save()
    _write_costs(standard, costs)
    events.record(
        "fee_standard_proposed",
        standard,
        by=by,
        at=at,
        organization_id=standard.evaluator_id,
        to_state=standard.state,
        changes=_told(standard),
    )
    if standard.organization_id:
        _tell(
            standard,
            "proposed",
            "提出了只适用本校的考核费用标准，请答复是否同意",
            {standard.organization_id},
            at,
        )
    return standard


@standards.verb("standard_propose")
@transaction.atomic
def resubmit(
    standard: FeeStandard, *, fields: dict[str, Any], costs: Costs, by: User, at: dt.datetime
) -> FeeStandard:
    """A returned one, mended. Schools that agreed to another amount, form or day are asked anew.

    Raises NotNow, ValidationError, PermissionDenied.
    """
    CertificateLevel.objects.select_for_update().get(pk=standard.certificate_level_id)
    before = FeeStandard.objects.get(pk=standard.pk)
    mended = FeeStandard.objects.get(pk=standard.pk)
    fields = {name: value for name, value in fields.items() if name != "certificate_level"}
    for name, value in fields.items():
        setattr(mended, name, value)
    changes = {
        label: [old, new]
        for (label, old), new in zip(_told(before).items(), _told(mended).values(), strict=True)
        if old != new
    }
    if any(getattr(before, name) != getattr(mended, name) for name in AGREED_UPON):
        changes |= _ask_anew(mended, at)
    fresh: FeeStandard = standards.perform(
        "standard_propose",
        standard,
        by=by,
        at=at,
        changes=changes,
        values=fields | {"proposed_by": by, "proposed_at": at},
        organization_id=standard.evaluator_id,
    )
    check(fresh, costs, at, returned=before)
    fresh.save(update_fields=["cap"])
    _write_costs(fresh, costs)
    return fresh


def _ask_anew(standard: FeeStandard, at: dt.datetime) -> dict[str, Any]:
    consents = list(standard.consents.select_related("organization"))
    if not consents:
        return {}
    schools = {consent.organization_id for consent in consents}
    _tell(standard, f"anew:{at.isoformat()}", "有改动，原来的同意不再有效，请重新答复", schools, at)
    standard.consents.all().delete()
    return {"须重新同意": "、".join(str(consent.organization) for consent in consents)}


def mark(standard: FeeStandard) -> str:
    """What one has read of a standard; another mark means that it was mended since."""
    return _mark(standard, {cost.element: cost.amount for cost in standard.costs.select_related("element")})


def _mark(standard: FeeStandard, costs: Costs) -> str:
    told = {str(element.pk): f"{amount:.2f}" for element, amount in costs.items()}
    why = {"测算说明": standard.basis, "高于上限的理由": standard.over_cap_reason}
    return drafts.content_hash({**_told(standard), **why, "成本构成": told})


def require_read(standard: FeeStandard, read: str) -> None:
    """Raises NotNow where the standard is no longer what `read`, its mark, names; "": not said."""
    if read and read != mark(standard):
        raise NotNow(["评价组织刚刚修改并重新提出，您看的是修改前的内容。请看过新的内容再办理。"])


def _locked_as_read(standard: FeeStandard, read: str) -> FeeStandard:
    """The row as it is now, until the transaction ends. Raises NotNow."""
    fresh = FeeStandard.objects.select_for_update().get(pk=standard.pk)
    require_read(fresh, read)
    return fresh


@transaction.atomic
def agree(standard: FeeStandard, *, by: User, at: dt.datetime, read: str = "") -> StandardConsent:
    """A pilot school says yes to the standard as it stands; once. `read`, of this and the other answers, is
    the mark of what was read: nothing else is agreed to. Raises NotNow, ValidationError, PermissionDenied."""
    school = by.organization
    if school is None or not permissions.may_agree(by):
        raise PermissionDenied(ONLY_SCHOOL)
    standard = _locked_as_read(standard, read)
    if reasons := not_yet_agreeable(standard, by, at):
        raise ValidationError(reasons)
    first = not standard.consents.exists()
    consent = StandardConsent.objects.create(
        standard=standard, organization=school, agreed_by=by, agreed_at=at
    )
    events.record(
        "fee_standard_agreed",
        standard,
        by=by,
        at=at,
        organization_id=school.pk,
        changes={"院校": str(school)},
    )
    _tell(
        standard,
        f"agreed:{consent.pk}",
        f"{school}已同意",
        {standard.evaluator_id},
        at,
        Role.EVALUATOR,
    )
    if first:
        office = User.objects.active().filter(role=Role.OFFICE).values_list("pk", flat=True)
        _send(standard, f"ready:{consent.pk}", "已有院校同意，可以办理备案", office, at)
    return consent


@transaction.atomic
def decline(standard: FeeStandard, *, comment: str, by: User, at: dt.datetime, read: str = "") -> None:
    """A pilot school says no, with its reason, to the evaluator; it may say yes later. Raises NotNow,
    ValidationError, PermissionDenied."""
    school = by.organization
    if school is None or not permissions.may_agree(by):
        raise PermissionDenied(ONLY_SCHOOL)
    if not comment.strip():
        raise ValidationError({"comment": "请写明理由。"})
    standard = _locked_as_read(standard, read)
    if reasons := not_yet_agreeable(standard, by, at):
        raise ValidationError(reasons)
    said = declined(standard, school)
    if said and said.reason == comment.strip():
        return
    event = events.record(
        "fee_standard_declined",
        standard,
        by=by,
        at=at,
        organization_id=school.pk,
        changes={"院校": str(school)},
        reason=comment.strip(),
    )
    text = f"{school}不同意：{event.reason}"
    _tell(standard, f"declined:{event.pk}", text, {standard.evaluator_id}, at, Role.EVALUATOR)


def declined(standard: FeeStandard, school: Organization) -> Event | None:
    """The school's last no to the standard as it is proposed now; it may have said yes since."""
    said = Event.objects.about(standard).filter(
        action="fee_standard_declined", organization=school, at__gte=standard.proposed_at
    )
    return said.order_by("pk").last()


def not_yet_agreeable(standard: FeeStandard, user: User, at: dt.datetime) -> list[str]:
    """Why the user's school cannot say yes now; []."""
    if standard.state != FeeStandard.State.PROPOSED:
        return [f"现在是“{standard.get_state_display()}”，只有在“协商中”时才能答复。"]
    if standard.organization_id not in (None, user.organization_id):
        return ["这个标准只适用另一所院校。"]
    if user.organization is None or not _is_pilot_school(user.organization, at):
        return ["只有在试点中的院校可以答复（晋教职成〔2020〕9号 三.8：与试点院校具体协商）。"]
    if consent := standard.consents.filter(organization=user.organization_id).first():
        return [f"本校已于{when(consent.agreed_at)}同意。"]
    if not running.concerns(standard.certificate_level, user.organization.pk, at):
        return [ONLY_CONCERNED]
    return []


@standards.verb("standard_withdraw")
@transaction.atomic
def withdraw(standard: FeeStandard, *, by: User, at: dt.datetime, read: str = "") -> FeeStandard:
    """Raises NotNow, PermissionDenied."""
    _locked_as_read(standard, read)
    fresh: FeeStandard = standards.perform(
        "standard_withdraw", standard, by=by, at=at, organization_id=standard.evaluator_id
    )
    _tell(fresh, "withdrawn", "已由评价组织撤回", _consenting(fresh), at)
    return fresh


@standards.verb("standard_file")
@transaction.atomic
def file_standard(
    standard: FeeStandard, *, document: str, by: User, at: dt.datetime, read: str = ""
) -> FeeStandard:
    """File it under the number of the province's document; it holds from its day on, and says how the level
    is examined. Raises NotNow, ValidationError, PermissionDenied."""
    if not document.strip():
        raise ValidationError({"document": "请填写备案文号。"})
    # Two standards of one level are filed one after the other.
    level = CertificateLevel.objects.select_for_update().get(pk=standard.certificate_level_id)
    locked = _locked_as_read(standard, read)
    cap = fees.cap_on(level, locked.exam_form, locked.effective_from)
    fresh: FeeStandard = standards.perform(
        "standard_file",
        standard,
        by=by,
        at=at,
        changes={"备案文号": document.strip(), "对照的上限": str(cap or fees.NO_CAP)},
        values={"document": document.strip(), "filed_by": by, "filed_at": at, "cap": cap},
        organization_id=standard.evaluator_id,
    )
    note_exam_form(level, fresh.exam_form, by=by, at=at)
    text = f"已备案（{fresh.document}），{full_day(fresh.effective_from)}起执行"
    _tell(fresh, "filed", text, {fresh.evaluator_id}, at, Role.EVALUATOR)
    _tell(fresh, "filed", text, _consenting(fresh), at)
    return fresh


@standards.verb("standard_return")
@transaction.atomic
def return_standard(
    standard: FeeStandard, *, comment: str, by: User, at: dt.datetime, read: str = ""
) -> FeeStandard:
    """Raises NotNow, ValidationError, PermissionDenied."""
    _locked_as_read(standard, read)
    return _answer("standard_return", standard, f"已退回修改：{comment}", comment, by, at)


@standards.verb("standard_refuse")
@transaction.atomic
def refuse(standard: FeeStandard, *, comment: str, by: User, at: dt.datetime, read: str = "") -> FeeStandard:
    """Raises NotNow, ValidationError, PermissionDenied."""
    _locked_as_read(standard, read)
    return _answer("standard_refuse", standard, f"不予备案：{comment}", comment, by, at)


def _answer(
    action: str, standard: FeeStandard, text: str, comment: str, by: User, at: dt.datetime
) -> FeeStandard:
    if not comment.strip():
        raise ValidationError({"comment": "请写明理由。"})
    fresh: FeeStandard = standards.perform(
        action, standard, by=by, at=at, comment=comment, organization_id=standard.evaluator_id
    )
    key = f"{action}:{at.isoformat()}"
    _tell(fresh, key, text, {fresh.evaluator_id}, at, Role.EVALUATOR)
    _tell(fresh, key, text, _consenting(fresh), at)
    return fresh


def check(
    standard: FeeStandard, costs: Costs, at: dt.datetime, *, returned: FeeStandard | None = None
) -> None:
    """Whether it may be proposed, not as it was `returned`. Sets `cap` to what it was judged against. Raises
    ValidationError."""
    standard.full_clean(validate_constraints=False)
    day = standard.effective_from
    standard.cap = fees.cap_on(standard.certificate_level, standard.exam_form, day)
    errors: dict[str, list[str]] = {}
    if refused := gates.reasons(standard.certificate_level.certificate):
        errors["certificate_level"] = refused
    if refused := fees.above_cap(standard.amount, standard.cap, day=day, reason=standard.over_cap_reason):
        errors["amount"] = refused
    if refused := fees.not_in_scope(standard.organization_id, day):
        errors["organization"] = refused
    elif standard.organization and not _is_concerned(standard, standard.organization, at):
        errors["organization"] = ["只能为在试点中、开展或申报了这个证书等级的院校提出。"]
    if (total := sum(costs.values())) > standard.amount:
        errors.setdefault("amount", []).append(f"成本构成合计 {total} 元，高于标准 {standard.amount} 元。")
    same = FeeStandard.objects.filter(
        certificate_level=standard.certificate_level,
        organization=standard.organization,
        effective_from=day,
        state__in=[FeeStandard.State.PROPOSED, FeeStandard.State.RETURNED],
    ).exclude(pk=standard.pk)
    if same.exists():
        errors["effective_from"] = ["该证书等级已有同一天生效、正在协商的标准；请在原标准上办理，或先撤回。"]
    if returned and _mark(standard, costs) == mark(returned):
        errors[NON_FIELD_ERRORS] = [
            "内容与退回的相同，没有提出。请按退回意见修改，或在测算说明中说明后再重新提出。"
        ]
    if errors:
        raise ValidationError(errors)


def _is_concerned(standard: FeeStandard, school: Organization, at: dt.datetime) -> bool:
    level = standard.certificate_level
    return _is_pilot_school(school, at) and running.concerns(level, school.pk, at)


def _is_pilot_school(organization: Organization, at: dt.datetime) -> bool:
    return Organization.objects.schools().members_at(at).filter(pk=organization.pk).exists()


def _write_costs(standard: FeeStandard, costs: Costs) -> None:
    standard.costs.all().delete()
    rows = [StandardCost(standard=standard, element=item, amount=amount) for item, amount in costs.items()]
    for row in rows:
        row.full_clean()
    StandardCost.objects.bulk_create(rows)


def _told(standard: FeeStandard) -> dict[str, str]:
    return {
        "考核形式": standard.get_exam_form_display(),
        "适用院校": str(standard.organization or "全部"),
        "标准": f"{standard.amount:.2f}",
        "生效日期": standard.effective_from.isoformat(),
    }


def _consenting(standard: FeeStandard) -> set[int]:
    return set(standard.consents.values_list("organization_id", flat=True))


def _tell(
    standard: FeeStandard,
    step: str,
    text: str,
    organizations: set[int],
    at: dt.datetime,
    role: str = Role.SCHOOL_CONTACT,
) -> None:
    people = people_of(organizations, role)
    _send(standard, step, text, (person for mine in people.values() for person in mine), at)


def _send(standard: FeeStandard, step: str, text: str, people: Iterable[uuid.UUID], at: dt.datetime) -> None:
    link = reverse("funding:standard", args=[standard.pk])
    notices.tell(
        [
            notices.Message(
                person, f"standard:{standard.pk}:{step}", f"考核费用标准：{standard}，{text}。", link
            )
            for person in people
        ],
        at=at,
    )
