"""What teachers are qualified for, and the province's rule for training them (MOE 二(二))."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from accounts.models import Role
from certificates.models import CertificateLevel
from core.templatetags.portal import full_day
from evaluators.models.activities import Activity, Teacher

# From how many days before its end a qualification counts as about to expire.
EXPIRING_DAYS = 90


class QualificationQuerySet(models.QuerySet["Qualification"]):
    def visible_to(self, user: Any) -> "QualificationQuerySet":
        """By teacher; an evaluator those for its own certificates."""
        rows = self.filter(teacher__in=Teacher.objects.visible_to(user))
        if user.role == Role.EVALUATOR:
            return rows.filter(certificate_level__certificate__owner=user.organization_id)
        return rows

    def held_on(self, day: dt.date) -> "QualificationQuerySet":
        """In force on a local day, the last day included, of teachers who are still at their school."""
        in_force = Q(valid_until=None) | Q(valid_until__gte=day)
        there = Q(teacher__left_on=None) | Q(teacher__left_on__gt=day)
        return self.filter(in_force, there, obtained_on__lte=day)

    def expiring(self, day: dt.date) -> "QualificationQuerySet":
        """In force, and for not more than EXPIRING_DAYS from `day`."""
        last = day + dt.timedelta(days=EXPIRING_DAYS)
        return self.held_on(day).filter(valid_until__lte=last)


class Qualification(models.Model):
    """A teacher's right to train for, or examine, a certificate."""

    class Kind(models.TextChoices):
        TRAINER = "trainer", "培训资格"
        EXAMINER = "examiner", "考评资格"

    teacher = models.ForeignKey(Teacher, models.CASCADE, related_name="qualifications", verbose_name="教师")
    certificate_level = models.ForeignKey(
        CertificateLevel, models.PROTECT, related_name="qualifications", verbose_name="证书等级"
    )
    kind = models.CharField("种类", max_length=10, choices=Kind)
    number = models.CharField("资格证号", max_length=40, blank=True)
    obtained_on = models.DateField("取得日期")
    valid_until = models.DateField("有效期至", null=True, blank=True)
    activity = models.ForeignKey(
        Activity, models.SET_NULL, null=True, blank=True, related_name="qualifications", verbose_name="来源"
    )

    objects = QualificationQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "教师资格"
        ordering = ["teacher", "certificate_level", "kind"]
        constraints = [
            models.UniqueConstraint(
                fields=["teacher", "certificate_level", "kind"],
                name="qualification_once",
                violation_error_message="这位教师已登记这个等级的这种资格，请修改原有的一条。",
            ),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("obtained_on")),
                name="qualification_order",
                violation_error_message="有效期不能早于取得日期。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.teacher} {self.certificate_level} {self.get_kind_display()}"

    @property
    def organization_id(self) -> int:
        return int(self.teacher.school_id)

    def state_on(self, day: dt.date) -> str:
        """`pending` (not begun), `valid`, `expiring` (EXPIRING_DAYS or less to go) or `expired`."""
        if day < self.obtained_on:
            return "pending"
        if self.valid_until is None or self.valid_until > day + dt.timedelta(days=EXPIRING_DAYS):
            return "valid"
        return "expiring" if day <= self.valid_until else "expired"


class TrainingRuleQuerySet(models.QuerySet["TrainingRule"]):
    def visible_to(self, user: Any) -> "TrainingRuleQuerySet":
        """The rule is for everybody who works for the pilot."""
        return self.none() if user.role == Role.LEARNER else self.all()

    def on(self, day: dt.date) -> "TrainingRule":
        """The rule in force on a local day; before the first one nothing is asked and nothing is named."""
        return self.filter(effective_from__lte=day).first() or TrainingRule()


class TrainingRule(models.Model):
    """The province's rule for training teachers, in force from a day until the next one."""

    effective_from = models.DateField(
        "生效日期", unique=True, error_messages={"unique": "当日已有一条规则。"}
    )
    # Students for whom one trainer is enough (沪教委高〔2021〕3号: 80); null: the province does not ask.
    students_per_trainer = models.PositiveSmallIntegerField(
        "每名培训师对应的学生数", null=True, blank=True, validators=[MinValueValidator(1)]
    )
    # What training fees are set by (MOE 二(二) 参考国家和地方关于教师培训的规定).
    fee_rule = models.CharField("教师培训收费规定", max_length=200, blank=True)
    fee_per_day = models.DecimalField(
        "参考标准（元/人·天）",
        max_digits=9,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.01"))],
    )
    document = models.CharField("依据文件", max_length=120, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField("制定时间")

    objects = TrainingRuleQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "师资培训规则"
        ordering = ["-effective_from"]

    def __str__(self) -> str:
        return f"师资培训规则（{full_day(self.effective_from)}起）"
