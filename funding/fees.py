"""Which cap and which standard hold on a day, and what an amount must satisfy (MOE 三(二), SX 三.8, HB 三.5).

Days are local days; amounts are yuan per candidate, to the cent. A fee need not rise with the level.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Sum

from certificates.models import CertificateLevel
from core.templatetags.portal import full_day
from funding.models import FeeCap, FeePolicy, FeeStandard

CAP_CLAUSE = (
    "教职成厅函〔2019〕19号 三(二)；晋教职成〔2020〕9号 三.8：在教育部相应规定的上限范围内；"
    "鄂教职成办函〔2021〕7号 三.5：原则上，院校与培训评价组织自行协商的考核费用标准不得高于国家规定的上限标准"
)
CONSENT_CLAUSE = "晋教职成〔2020〕9号 三.8：与试点院校具体协商，提出符合我省实际情况的考核培训收费标准"
STANDARD_CLAUSE = (
    "教职成厅函〔2019〕19号 三(二)：与省级教育行政部门、试点院校具体协商确定考核费用标准；" + CONSENT_CLAUSE
)
# Of the caps in force: the level's own before that of the form, then the latest.
_FIRST_COUNTS = (F("certificate_level").desc(nulls_last=True), "-effective_from", "-pk")
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
    return _caps(level, exam_form, day).first()


def _caps(level: Any, exam_form: Any, day: Any) -> QuerySet[FeeCap]:
    """The first is the one that counts; takes values or references to the rows of an outer query."""
    caps = FeeCap.objects.filter(
        Q(certificate_level=level) | Q(certificate_level=None), exam_form=exam_form, effective_from__lte=day
    )
    return caps.order_by(*_FIRST_COUNTS)


def with_cap(rows: QuerySet[Any], *, level: str, exam_form: str, day: Any) -> QuerySet[Any]:
    """Adds `cap_amount` and `cap_document` of the cap in force on `day` (a day, or an OuterRef to one of
    `rows`); None where none is set. `level` and `exam_form` name columns of `rows`."""
    caps = _caps(OuterRef(level), OuterRef(exam_form), day)
    return rows.annotate(
        cap_amount=Subquery(caps.values("amount")[:1]), cap_document=Subquery(caps.values("document")[:1])
    )


def standard_on(level: CertificateLevel, day: dt.date, *, school_id: int | None = None) -> FeeStandard | None:
    """The filed standard in force: a school's own, where the province lets schools agree on theirs, else
    the one for all schools."""
    in_force = FeeStandard.objects.in_force(day).filter(certificate_level=level)
    by_school = school_id is not None and policy_on(day).scope == FeePolicy.Scope.SCHOOL
    own = in_force.filter(organization=school_id).first() if by_school else None
    return own or in_force.filter(organization=None).first()


def limit_on(level: CertificateLevel, day: dt.date, *, school_id: int | None = None) -> Limit:
    """Cap and standard for an agreement of that school signed on `day`."""
    return limits_on([(level, school_id)], day)[level.pk, school_id]


def limits_on(
    wanted: Collection[tuple[CertificateLevel, int | None]], day: dt.date
) -> dict[tuple[int, int | None], Limit]:
    """The same for many (level, school) at once, in as many queries as for one."""
    levels = {level.pk for level, _ in wanted}
    standards: dict[tuple[int, int | None], FeeStandard] = {}
    for standard in FeeStandard.objects.in_force(day).filter(certificate_level__in=levels):
        standards.setdefault((standard.certificate_level_id, standard.organization_id), standard)
    caps = list(
        FeeCap.objects.filter(
            Q(certificate_level__in=levels) | Q(certificate_level=None), effective_from__lte=day
        ).order_by(*_FIRST_COUNTS)
    )
    have_own = any(organization for _, organization in standards)
    by_school = have_own and policy_on(day).scope == FeePolicy.Scope.SCHOOL
    found = {}
    for level, school_id in wanted:
        own = standards.get((level.pk, school_id)) if by_school else None
        standard_ = own or standards.get((level.pk, None))
        form = standard_.exam_form if standard_ else level.exam_form
        of_level = (c for c in caps if c.exam_form == form and c.certificate_level_id in {level.pk, None})
        found[level.pk, school_id] = Limit(next(of_level, None), standard_, form)
    return found


def refusals(
    amount: Decimal, *, level: CertificateLevel, day: dt.date, school_id: int | None = None, reason: str = ""
) -> list[str]:
    """Why an agreement may not set this fee, each with the cap or standard, its document and its date; []."""
    return beyond(amount, limit_on(level, day, school_id=school_id), day=day, reason=reason)


def beyond(amount: Decimal, limit: Limit, *, day: dt.date, reason: str = "") -> list[str]:
    """The same where the limit is known."""
    found = []
    if (standard := limit.standard) and amount > standard.amount:
        found.append(
            f"考核费用 {amount} 元高于已备案的考核费用标准 {standard.amount} 元/人"
            f"（{standard.document or '备案文号未载明'}，{full_day(standard.effective_from)}起执行），不能登记"
            f"（{STANDARD_CLAUSE}）。请与评价组织按备案标准签署。"
        )
    return found + above_cap(amount, limit.cap, day=day, reason=reason)


def beyond_now(
    amount: Decimal, limit: Limit, *, day: dt.date, signed_on: dt.date, reason: str = ""
) -> list[str]:
    """Why a new application on `day` may not rest on an agreement of this fee; [].

    The agreement was judged on the day it was signed, and running programmes go on with it; what students
    pay from now on goes by the cap and the standard of now.
    """
    found = []
    if (standard := limit.standard) and amount > standard.amount:
        found.append(
            f"{_was_right('标准', standard.effective_from, signed_on)}协议费用 {amount} 元高于现行备案标准 "
            f"{standard.amount} 元/人（{standard.document or '备案文号未载明'}，"
            f"{full_day(standard.effective_from)}起执行），"
            f"新的申报不能使用（{STANDARD_CLAUSE}）。请与评价组织重新协商，签署并登记新的协议。"
        )
    if (cap := limit.cap) and above_cap(amount, cap, day=day, reason=reason):
        found.append(
            f"{_was_right('上限', cap.effective_from, signed_on)}协议费用 {amount} 元高于现行考核成本上限 "
            f"{cap.amount} 元/人（{cap.get_exam_form_display()}，{cap.document}，"
            f"{full_day(cap.effective_from)}起执行），"
            f"新的申报不能使用（{CAP_CLAUSE}）。请与评价组织重新协商，签署并登记新的协议。"
        )
    return found


def _was_right(what: str, since: dt.date, signed_on: dt.date) -> str:
    return f"协议签署时符合当时{what}，但" if signed_on < since else ""


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
        f"{full_day(cap.effective_from)}起执行），不予受理（{CAP_CLAUSE}）。{remedy}"
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
            f"同一证书等级已有{full_day(day)}起执行的备案标准（{other.amount} 元，{other.document}），"
            "已备案的不改写；请退回，由评价组织另定生效日期。"
        )
    return found
