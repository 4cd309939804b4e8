"""Cost caps and fee standards of examinations (MOE 三(二), SX 三.8). Amounts are yuan per candidate, to the cent.

The portal ships no amounts: caps are entered with the document that sets them.
"""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.lookups import IsNull

from accounts.models import Organization, Role
from certificates.models import CertificateLevel, ExamForm
from core.templatetags.portal import full_day

CENT = MinValueValidator(Decimal("0.01"))


class FeePolicyQuerySet(models.QuerySet["FeePolicy"]):
    def visible_to(self, user: Any) -> "FeePolicyQuerySet":
        """The rule is for everybody who works for the pilot."""
        return self.none() if user.role == Role.LEARNER else self.all()


class FeePolicy(models.Model):
    """The province's rule for fees, in force from a day until the next one."""

    class Scope(models.TextChoices):
        PROVINCE = "province", "全省每个证书等级一个标准"
        SCHOOL = "school", "可按院校分别协商"

    class OverCap(models.TextChoices):
        REFUSE = "refuse", "一律不予受理"
        REASON = "reason", "原则上不得高于上限，确需高于的须说明理由"

    effective_from = models.DateField(
        "生效日期", unique=True, error_messages={"unique": "当日已有一条规则。"}
    )
    scope = models.CharField("标准的范围", max_length=10, choices=Scope, default=Scope.PROVINCE)
    over_cap = models.CharField("高于上限时", max_length=10, choices=OverCap, default=OverCap.REFUSE)
    document = models.CharField("依据文件", max_length=120, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField("制定时间")

    objects = FeePolicyQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "考核费用规则"
        ordering = ["-effective_from"]

    def __str__(self) -> str:
        return f"考核费用规则（{full_day(self.effective_from)}起）"


class FeeCapQuerySet(models.QuerySet["FeeCap"]):
    def visible_to(self, user: Any) -> "FeeCapQuerySet":
        """Caps come from published documents: everybody who works for the pilot."""
        return self.none() if user.role == Role.LEARNER else self.all()

    def in_force(self, day: dt.date) -> "FeeCapQuerySet":
        """All that have begun by `day`; of each form and level the first in this order counts."""
        return self.filter(effective_from__lte=day).order_by("-effective_from", "-pk")

    def with_standing(self, day: dt.date) -> "FeeCapQuerySet":
        """Adds `is_replaced`: a later one of the same form and level has begun by `day`."""
        later = FeeCap.objects.filter(
            Q(certificate_level=OuterRef("certificate_level"))
            | Q(certificate_level=None) & Q(IsNull(OuterRef("certificate_level"), True)),
            exam_form=OuterRef("exam_form"),
            effective_from__gt=OuterRef("effective_from"),
            effective_from__lte=day,
        )
        return self.annotate(is_replaced=Exists(later))


class FeeCap(models.Model):
    """The most that an examination may cost, by its form and perhaps one certificate level, from a date."""

    exam_form = models.CharField("考核形式", max_length=20, choices=ExamForm)
    certificate_level = models.ForeignKey(
        CertificateLevel,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="fee_caps",
        verbose_name="证书等级",
    )
    amount = models.DecimalField("上限（元/人）", max_digits=9, decimal_places=2, validators=[CENT])
    effective_from = models.DateField("生效日期")
    document = models.CharField("文号", max_length=120)
    note = models.CharField("说明", max_length=200, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField("登记时间")

    objects = FeeCapQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "考核成本上限"
        ordering = ["exam_form", F("certificate_level").asc(nulls_first=True), "-effective_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["exam_form", "certificate_level", "effective_from"],
                name="fee_cap_once",
                violation_error_message="该考核形式、该证书等级当日已有一条上限。",
            ),
            models.UniqueConstraint(
                fields=["exam_form", "effective_from"],
                condition=Q(certificate_level__isnull=True),
                name="fee_cap_of_form_once",
                violation_error_message="该考核形式当日已有一条上限。",
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0), name="fee_cap_positive", violation_error_message="上限必须大于 0。"
            ),
        ]

    def __str__(self) -> str:
        of = f"{self.certificate_level} " if self.certificate_level_id else ""
        return f"{of}{self.get_exam_form_display()} {self.amount} 元"


class FeeStandardQuerySet(models.QuerySet["FeeStandard"]):
    def visible_to(self, user: Any) -> "FeeStandardQuerySet":
        """The province all; an evaluator its own; a city and a school the province-wide ones and those of
        the schools in their scope."""
        if user.sees_province:
            return self.all()
        if user.role == Role.EVALUATOR:
            return self.filter(evaluator=user.organization_id)
        if user.role == Role.CITY_BUREAU or user.role in Role.of_a_school():
            own = Q(organization__in=Organization.objects.visible_to(user))
            return self.filter(own | Q(organization=None))
        return self.none()

    def filed(self) -> "FeeStandardQuerySet":
        return self.filter(state=FeeStandard.State.FILED)

    def in_force(self, day: dt.date) -> "FeeStandardQuerySet":
        """Filed ones that have begun by `day`, newest first; of a level and school the first counts."""
        return self.filed().filter(effective_from__lte=day).order_by("-effective_from", "-pk")

    def with_standing(self, day: dt.date) -> "FeeStandardQuerySet":
        """Adds `is_replaced`: a later one, filed for the same level and the same schools, has begun by `day`."""
        return self.annotate(is_replaced=_replaced(day))

    def current(self, day: dt.date) -> "FeeStandardQuerySet":
        """Of each level and school the one that holds on `day`."""
        return self.in_force(day).filter(~_replaced(day))


def _replaced(day: dt.date) -> Exists:
    later = FeeStandard.objects.in_force(day).filter(
        Q(organization=OuterRef("organization"))
        | Q(organization=None) & Q(IsNull(OuterRef("organization"), True)),
        certificate_level=OuterRef("certificate_level"),
        effective_from__gt=OuterRef("effective_from"),
    )
    return Exists(later)


class FeeStandard(models.Model):
    """What an examination costs a candidate: proposed by the evaluator, agreed with schools, filed by the
    province. History is kept: a later one takes over from its date."""

    class State(models.TextChoices):
        PROPOSED = "proposed", "协商中"
        FILED = "filed", "已备案"
        RETURNED = "returned", "退回修改"
        REFUSED = "refused", "不予备案"
        WITHDRAWN = "withdrawn", "已撤回"

    certificate_level = models.ForeignKey(
        CertificateLevel, models.PROTECT, related_name="fee_standards", verbose_name="证书等级"
    )
    exam_form = models.CharField("考核形式", max_length=20, choices=ExamForm)
    evaluator = models.ForeignKey(
        Organization, models.PROTECT, related_name="fee_standards", verbose_name="培训评价组织"
    )
    # Where the province lets schools agree on their own; null: for all schools.
    organization = models.ForeignKey(
        Organization, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="适用院校"
    )
    amount = models.DecimalField("标准（元/人）", max_digits=9, decimal_places=2, validators=[CENT])
    effective_from = models.DateField("生效日期")
    basis = models.TextField("测算说明", blank=True)
    over_cap_reason = models.CharField("高于上限的理由", max_length=300, blank=True)
    # The cap it was last judged against; null: none was set.
    cap = models.ForeignKey(
        FeeCap, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="对照的上限"
    )
    document = models.CharField("备案文号", max_length=120, blank=True)
    state = models.CharField("状态", max_length=12, choices=State, default=State.PROPOSED)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField("提出时间")
    filed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    filed_at = models.DateTimeField("备案时间", null=True, blank=True)

    objects = FeeStandardQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "考核费用标准"
        ordering = ["certificate_level", "-effective_from", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0),
                name="fee_standard_positive",
                violation_error_message="标准必须大于 0。",
            ),
            models.CheckConstraint(
                condition=Q(filed_at__isnull=True, filed_by__isnull=True)
                | Q(filed_at__isnull=False, filed_by__isnull=False),
                name="fee_standard_filed_by_when",
            ),
            models.CheckConstraint(
                condition=~Q(state="filed") | Q(filed_at__isnull=False), name="fee_standard_filed_when"
            ),
            models.UniqueConstraint(
                fields=["certificate_level", "organization", "effective_from"],
                condition=Q(state="filed"),
                name="fee_standard_of_school_filed_once",
            ),
            models.UniqueConstraint(
                fields=["certificate_level", "effective_from"],
                condition=Q(state="filed", organization__isnull=True),
                name="fee_standard_filed_once",
            ),
        ]
        indexes = [models.Index(fields=["certificate_level", "state", "effective_from"])]

    def __str__(self) -> str:
        return f"{self.certificate_level} {self.amount} 元"


class StandardConsent(models.Model):
    """A school agreed to a proposed standard (SX 三.8 与试点院校具体协商)."""

    standard = models.ForeignKey(
        FeeStandard, models.CASCADE, related_name="consents", verbose_name="考核费用标准"
    )
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", verbose_name="院校")
    agreed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    agreed_at = models.DateTimeField("同意时间")

    class Meta:
        verbose_name = verbose_name_plural = "院校同意"
        ordering = ["agreed_at"]
        constraints = [
            models.UniqueConstraint(fields=["standard", "organization"], name="standard_consent_once")
        ]

    def __str__(self) -> str:
        return f"{self.organization} 同意 {self.standard}"


class CostElement(models.Model):
    """A cost item of examinations (reference data), for breaking a standard down."""

    name = models.CharField("成本项目", max_length=80, unique=True)
    rank = models.PositiveSmallIntegerField("序号", default=0)
    note = models.CharField("说明", max_length=200, blank=True)
    source = models.CharField("来源", max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "成本项目"
        ordering = ["rank", "name"]

    def __str__(self) -> str:
        return self.name


class StandardCost(models.Model):
    """How much of a standard one cost item takes."""

    standard = models.ForeignKey(
        FeeStandard, models.CASCADE, related_name="costs", verbose_name="考核费用标准"
    )
    element = models.ForeignKey(CostElement, models.PROTECT, related_name="+", verbose_name="成本项目")
    amount = models.DecimalField(
        "金额（元/人）", max_digits=9, decimal_places=2, validators=[MinValueValidator(0)]
    )

    class Meta:
        verbose_name = verbose_name_plural = "成本构成"
        ordering = ["element"]
        constraints = [models.UniqueConstraint(fields=["standard", "element"], name="standard_cost_once")]

    def __str__(self) -> str:
        return f"{self.element} {self.amount} 元"
