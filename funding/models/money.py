"""The special fund of the pilot (SX 四.2): what was allocated to whom, by which document."""

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from accounts.models import Organization, Role


class AllocationQuerySet(models.QuerySet["Allocation"]):
    def visible_to(self, user: Any) -> "AllocationQuerySet":
        """Finance and who sees the whole province: all; a city what it supervises; a school its own."""
        if user.sees_province or user.role == Role.CITY_BUREAU or user.role in Role.of_a_school():
            return self.filter(organization__in=Organization.objects.visible_to(user))
        return self.none()


class Allocation(models.Model):
    """Money of one source given to one school by one document; yuan, to the cent."""

    class Source(models.TextChoices):
        CENTRAL = "central", "中央奖补"
        PROVINCE = "province", "省级"
        CITY = "city", "市级"
        SCHOOL = "school", "学校自筹"

    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="allocations", verbose_name="院校"
    )
    year = models.PositiveSmallIntegerField("年度")
    source = models.CharField("来源", max_length=10, choices=Source)
    document = models.CharField("文号", max_length=80)
    amount = models.DecimalField(
        "金额（元）", max_digits=14, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))]
    )
    allocated_on = models.DateField("下达日期")
    arrived_on = models.DateField("到账日期", null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField("登记时间")

    objects = AllocationQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "专项资金下达"
        ordering = ["-year", "organization", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "year", "source", "document"],
                name="allocation_once",
                violation_error_message="该校该年度该来源的这一文号已经登记。",
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0),
                name="allocation_positive",
                violation_error_message="金额必须大于 0。",
            ),
            models.CheckConstraint(
                condition=Q(arrived_on__isnull=True) | Q(arrived_on__gte=F("allocated_on")),
                name="allocation_order",
                violation_error_message="到账日期不能早于下达日期。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organization} {self.year}年{self.get_source_display()}资金"
