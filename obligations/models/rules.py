"""The province's rules, its calendar, and the periods made from them."""

import datetime as dt

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from core.templatetags.portal import full_day
from obligations import cycles


class ObligationKind(models.TextChoices):
    WEEKLY_REPORT = "weekly_report", "周报"
    CORRECTION = "correction", "更正"
    CASE_ANSWER = "case_answer", "陈述申辩"
    RECTIFICATION = "rectification", "限期整改"
    APPLICATION = "application", "试点申报"
    FIRST_REVIEW = "first_review", "申报初审"
    APPROVAL = "approval", "申报审核"
    OBJECTION = "objection", "公示异议答复"
    SCHOOL_FILING = "school_filing", "院校备案"
    MONTHLY_REPORT = "monthly_report", "月报"
    HALF_YEAR_SUMMARY = "half_year_summary", "半年总结"
    EVALUATOR_FILING = "evaluator_filing", "评价组织备案"
    SITE_REVIEW = "site_review", "考核站点审核"
    CREDIT_PROPOSAL = "credit_proposal", "学分记录建议"
    CERTIFICATE_ENTRY = "certificate_entry", "证书信息录入"
    AGREEMENT = "agreement", "合作协议续签"
    FEEDBACK = "feedback", "反馈答复"


# Reported period by period under a rule of the province.
PERIODIC = (ObligationKind.WEEKLY_REPORT, ObligationKind.MONTHLY_REPORT, ObligationKind.HALF_YEAR_SUMMARY)
# What a suspension exempts from (免报). Nothing else is exempted: it is not to be done any more (不再办理).
REPORTS = (*PERIODIC, ObligationKind.CORRECTION)
# They close with the application round, and move with its extensions only.
STEPS_OF_ROUNDS = (ObligationKind.APPLICATION, ObligationKind.FIRST_REVIEW, ObligationKind.APPROVAL)


class CalendarDay(models.Model):
    """A statutory holiday, or a weekend day made a working day, of a published year."""

    class Kind(models.TextChoices):
        HOLIDAY = "holiday", "法定节假日"
        WORKDAY = "workday", "调休上班"

    day = models.DateField("日期", primary_key=True)
    kind = models.CharField("类别", max_length=10, choices=Kind)
    name = models.CharField("名称", max_length=40, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "节假日安排"
        ordering = ["day"]

    def __str__(self) -> str:
        return f"{full_day(self.day)} {self.get_kind_display()}"


class CalendarYear(models.Model):
    """A year whose holidays have been published (国务院办公厅 notices); others are 待公布."""

    year = models.PositiveSmallIntegerField("年份", primary_key=True)
    document = models.CharField("文件", max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "已公布年份"
        ordering = ["year"]

    def __str__(self) -> str:
        return str(self.year)


class Policy(models.Model):
    """The province's own rule for one kind of report, in force from a day until the next one.

    No field list, weekday or holiday rule was ever published by the ministry: these are the province's
    settings and are never called official.
    """

    class OnHoliday(models.TextChoices):
        EXEMPT = "exempt", "当期免报"
        MOVE = "move", "提前到前一个工作日"

    class DueIn(models.TextChoices):
        WORKING_DAYS = "working_days", "结束后第几个工作日"
        DAYS = "days", "结束后第几日"

    kind = models.CharField(
        "种类", max_length=20, choices=ObligationKind, default=ObligationKind.WEEKLY_REPORT
    )
    effective_from = models.DateField("生效日期")
    period_weeks = models.PositiveSmallIntegerField(
        "周期（周）", default=1, validators=[MinValueValidator(1), MaxValueValidator(4)]
    )
    due_weekday = models.PositiveSmallIntegerField(
        "截止星期",
        default=5,
        choices=list(enumerate(["星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"], 1)),
    )
    # Of a month or half-year: counted from the day after it has ended.
    due_in = models.CharField("截止日算法", max_length=12, choices=DueIn, default=DueIn.WORKING_DAYS)
    due_day = models.PositiveSmallIntegerField(
        "结束后第几日（或第几个工作日）",
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
    )
    due_time = models.TimeField("截止时间", default=dt.time(18))
    close_after_hours = models.PositiveSmallIntegerField(
        "截止后多少小时关闭", default=72, validators=[MinValueValidator(1), MaxValueValidator(336)]
    )
    on_holiday = models.CharField(
        "截止日逢节假日", max_length=10, choices=OnHoliday, default=OnHoliday.EXEMPT
    )
    reminder_hours = models.JSONField("提前多少小时提醒", default=list, blank=True)
    flag_weeks = models.PositiveSmallIntegerField(
        "连续未报几周立案", default=3, validators=[MinValueValidator(2), MaxValueValidator(12)]
    )
    correction_working_days = models.PositiveSmallIntegerField(
        "更正期限（工作日）", default=3, validators=[MinValueValidator(1), MaxValueValidator(30)]
    )
    dispute_working_days = models.PositiveSmallIntegerField(
        "异议答复期限（工作日）", default=5, validators=[MinValueValidator(1), MaxValueValidator(30)]
    )
    note = models.CharField("说明", max_length=200, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField("制定时间")

    class Meta:
        verbose_name = verbose_name_plural = "报送规则"
        ordering = ["kind", "-effective_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "effective_from"],
                name="policy_version",
                violation_error_message="该日已有一条规则生效。",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}规则（{full_day(self.effective_from)}起）"


class PeriodQuerySet(models.QuerySet["Period"]):
    def unopened(self) -> "PeriodQuerySet":
        return self.filter(opened_at=None)

    def to_open(self, at: dt.datetime) -> "PeriodQuerySet":
        return self.filter(opened_at=None, opens_at__lte=at).order_by("opens_at")

    def to_close(self, at: dt.datetime) -> "PeriodQuerySet":
        return self.filter(closed_at=None, closes_at__lte=at).order_by("closes_at")

    def closed(self) -> "PeriodQuerySet":
        return self.filter(closed_at__isnull=False)


class Period(models.Model):
    """One reporting period; its instants are computed once and stored."""

    kind = models.CharField("种类", max_length=20, choices=ObligationKind)
    key = models.CharField("编号", max_length=20)
    policy = models.ForeignKey(Policy, models.PROTECT, related_name="periods", verbose_name="适用规则")
    starts_on = models.DateField("起")
    ends_on = models.DateField("止")
    weeks = models.PositiveSmallIntegerField("周数", default=1)
    opens_at = models.DateTimeField("开始填报")
    due_at = models.DateTimeField("截止")
    closes_at = models.DateTimeField("关闭")
    exempt_reason = models.CharField("免报原因", max_length=100, blank=True)
    note = models.CharField("说明", max_length=200, blank=True)
    opened_at = models.DateTimeField("已开始", null=True, blank=True)
    closed_at = models.DateTimeField("已关闭", null=True, blank=True)

    objects = PeriodQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "报送周期"
        ordering = ["kind", "starts_on"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "key"], name="period_key"),
            models.UniqueConstraint(fields=["kind", "starts_on"], name="period_start"),
            models.CheckConstraint(
                condition=Q(opens_at__lt=F("due_at")) & Q(due_at__lt=F("closes_at")), name="period_order"
            ),
        ]
        indexes = [
            models.Index(fields=["closed_at", "closes_at"]),
            models.Index(fields=["opened_at", "opens_at"]),
        ]

    def __str__(self) -> str:
        """`2020年第47周周报`, `2020年10月月报`, `2020年下半年总结`."""
        return f"{self.label}{self.noun}"

    @property
    def noun(self) -> str:
        """周报 or 月报; 总结 after a label that says 半年 already."""
        half = self.kind == ObligationKind.HALF_YEAR_SUMMARY
        return "总结" if half else str(ObligationKind(self.kind).label)

    @property
    def label(self) -> str:
        return cycles.label(self.kind, self.starts_on, self.ends_on)

    @property
    def short_label(self) -> str:
        return cycles.short_label(self.kind, self.starts_on)

    @property
    def year(self) -> int:
        return cycles.year_of(self.kind, self.starts_on)

    @property
    def members_at(self) -> dt.datetime:
        """The instant whose members owe it: the opening, or the last one of a month or half-year."""
        if cycles.CYCLES[self.kind].opens_after_end:
            return self.opens_at - dt.timedelta(microseconds=1)
        return self.opens_at
