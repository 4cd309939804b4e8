"""Exam sites (考核站点, MOE 三(一)): conditions published per certificate, a school applies, the evaluator
agrees, the province files."""

from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from accounts.models import City, County, Organization, Role
from certificates.models import Certificate
from schools.models import School


class SiteCondition(models.Model):
    """What a site must have for a certificate; a later one takes over, earlier ones are kept."""

    certificate = models.ForeignKey(
        Certificate, models.PROTECT, related_name="site_conditions", verbose_name="证书"
    )
    text = models.TextField("考核站点条件")
    minimum_places = models.PositiveIntegerField("最少考位", default=1)
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    published_at = models.DateTimeField("公布时间")

    class Meta:
        verbose_name = verbose_name_plural = "考核站点条件"
        ordering = ["certificate", "-published_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.certificate} 考核站点条件"


class ExamSiteQuerySet(models.QuerySet["ExamSite"]):
    def visible_to(self, user: Any) -> "ExamSiteQuerySet":
        """Filed sites: everybody who works for the pilot. Others: the province, the school, its city, the
        evaluator."""
        if user.sees_province:
            return self.all()
        if user.role == Role.LEARNER:
            return self.none()
        own = Q(state__in=[ExamSite.State.FILED, ExamSite.State.ENDED])
        if user.role == Role.EVALUATOR:
            own |= Q(certificate__owner=user.organization_id)
        else:
            own |= Q(school__organization__in=Organization.objects.visible_to(user))
        return self.filter(own)

    def filed(self) -> "ExamSiteQuerySet":
        return self.filter(state=ExamSite.State.FILED)


class ExamSite(models.Model):
    """A school as a place of examination for one certificate."""

    class State(models.TextChoices):
        APPLIED = "applied", "待评价组织同意"
        AGREED = "agreed", "待省级备案"
        FILED = "filed", "已备案"
        RETURNED = "returned", "退回修改"
        REFUSED = "refused", "未同意"
        ENDED = "ended", "已撤销"

    certificate = models.ForeignKey(Certificate, models.PROTECT, related_name="sites", verbose_name="证书")
    school = models.ForeignKey(School, models.PROTECT, related_name="sites", verbose_name="学校")
    condition = models.ForeignKey(SiteCondition, models.PROTECT, related_name="+", verbose_name="对照的条件")
    name = models.CharField("站点名称", max_length=120)
    city = models.ForeignKey(City, models.PROTECT, related_name="+", verbose_name="所在市")
    county = models.ForeignKey(
        County, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="所在县（市、区）"
    )
    address = models.CharField("地址", max_length=200)
    latitude = models.DecimalField(
        "纬度",
        max_digits=8,
        decimal_places=5,
        null=True,
        blank=True,
        validators=[MinValueValidator(-90), MaxValueValidator(90)],
    )
    longitude = models.DecimalField(
        "经度",
        max_digits=8,
        decimal_places=5,
        null=True,
        blank=True,
        validators=[MinValueValidator(-180), MaxValueValidator(180)],
    )
    places = models.PositiveIntegerField("考位", validators=[MinValueValidator(1)])
    equipment = models.TextField("设备与场地")
    statement = models.TextField("对照条件说明", blank=True)
    state = models.CharField("状态", max_length=10, choices=State, default=State.APPLIED)
    returned_from = models.CharField("退回前状态", max_length=10, choices=State, blank=True)
    review_comment = models.TextField("意见", blank=True)
    applied_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    applied_at = models.DateTimeField("申报时间")
    filed_at = models.DateTimeField("备案时间", null=True, blank=True)
    ended_at = models.DateTimeField("撤销时间", null=True, blank=True)

    objects = ExamSiteQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "考核站点"
        ordering = ["certificate", "city", "school"]
        constraints = [
            models.UniqueConstraint(
                fields=["certificate", "school"],
                condition=~Q(state__in=["refused", "ended"]),
                name="exam_site_once",
                violation_error_message="本校已申报或设有这个证书的考核站点。",
            ),
            models.CheckConstraint(
                condition=~Q(state="filed") | Q(filed_at__isnull=False), name="exam_site_filed_when"
            ),
            models.CheckConstraint(
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(latitude__isnull=False, longitude__isnull=False),
                name="exam_site_position",
            ),
        ]
        indexes = [models.Index(fields=["state", "certificate", "city"])]

    def __str__(self) -> str:
        return self.name

    @property
    def organization_id(self) -> int:
        return int(self.school_id)
