"""What the national platform's own list says: which weeks a list covers, and who filed there, when."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Organization
from obligations.models.rules import Period


class PlatformImportQuerySet(models.QuerySet["PlatformImport"]):
    def visible_to(self, user: Any) -> "PlatformImportQuerySet":
        """Lists are of the whole province: for those who see all of it."""
        return self.all() if user.sees_province and user.sees_reporting else self.none()

    def standing(self) -> "PlatformImportQuerySet":
        return self.filter(undone_at=None)


class PlatformImport(models.Model):
    """One list of the national platform, taken there at `listed_at`, covering whole weeks.

    A school without a row in a covered week had filed nothing there by `listed_at`. An import that was
    undone stays on record and says nothing any more.
    """

    periods = models.ManyToManyField(Period, related_name="platform_imports", verbose_name="覆盖周期")
    listed_at = models.DateTimeField("名单导出时间")
    file_name = models.CharField("文件", max_length=200)
    sha256 = models.CharField("SHA-256", max_length=64)
    imported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="导入人"
    )
    imported_at = models.DateTimeField("导入时间")
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    undone_at = models.DateTimeField("撤销时间", null=True, blank=True)

    objects = PlatformImportQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "国家平台名单"
        ordering = ["-imported_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(undone_at__isnull=True, undone_by__isnull=True)
                | Q(undone_at__isnull=False, undone_by__isnull=False),
                name="platform_import_undone_by_when",
            )
        ]

    def __str__(self) -> str:
        return f"国家平台名单 {self.file_name}"


class PlatformFiling(models.Model):
    """One row of a list: that organisation filed its week there at `filed_at`."""

    platform_import = models.ForeignKey(
        PlatformImport, models.PROTECT, related_name="filings", verbose_name="名单"
    )
    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="platform_filings", verbose_name="院校"
    )
    period = models.ForeignKey(Period, models.PROTECT, related_name="platform_filings", verbose_name="周期")
    filed_at = models.DateTimeField("国家平台填报时间")

    class Meta:
        verbose_name = verbose_name_plural = "国家平台填报"
        ordering = ["period", "organization"]
        constraints = [
            models.UniqueConstraint(
                fields=["platform_import", "organization", "period"], name="platform_filing_once"
            )
        ]
        indexes = [models.Index(fields=["period", "organization"])]

    def __str__(self) -> str:
        return f"{self.organization} {self.period}"
