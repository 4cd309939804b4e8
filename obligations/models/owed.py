"""What one organisation owes by one date, and how it ended."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts import in_charge
from accounts.models import Organization, Role
from obligations import handlers
from obligations.models.pauses import Suspension
from obligations.models.rules import PERIODIC, REPORTS, STEPS_OF_ROUNDS, ObligationKind, Period


class Outcome(models.TextChoices):
    PENDING = "pending", "待报"
    ON_TIME = "on_time", "按时"
    LATE = "late", "迟报"
    MISSED = "missed", "未报"
    EXEMPT = "exempt", "免报"


# State of what is exempt and is no report: lapsed, withdrawn, or without its ground (`exempt_reason`).
NOT_OWED = "not_owed"


def received_outcome(
    received_at: dt.datetime, due_at: dt.datetime, closes_at: dt.datetime | None
) -> Outcome | None:
    """ON_TIME before `due_at`, LATE from it until `closes_at` (null: no end), None when already closed."""
    if received_at < due_at:
        return Outcome.ON_TIME
    if closes_at is None or received_at < closes_at:
        return Outcome.LATE
    return None


class ObligationQuerySet(models.QuerySet["Obligation"]):
    def visible_to(self, user: Any) -> "ObligationQuerySet":
        """Those who watch over reporting within their scope; school and evaluator their own; a coordinator
        those of the evaluators in his or her charge, and what is given to him or her."""
        if user.sees_reporting and user.sees_province:
            return self.all()
        if user.sees_reporting or user.role in {"school_contact", "school_leader", "evaluator"}:
            return self.filter(organization__in=Organization.objects.visible_to(user))
        if user.role == Role.COORDINATOR:
            charged = Q(organization__in=in_charge.organizations(user))
            return self.filter(charged | handlers.given_to(user))
        return self.none()

    def weekly(self) -> "ObligationQuerySet":
        return self.filter(kind=ObligationKind.WEEKLY_REPORT)

    def periodic(self) -> "ObligationQuerySet":
        """Weekly and monthly reports and half-year summaries."""
        return self.filter(kind__in=PERIODIC)

    def reports(self) -> "ObligationQuerySet":
        """What reporting asks for: a suspension exempts from these, and from nothing else."""
        return self.filter(kind__in=REPORTS)

    def but_case_terms(self) -> "ObligationQuerySet":
        """The terms of a case outlive the pilot of whom they concern."""
        return self.exclude(kind__in=[ObligationKind.CASE_ANSWER, ObligationKind.RECTIFICATION])

    def but_steps_of_rounds(self) -> "ObligationQuerySet":
        return self.exclude(kind__in=STEPS_OF_ROUNDS)

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
        """Reports whose due instant lies in the suspension and whose organisation it covers."""
        return self.reports().filter(
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
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="谅解人",
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
                condition=Q(closes_at__isnull=True) | Q(closes_at__gt=F("due_at")),
                name="obligation_close_order",
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
        """Outcome with its overlays: `excused` and `filled` are missed ones with more to say, `not_owed` is
        exempt and no report."""
        if self.outcome == Outcome.EXEMPT and self.kind not in REPORTS:
            return NOT_OWED
        if self.outcome == Outcome.MISSED:
            if self.excused_at:
                return "excused"
            if self.filled_at:
                return "filled"
        return self.outcome
