"""Pilot schools, the certificate levels that they run, and their plans."""

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.db import models
from django.db.models import Case, Count, Exists, F, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce

from accounts.models import Organization, PilotMembership, Role
from certificates.models import CertificateLevel
from core.fields import EncryptedTextField


class SchoolQuerySet(models.QuerySet["School"]):
    def visible_to(self, user: Any) -> "SchoolQuerySet":
        """By organisation; an evaluator also sees the schools that run its certificates."""
        in_scope = Q(organization__in=Organization.objects.visible_to(user))
        if user.role == Role.EVALUATOR:
            running = Programme.objects.filter(
                school=OuterRef("pk"), certificate_level__certificate__owner=user.organization_id
            )
            in_scope |= Q(Exists(running))
        return self.filter(in_scope)

    def eligible(self, kinds: Collection[str]) -> "SchoolQuerySet":
        """Whom a round for these kinds is open to. In a demonstration only its own schools, so that nothing
        invented is said of a real one."""
        is_demonstration = Exists(Organization.objects.filter(is_demonstration=True))
        return self.filter(kind__in=kinds, organization__is_demonstration=is_demonstration)

    def with_figures(self, instant: dt.datetime, year: int) -> "SchoolQuerySet":
        """`levels` run and `in_pilot` at the instant, those among them `dormant` in the year, and candidates
        `planned` for it."""
        own = Programme.objects.filter(school=OuterRef("pk")).order_by()
        running = own.running_at(instant)
        dormant = own.dormant_at(instant, year)
        plans = AnnualPlan.objects.filter(
            programme__in=Programme.objects.running_at(instant), programme__school=OuterRef("pk"), year=year
        ).order_by()
        members = PilotMembership.objects.as_of(instant).filter(organization=OuterRef("pk"))
        return self.annotate(
            in_pilot=Exists(members),
            levels=Coalesce(Subquery(running.values("school").annotate(n=Count("pk")).values("n")), 0),
            dormant=Coalesce(Subquery(dormant.values("school").annotate(n=Count("pk")).values("n")), 0),
            planned=Coalesce(
                Subquery(plans.values("programme__school").annotate(n=Sum("candidates")).values("n")), 0
            ),
        )


class School(models.Model):
    """The profile of an organisation that is a school (SX 三.1, QA 3)."""

    class Kind(models.TextChoices):
        HIGHER_VOCATIONAL = "higher_vocational", "高等职业学校"
        SECONDARY_VOCATIONAL = "secondary_vocational", "中等职业学校"
        VOCATIONAL_BACHELOR = "vocational_bachelor", "职业本科"
        APPLIED_BACHELOR = "applied_bachelor", "应用型本科"
        OPEN_UNIVERSITY = "open_university", "开放大学"

    organization = models.OneToOneField(
        Organization, models.PROTECT, primary_key=True, related_name="school", verbose_name="机构"
    )
    kind = models.CharField("办学类型", max_length=24, choices=Kind)
    is_lead = models.BooleanField("牵头院校（双高/示范）", default=False)
    address = models.CharField("地址", max_length=200, blank=True)
    contact_name = models.CharField("联系人姓名", max_length=60, blank=True)
    contact_mobile = EncryptedTextField("联系人手机", blank=True, default="")
    contact_email = models.EmailField("联系人邮箱", blank=True)

    objects = SchoolQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "试点院校"
        ordering = ["organization"]

    def __str__(self) -> str:
        return self.organization.name


class ProgrammeQuerySet(models.QuerySet["Programme"]):
    def visible_to(self, user: Any) -> "ProgrammeQuerySet":
        """By school; an evaluator those of its certificates, and no other's at the same school."""
        if user.role == Role.EVALUATOR:
            return self.filter(certificate_level__certificate__owner=user.organization_id)
        return self.filter(school__in=School.objects.visible_to(user))

    def running_at(self, instant: dt.datetime) -> "ProgrammeQuerySet":
        """Begun and not ended; those without a plan for the year are dormant among them."""
        return self.filter(Q(ended_at=None) | Q(ended_at__gt=instant), started_at__lte=instant)

    def running_within(self, start: dt.datetime, end: dt.datetime) -> "ProgrammeQuerySet":
        """Running at some instant of [start, end)."""
        return self.filter(Q(ended_at=None) | Q(ended_at__gt=start), started_at__lt=end)

    def dormant_at(self, instant: dt.datetime, year: int) -> "ProgrammeQuerySet":
        """Running without a plan for `year`."""
        planned = AnnualPlan.objects.filter(programme=OuterRef("pk"), year=year)
        return self.running_at(instant).exclude(Exists(planned))

    def with_state(self, instant: dt.datetime, year: int) -> "ProgrammeQuerySet":
        """`state`: ended, active or dormant at the instant as far as `year` goes; `planned` for the year, null
        without a plan. Of programmes that have begun."""
        plans = AnnualPlan.objects.filter(programme=OuterRef("pk"), year=year)
        return self.annotate(planned=Subquery(plans.values("candidates")[:1])).annotate(
            state=Case(
                When(ended_at__lte=instant, then=Value("ended")),
                When(planned__isnull=False, then=Value("active")),
                default=Value("dormant"),
            )
        )


class Programme(models.Model):
    """One school running one certificate level."""

    school = models.ForeignKey(School, models.PROTECT, related_name="programmes", verbose_name="学校")
    certificate_level = models.ForeignKey(
        CertificateLevel, models.PROTECT, related_name="programmes", verbose_name="证书等级"
    )
    started_at = models.DateTimeField("开始时间")
    ended_at = models.DateTimeField("结束时间", null=True, blank=True)
    # The approved item that began it; null: entered by the office (the first roster).
    origin = models.ForeignKey(
        "schools.ApplicationItem",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="programmes",
        verbose_name="批准的申报",
    )
    # Which courses the certificate is built into (SX 三.4, HB 三.3); the revised training plan is attached.
    courses = models.TextField("融入的课程", blank=True)

    objects = ProgrammeQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "试点项目"
        ordering = ["school", "certificate_level"]
        constraints = [
            models.UniqueConstraint(
                fields=["school", "certificate_level"],
                condition=Q(ended_at__isnull=True),
                name="programme_one_open",
                violation_error_message="该校已有此证书等级的试点项目。",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gt=F("started_at")), name="programme_order"
            ),
        ]

    def __str__(self) -> str:
        return str(self.certificate_level)

    @property
    def organization_id(self) -> int:
        return int(self.school_id)


class AnnualPlanQuerySet(models.QuerySet["AnnualPlan"]):
    def visible_to(self, user: Any) -> "AnnualPlanQuerySet":
        return self.filter(programme__in=Programme.objects.visible_to(user))


class AnnualPlan(models.Model):
    """Candidates planned for one calendar year (拟考证人数)."""

    programme = models.ForeignKey(Programme, models.CASCADE, related_name="plans", verbose_name="试点项目")
    year = models.PositiveSmallIntegerField("年度")
    # In all: new ones and those carried over from the year before.
    candidates = models.PositiveIntegerField("拟考证人数")
    carried_over = models.PositiveIntegerField("其中沿用上年", default=0)
    source = models.ForeignKey(
        "schools.ApplicationItem",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="plans",
        verbose_name="批准的申报",
    )

    objects = AnnualPlanQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "年度计划"
        ordering = ["programme", "year"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "year"], name="plan_one_a_year"),
            models.CheckConstraint(
                condition=Q(carried_over__lte=F("candidates")),
                name="plan_carries_no_more",
                violation_error_message="沿用人数不能多于计划总数。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.programme} {self.year}年 {self.candidates}人"
