"""Verbs on cost caps, on the province's rule for fees, and on how a level is examined."""

import datetime as dt
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.urls import reverse

from accounts.models import Role, User
from certificates.models import CertificateLevel, ExamForm
from core import clock, events, notices
from core.saving import save_valid
from core.templatetags.portal import full_day
from funding import fees, permissions
from funding.models import FeeCap, FeePolicy, FeeStandard
from obligations.closing import people_of

events.register(
    cap_set="登记考核成本上限",
    cap_removed="撤销未生效的上限",
    fee_policy_set="制定考核费用规则",
    fee_policy_removed="撤销未生效的考核费用规则",
    exam_form_set="登记考核形式",
)

CAPS_BY = "考核成本上限由教育部公布（教职成厅函〔2019〕19号 三(二)），由省推进办或省级财务按文件登记。"
RULES_BY = "考核费用规则由省推进办或省级财务制定；您可以查看，不能修改。"


def _keeper_only(by: User, refusal: str) -> None:
    if not permissions.may_set_caps(by):
        raise PermissionDenied(refusal)


@transaction.atomic
def set_cap(*, fields: dict[str, Any], by: User, at: dt.datetime) -> FeeCap:
    """A cap with the document that sets it, from a local day on; the earlier ones stay as history.

    Evaluators whose standard in force is above it are told. Raises ValidationError, PermissionDenied.
    """
    _keeper_only(by, CAPS_BY)
    cap = FeeCap(**fields, created_by=by, created_at=at)
    save_valid(cap)
    events.record(
        "cap_set",
        cap,
        by=by,
        at=at,
        organization_id=by.organization_id,
        changes={
            "上限": str(cap.amount),
            "文号": cap.document,
            "生效日期": cap.effective_from.isoformat(),
        },
    )
    _tell_of_cap(cap, at)
    return cap


def standards_above(cap: FeeCap) -> list[FeeStandard]:
    """The standards that hold, or will, on the cap's first day, and that it would exceed: from then on
    agreements are bound by the cap."""
    day = cap.effective_from
    filed = (
        FeeStandard.objects.in_force(day).current(day).filter(exam_form=cap.exam_form, amount__gt=cap.amount)
    )
    if cap.certificate_level_id:
        filed = filed.filter(certificate_level=cap.certificate_level_id)
    found = filed.select_related("certificate_level__certificate", "evaluator", "organization")
    if cap.certificate_level_id:
        return list(found)
    # A level with a cap of its own goes by that one.
    own = set(
        FeeCap.objects.in_force(day)
        .filter(exam_form=cap.exam_form, certificate_level__isnull=False)
        .values_list("certificate_level_id", flat=True)
    )
    return [standard for standard in found if standard.certificate_level_id not in own]


def _tell_of_cap(cap: FeeCap, at: dt.datetime) -> None:
    above = standards_above(cap)
    people = people_of({standard.evaluator_id for standard in above}, Role.EVALUATOR)
    notices.tell(
        [
            notices.Message(
                person,
                f"cap:{cap.pk}:{standard.pk}",
                f"{standard.certificate_level}备案标准 {standard.amount} 元高于"
                f"{full_day(cap.effective_from)}起的考核成本上限 {cap.amount} 元（{cap.document}）。此后签署的协议、此后提交和批准的申报都不得高于上限；"
                "已签署的协议对在试点的项目继续有效。请与院校重新协商。",
                reverse("funding:standard", args=[standard.pk]),
            )
            for standard in above
            for person in people.get(standard.evaluator_id, [])
        ],
        at=at,
    )


@transaction.atomic
def remove_cap(cap: FeeCap, *, by: User, at: dt.datetime) -> None:
    """Take back one that has not begun and by which nothing was judged.

    Raises ValidationError, PermissionDenied.
    """
    _keeper_only(by, CAPS_BY)
    cap = FeeCap.objects.select_for_update().get(pk=cap.pk)
    if cap.effective_from <= clock.local(at).date():
        raise ValidationError("这条上限已经生效，不能撤销。上限有调整的，按新文件另行登记。")
    if FeeStandard.objects.filter(cap=cap).exists():
        raise ValidationError("已有考核费用标准按这条上限审核，不能撤销。上限有调整的，按新文件另行登记。")
    events.record(
        "cap_removed",
        cap,
        by=by,
        at=at,
        organization_id=by.organization_id,
        changes={"文号": cap.document, "生效日期": cap.effective_from.isoformat()},
    )
    cap.delete()


@transaction.atomic
def set_policy(*, fields: dict[str, Any], by: User, at: dt.datetime) -> FeePolicy:
    """A new rule from a day on, today at the earliest; what was decided before stays.

    Raises ValidationError, PermissionDenied.
    """
    _keeper_only(by, RULES_BY)
    policy = FeePolicy(**fields, created_by=by, created_at=at)
    if policy.effective_from < clock.local(at).date():
        raise ValidationError({"effective_from": "生效日期不能早于今天：此前已按原规则办理。"})
    save_valid(policy)
    events.record(
        "fee_policy_set",
        policy,
        by=by,
        at=at,
        organization_id=by.organization_id,
        changes={"标准的范围": policy.get_scope_display(), "高于上限时": policy.get_over_cap_display()},
    )
    return policy


@transaction.atomic
def remove_policy(policy: FeePolicy, *, by: User, at: dt.datetime) -> None:
    """Take back one that has not begun. Raises ValidationError, PermissionDenied."""
    _keeper_only(by, RULES_BY)
    policy = FeePolicy.objects.select_for_update().get(pk=policy.pk)
    if policy.effective_from <= clock.local(at).date():
        raise ValidationError("这条规则已经生效，不能撤销；请另立一条新规则。")
    events.record("fee_policy_removed", policy, by=by, at=at, organization_id=by.organization_id)
    policy.delete()


@transaction.atomic
def set_exam_form(level: CertificateLevel, *, exam_form: str, by: User, at: dt.datetime) -> CertificateLevel:
    """How the level is examined, where no filed standard says so yet.

    Raises ValidationError, PermissionDenied.
    """
    if not permissions.may_set_exam_form(by):
        raise PermissionDenied("考核形式由省推进办登记。")
    level = CertificateLevel.objects.select_for_update().get(pk=level.pk)
    if standard := fees.standard_on(level, clock.local(at).date()):
        raise ValidationError(
            f"考核形式以现行备案标准为准（{standard.get_exam_form_display()}，{standard.document}）；"
            "有变化的，由评价组织提出新的考核费用标准。"
        )
    return note_exam_form(level, ExamForm(exam_form), by=by, at=at)


def note_exam_form(level: CertificateLevel, exam_form: str, *, by: User, at: dt.datetime) -> CertificateLevel:
    """Write it with its event; nothing for what is known already."""
    before = level.exam_form
    if before == exam_form:
        return level
    level.exam_form = exam_form
    level.save(update_fields=["exam_form"])
    labels = dict(ExamForm.choices)
    events.record(
        "exam_form_set",
        level,
        by=by,
        at=at,
        organization_id=level.certificate.owner_id,
        changes={"考核形式": [labels.get(before, ""), labels[exam_form]]},
    )
    return level
