"""What is owed by when: policies with their history, the calendar, periods, obligations, suspensions, outages.

Every interval is half-open. A report received at `t` is on time when `t < due_at` and late when
`due_at <= t < closes_at`; `received_outcome` is the one place where that is written.
"""

import datetime as dt
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from accounts.models import Organization, OrganizationQuerySet, Role
from core import clock


class ObligationKind(models.TextChoices):
    WEEKLY_REPORT = "weekly_report", "周报"
    CORRECTION = "correction", "更正周报"


class Outcome(models.TextChoices):
    PENDING = "pending", "待报"
    ON_TIME = "on_time", "按时"
    LATE = "late", "迟报"
    MISSED = "missed", "未报"
    EXEMPT = "exempt", "免报"


def received_outcome(received_at: dt.datetime, due_at: dt.datetime, closes_at: dt.datetime | None) -> Outcome | None:
    """ON_TIME before `due_at`, LATE from it until `closes_at` (null: no end), None when already closed."""
    if received_at < due_at:
        return Outcome.ON_TIME
    if closes_at is None or received_at < closes_at:
        return Outcome.LATE
    return None


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
        return f"{self.day} {self.get_kind_display()}"


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
        EXEMPT = "exempt", "当周免报"
        MOVE = "move", "提前到前一个工作日"

    kind = models.CharField("种类", max_length=20, choices=ObligationKind, default=ObligationKind.WEEKLY_REPORT)
    effective_from = models.DateField("生效日期")
    period_weeks = models.PositiveSmallIntegerField(
        "周期（周）", default=1, validators=[MinValueValidator(1), MaxValueValidator(4)]
    )
    due_weekday = models.PositiveSmallIntegerField(
        "截止星期",
        default=5,
        choices=list(enumerate(["星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"], 1)),
    )
    due_time = models.TimeField("截止时间", default=dt.time(18))
    close_after_hours = models.PositiveSmallIntegerField(
        "截止后多少小时关闭", default=72, validators=[MinValueValidator(1), MaxValueValidator(336)]
    )
    on_holiday = models.CharField("截止日逢节假日", max_length=10, choices=OnHoliday, default=OnHoliday.EXEMPT)
    reminder_hours = models.JSONField("提前多少小时提醒", default=list, blank=True)
    flag_weeks = models.PositiveSmallIntegerField(
        "连续未报几周立案", default=3, validators=[MinValueValidator(2), MaxValueValidator(12)]
    )
    correction_working_days = models.PositiveSmallIntegerField(
        "更正期限（工作日）", default=3, validators=[MinValueValidator(1), MaxValueValidator(30)]
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
        return f"{self.get_kind_display()}规则（{self.effective_from}起）"


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
        indexes = [models.Index(fields=["closed_at", "closes_at"]), models.Index(fields=["opened_at", "opens_at"])]

    def __str__(self) -> str:
        return f"{self.label}周报" if self.kind == ObligationKind.WEEKLY_REPORT else self.key

    @property
    def label(self) -> str:
        """`2020年第47周`, or `2020年第47–48周` when the province reports fortnightly."""
        year, week, _ = self.starts_on.isocalendar()
        last = self.ends_on.isocalendar().week
        return f"{year}年第{week}周" if last == week else f"{year}年第{week}–{last}周"

    @property
    def short_label(self) -> str:
        return f"{self.starts_on.isocalendar().week}周"


class ObligationQuerySet(models.QuerySet["Obligation"]):
    def visible_to(self, user: Any) -> "ObligationQuerySet":
        if user.sees_reporting or user.role in {"school_contact", "school_leader", "evaluator"}:
            return self.filter(organization__in=Organization.objects.visible_to(user))
        return self.none()

    def weekly(self) -> "ObligationQuerySet":
        return self.filter(kind=ObligationKind.WEEKLY_REPORT)

    def pending(self) -> "ObligationQuerySet":
        return self.filter(outcome=Outcome.PENDING)

    def owed(self) -> "ObligationQuerySet":
        """What counts in a rate: everything but the exempt."""
        return self.exclude(outcome=Outcome.EXEMPT)

    def opened(self, at: dt.datetime) -> "ObligationQuerySet":
        return self.filter(opens_at__lte=at)

    def overdue(self, at: dt.datetime) -> "ObligationQuerySet":
        """Due and not yet done."""
        return self.pending().filter(due_at__lte=at)

    def counted_missed(self) -> "ObligationQuerySet":
        """Missed and not excused: what a streak is made of."""
        return self.filter(outcome=Outcome.MISSED, excused_at=None)

    def covered_by(self, suspension: "Suspension") -> "ObligationQuerySet":
        """Obligations whose due instant lies in the suspension and whose organisation it covers."""
        return self.filter(
            organization__in=suspension.covered_organizations(),
            due_at__gte=suspension.starts_at,
            due_at__lt=suspension.stands_until,
        )


class Obligation(models.Model):
    """What one organisation owes by one date. Consequences are derived from these rows."""

    class Source(models.TextChoices):
        PORTAL = "portal", "本平台"
        PLATFORM = "platform", "国家平台"

    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="obligations", verbose_name="机构"
    )
    kind = models.CharField("种类", max_length=20, choices=ObligationKind)
    key = models.CharField("编号", max_length=40)
    title = models.CharField("事项", max_length=120)
    link = models.CharField("办理页面", max_length=200, blank=True)
    period = models.ForeignKey(
        Period, models.PROTECT, null=True, blank=True, related_name="obligations", verbose_name="周期"
    )
    opens_at = models.DateTimeField("开始")
    due_at = models.DateTimeField("截止")
    closes_at = models.DateTimeField("关闭", null=True, blank=True)
    outcome = models.CharField("结果", max_length=10, choices=Outcome, default=Outcome.PENDING)
    received_at = models.DateTimeField("收到时间", null=True, blank=True)
    filled_at = models.DateTimeField("补报时间", null=True, blank=True)
    source = models.CharField("来源", max_length=10, choices=Source, default=Source.PORTAL)
    exempt_reason = models.CharField("免报原因", max_length=200, blank=True)
    reminded_steps = models.PositiveSmallIntegerField("已提醒次数", default=0)
    closed_at = models.DateTimeField("关闭于", null=True, blank=True)
    excused_at = models.DateTimeField("谅解时间", null=True, blank=True)
    excused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="谅解人"
    )
    excuse_reason = models.TextField("谅解理由", blank=True)

    objects = ObligationQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "报送任务"
        ordering = ["due_at", "organization"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "kind", "key"], name="obligation_once"),
            models.CheckConstraint(condition=Q(opens_at__lte=F("due_at")), name="obligation_order"),
            models.CheckConstraint(
                condition=Q(closes_at__isnull=True) | Q(closes_at__gt=F("due_at")), name="obligation_close_order"
            ),
            models.CheckConstraint(
                condition=~Q(outcome__in=["on_time", "late"]) | Q(received_at__isnull=False),
                name="obligation_received_when",
            ),
            models.CheckConstraint(
                condition=~Q(outcome="missed") | Q(closed_at__isnull=False), name="obligation_missed_closed"
            ),
            models.CheckConstraint(
                condition=Q(excused_at__isnull=True, excused_by__isnull=True)
                | Q(excused_at__isnull=False, excused_by__isnull=False, outcome="missed"),
                name="obligation_excused_by_when",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "kind", "due_at"]),
            models.Index(fields=["period", "outcome"]),
            models.Index(fields=["outcome", "due_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.organization} {self.title}"

    @property
    def state(self) -> str:
        """Outcome with its overlays: `excused` and `filled` are missed ones with more to say."""
        if self.outcome == Outcome.MISSED:
            if self.excused_at:
                return "excused"
            if self.filled_at:
                return "filled"
        return self.outcome


class SuspensionQuerySet(models.QuerySet["Suspension"]):
    def standing_at(self, instant: dt.datetime) -> "SuspensionQuerySet":
        """`starts_at <= instant` and not yet ended or lifted."""
        return self.filter(
            Q(lifted_at=None) | Q(lifted_at__gt=instant), starts_at__lte=instant, ends_at__gt=instant
        )

    def visible_to(self, user: Any) -> "SuspensionQuerySet":
        """What touches the organisations in the user's scope: named itself, by its supervisor or the province."""
        organizations = Organization.objects.visible_to(user)
        named = Suspension.organizations.through.objects.filter(
            Q(organization__in=organizations)
            | Q(organization__in=organizations.values("supervisor"))
            | Q(organization__kind=Organization.Kind.PROVINCE),
            suspension=OuterRef("pk"),
        )
        if user.sees_reporting or user.role in Role.of_an_organization():
            return self.filter(Exists(named))
        return self.none()


class Suspension(models.Model):
    """A stretch in which the clocks of what falls due stand still (SX 三.6; a declared school vacation).

    It names organisations: a school, a city (all that it supervises), or the province (all). For a
    certificate it names the schools that ran only that certificate when it was declared.
    """

    class Kind(models.TextChoices):
        EMERGENCY = "emergency", "突发事件"
        VACATION = "vacation", "学校放假"

    kind = models.CharField("类别", max_length=10, choices=Kind)
    organizations = models.ManyToManyField(Organization, related_name="suspensions", verbose_name="范围")
    scope_label = models.CharField("范围说明", max_length=120)
    starts_at = models.DateTimeField("开始")
    ends_at = models.DateTimeField("结束")
    reason = models.CharField("原因", max_length=300)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField("登记时间")
    lifted_at = models.DateTimeField("提前结束时间", null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = SuspensionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "停报"
        ordering = ["-starts_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="suspension_order",
                violation_error_message="结束必须晚于开始。",
            ),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True, lifted_by__isnull=True)
                | Q(lifted_at__isnull=False, lifted_by__isnull=False),
                name="suspension_lifted_by_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope_label}{self.get_kind_display()}停报"

    @property
    def stands_until(self) -> dt.datetime:
        """The planned end, or the instant at which it was lifted before that."""
        return min(self.ends_at, self.lifted_at) if self.lifted_at else self.ends_at

    @property
    def last_day(self) -> dt.date:
        """The last local day of which it covers some part: how people say when it ends."""
        return clock.local(self.ends_at - dt.timedelta(microseconds=1)).date()

    def covered_organizations(self) -> OrganizationQuerySet:
        """Those that it names, itself or by their supervisor or the province."""
        named = self.organizations.values("pk")
        return Organization.objects.filter(
            Q(pk__in=named)
            | Q(supervisor__in=named)
            | Exists(self.organizations.filter(kind=Organization.Kind.PROVINCE))
        )


class Outage(models.Model):
    """A planned or recorded outage of the portal; deadlines that it touches move for everybody."""

    starts_at = models.DateTimeField("开始")
    ends_at = models.DateTimeField("结束")
    reason = models.CharField("原因", max_length=300)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField("登记时间")

    class Meta:
        verbose_name = verbose_name_plural = "平台停机"
        ordering = ["-starts_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="outage_order",
                violation_error_message="结束必须晚于开始。",
            )
        ]

    def __str__(self) -> str:
        return f"停机 {self.starts_at:%Y-%m-%d %H:%M}"
