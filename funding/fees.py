"""Which cap and which standard hold on a day, and what an amount must satisfy (MOE 三(二), SX 三.8, HB 三.5).

Days are local days; amounts are yuan per candidate, to the cent. A fee need not rise with the level.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, Q, Sum

from certificates.models import CertificateLevel
from funding.models import FeeCap, FeePolicy, FeeStandard

CAP_CLAUSE = (
    "教职成厅函〔2019〕19号 三(二)：教育部委托有关机构组织论证提出考核成本上限；晋教职成〔2020〕9号 三.8：在"
    "教育部相应规定的上限范围内；鄂教职成办函〔2021〕7号 三.5：原则上不得高于国家规定的上限标准"
)
STANDARD_CLAUSE = (
    "教职成厅函〔2019〕19号 三(二)：评价组织与省级教育行政部门、试点院校具体协商确定考核费用标准；"
    "晋教职成〔2020〕9号 三.8：收费标准由评价组织与试点院校具体协商提出"
)
CONSENT_CLAUSE = "晋教职成〔2020〕9号 三.8：与试点院校具体协商，提出收费标准"
NO_FORM = "考核形式未登记，无从对照上限"
NO_CAP = "未设上限"


@dataclass(frozen=True)
class Limit:
    """What bounds a fee on a day: the cap in force and the filed standard in force; None where there is none."""

    cap: FeeCap | None
    standard: FeeStandard | None
    # The form by which the cap was sought; "": not registered.
    exam_form: str = ""

    @property
    def note(self) -> str:
        """Why there is no cap, for the screen; "" where there is one."""
        if self.cap:
            return ""
        return NO_CAP if self.exam_form else NO_FORM


def policy_on(day: dt.date) -> FeePolicy:
    """The province's rule in force; before the first one the default (one standard, never above the cap)."""
    return FeePolicy.objects.filter(effective_from__lte=day).first() or FeePolicy()


def cap_on(level: CertificateLevel, exam_form: str, day: dt.date) -> FeeCap | None:
    """The cap of the level itself, else that of the form; the latest begun by `day` (a local day)."""
    caps = FeeCap.objects.in_force(day).filter(
        Q(certificate_level=level) | Q(certificate_level=None), exam_form=exam_form
    )
    return caps.order_by(F("certificate_level").desc(nulls_last=True), "-effective_from", "-pk").first()


def standard_on(level: CertificateLevel, day: dt.date, *, school_id: int | None = None) -> FeeStandard | None:
    """The filed standard in force: a school's own, where the province lets schools agree on theirs, else
    the one for all schools."""
    in_force = FeeStandard.objects.in_force(day).filter(certificate_level=level)
    by_school = school_id is not None and policy_on(day).scope == FeePolicy.Scope.SCHOOL
    own = in_force.filter(organization=school_id).first() if by_school else None
    return own or in_force.filter(organization=None).first()


def limit_on(level: CertificateLevel, day: dt.date, *, school_id: int | None = None) -> Limit:
    """Cap and standard for an agreement of that school signed on `day`."""
    standard = standard_on(level, day, school_id=school_id)
    exam_form = standard.exam_form if standard else level.exam_form
    return Limit(cap_on(level, exam_form, day), standard, exam_form)


def refusals(
    amount: Decimal, *, level: CertificateLevel, day: dt.date, school_id: int | None = None, reason: str = ""
) -> list[str]:
    """Why an agreement may not set this fee, each with the cap or standard, its document and its date; []."""
    limit = limit_on(level, day, school_id=school_id)
    found = []
    if (standard := limit.standard) and amount > standard.amount:
        found.append(
            f"考核费用 {amount} 元高于已备案的考核费用标准 {standard.amount} 元/人"
            f"（{standard.document or '备案文号未载明'}，{standard.effective_from}起执行），不能登记"
            f"（{STANDARD_CLAUSE}）。请与评价组织按备案标准签署。"
        )
    return found + above_cap(amount, limit.cap, day=day, reason=reason)


def above_cap(amount: Decimal, cap: FeeCap | None, *, day: dt.date, reason: str = "") -> list[str]:
    """Why `amount` may not stand against the cap on `day`; []. Exactly the cap is allowed."""
    if cap is None or amount <= cap.amount:
        return []
    allowed_with_reason = policy_on(day).over_cap == FeePolicy.OverCap.REASON
    if allowed_with_reason and reason.strip():
        return []
    remedy = "确需高于上限的，请说明理由。" if allowed_with_reason else "请降到上限以内。"
    return [
        f"{amount} 元高于考核成本上限 {cap.amount} 元/人（{cap.get_exam_form_display()}，{cap.document}，"
        f"{cap.effective_from}起执行），不予受理（{CAP_CLAUSE}）。{remedy}"
    ]


def not_in_scope(organization_id: int | None, day: dt.date) -> list[str]:
    """Why a standard may not be for one school alone; []."""
    if organization_id is None or policy_on(day).scope == FeePolicy.Scope.SCHOOL:
        return []
    return ["按本省考核费用规则，每个证书等级全省执行一个标准，不能单独为一所院校提出。"]


def obstacles(standard: FeeStandard, at: dt.datetime) -> list[str]:
    """Why a proposed standard cannot be filed yet; [].

    Judged by the cap and the rule of the day from which it is to hold.
    """
    day = standard.effective_from
    found = []
    if not standard.consents.exists():
        found.append(f"还没有试点院校同意这个标准，须至少一所院校同意后才能备案（{CONSENT_CLAUSE}）。")
    cap = cap_on(standard.certificate_level, standard.exam_form, day)
    found += above_cap(standard.amount, cap, day=day, reason=standard.over_cap_reason)
    found += not_in_scope(standard.organization_id, day)
    if (costs := standard.costs.aggregate(sum=Sum("amount"))["sum"] or 0) > standard.amount:
        found.append(f"成本构成合计 {costs} 元，高于标准 {standard.amount} 元，请先改正。")
    same_day = FeeStandard.objects.filed().filter(
        certificate_level=standard.certificate_level,
        organization=standard.organization_id,
        effective_from=day,
    )
    if other := same_day.exclude(pk=standard.pk).first():
        found.append(
            f"同一证书等级已有 {day}起执行的备案标准（{other.amount} 元，{other.document}），"
            "已备案的不改写；请退回，由评价组织另定生效日期。"
        )
    return found
