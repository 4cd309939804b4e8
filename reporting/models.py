"""Weekly reports, monthly reports and half-year summaries: a draft and immutable versions; warnings that a
streak has begun."""

from typing import Any

from django.core.validators import MinValueValidator
from django.db import models

from core.drafts import Drafted, Version, VersionQuerySet
from obligations.models import Obligation
from reporting.summaries.scope import summaries_visible_to
from schools.models import Programme


class WeeklyReportQuerySet(models.QuerySet["WeeklyReport"]):
    def visible_to(self, user: Any) -> "WeeklyReportQuerySet":
        return self.filter(obligation__in=Obligation.objects.visible_to(user))


class WeeklyReport(Drafted):
    """What one school says of one period. The draft is not yet a report; a version is."""

    obligation = models.OneToOneField(
        Obligation, models.PROTECT, primary_key=True, related_name="report", verbose_name="报送任务"
    )
    current = models.ForeignKey(
        "ReportVersion", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="现行版本"
    )

    objects = WeeklyReportQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "周报"

    def __str__(self) -> str:
        return str(self.obligation)


class ReportVersionQuerySet(VersionQuerySet):
    def visible_to(self, user: Any) -> "ReportVersionQuerySet":
        return self.filter(report__in=WeeklyReport.objects.visible_to(user))


class ReportVersion(Version):
    """One accepted weekly report."""

    report = models.ForeignKey(WeeklyReport, models.PROTECT, related_name="versions", verbose_name="周报")
    is_zero = models.BooleanField("无新进展", default=False)

    objects = ReportVersionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "周报版本"
        ordering = ["report", "number"]
        constraints = [
            models.UniqueConstraint(fields=["report", "number"], name="report_version_number"),
            models.UniqueConstraint(fields=["report", "token"], name="report_version_token"),
        ]


class SummaryQuerySet(models.QuerySet["Summary"]):
    def visible_to(self, user: Any) -> "SummaryQuerySet":
        return self.filter(obligation__in=summaries_visible_to(user))


class Summary(Drafted):
    """A monthly report of an evaluator, or a half-year summary of an evaluator or a school (SX 四.3)."""

    obligation = models.OneToOneField(
        Obligation, models.PROTECT, primary_key=True, related_name="summary", verbose_name="报送任务"
    )
    current = models.ForeignKey(
        "SummaryVersion", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="现行版本"
    )

    objects = SummaryQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "月报和半年总结"

    def __str__(self) -> str:
        return str(self.obligation)

    @property
    def organization_id(self) -> int:
        return self.obligation.organization_id


class SummaryVersionQuerySet(VersionQuerySet):
    def visible_to(self, user: Any) -> "SummaryVersionQuerySet":
        return self.filter(report__in=Summary.objects.visible_to(user))


class SummaryVersion(Version):
    """One accepted monthly report or half-year summary (reporting.summaries.content)."""

    report = models.ForeignKey(Summary, models.PROTECT, related_name="versions", verbose_name="月报或总结")
    is_zero = models.BooleanField("无新进展", default=False)

    objects = SummaryVersionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "月报和总结版本"
        ordering = ["report", "number"]
        constraints = [
            models.UniqueConstraint(fields=["report", "number"], name="summary_version_number"),
            models.UniqueConstraint(fields=["report", "token"], name="summary_version_token"),
        ]


class ProgrammeFigures(models.Model):
    """One programme's row of a version: cumulative for the year."""

    version = models.ForeignKey(ReportVersion, models.CASCADE, related_name="figures", verbose_name="版本")
    programme = models.ForeignKey(Programme, models.PROTECT, related_name="figures", verbose_name="试点项目")
    in_training = models.PositiveIntegerField("在训人数")
    training_hours = models.DecimalField(
        "培训学时", max_digits=9, decimal_places=1, validators=[MinValueValidator(0)]
    )
    registered = models.PositiveIntegerField("报考人数")
    examined = models.PositiveIntegerField("参考人数")
    passed = models.PositiveIntegerField("合格人数")
    certified = models.PositiveIntegerField("发证人数")
    explanation = models.CharField("说明", max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "项目数据"
        ordering = ["programme"]
        constraints = [models.UniqueConstraint(fields=["version", "programme"], name="figures_once")]

    def __str__(self) -> str:
        return str(self.programme)


class StreakWarning(models.Model):
    """The school and its supervisor were warned that this missed period made a streak of `weeks`."""

    obligation = models.OneToOneField(
        Obligation, models.PROTECT, primary_key=True, related_name="warning", verbose_name="报送任务"
    )
    weeks = models.PositiveSmallIntegerField("连续周数")
    warned_at = models.DateTimeField("预警时间")

    class Meta:
        verbose_name = verbose_name_plural = "预警"
        ordering = ["-warned_at"]

    def __str__(self) -> str:
        return f"{self.obligation.organization} 连续 {self.weeks} 周未报"


class FilingKey(models.Model):
    """The key under which a program filed: the same key again finds the same receipt.

    `fingerprint` is the SHA-256 (hex) of what was sent with it.
    """

    report = models.ForeignKey(WeeklyReport, models.PROTECT, related_name="filing_keys")
    key = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64)
    version = models.ForeignKey(ReportVersion, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = verbose_name_plural = "接口提交"
        constraints = [models.UniqueConstraint(fields=["report", "key"], name="filing_key_once")]
