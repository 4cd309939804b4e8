"""异议: a school's claim that a missed mark is wrong, and the office's answer."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from obligations.models.owed import Obligation


class DisputeQuerySet(models.QuerySet["Dispute"]):
    def visible_to(self, user: Any) -> "DisputeQuerySet":
        return self.filter(obligation__in=Obligation.objects.visible_to(user))

    def open(self) -> "DisputeQuerySet":
        return self.filter(state=Dispute.State.OPEN)


class Dispute(models.Model):
    """One claim against one missed mark. Mark, claim and answer all stay on record."""

    class State(models.TextChoices):
        OPEN = "open", "待答复"
        UPHELD = "upheld", "成立"
        REJECTED = "rejected", "不成立"
        WITHDRAWN = "withdrawn", "已撤回"

    obligation = models.ForeignKey(
        Obligation, models.PROTECT, related_name="disputes", verbose_name="未报记录"
    )
    state = models.CharField("状态", max_length=10, choices=State, default=State.OPEN)
    claim = models.TextField("异议理由", max_length=2000)
    filed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="提出人"
    )
    filed_at = models.DateTimeField("提出时间")
    answer_due_at = models.DateTimeField("答复期限")
    answer = models.TextField("答复理由", max_length=2000, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="答复人",
    )
    answered_at = models.DateTimeField("答复时间", null=True, blank=True)

    objects = DisputeQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "异议"
        ordering = ["-filed_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["obligation"],
                condition=Q(state="open"),
                name="dispute_open_once",
                violation_error_message="这一周的异议正在等待答复。",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["upheld", "rejected"], answered_at__isnull=False)
                & Q(answered_by__isnull=False)
                | Q(state__in=["open", "withdrawn"], answered_at__isnull=True, answered_by__isnull=True),
                name="dispute_answered_when",
            ),
        ]
        indexes = [models.Index(fields=["state", "answer_due_at"])]

    def __str__(self) -> str:
        return f"{self.obligation} 异议"

    @property
    def organization_id(self) -> int:
        return self.obligation.organization_id

    def is_overdue(self, at: dt.datetime) -> bool:
        """Open past the time that the office has for its answer."""
        return self.state == self.State.OPEN and self.answer_due_at <= at
