"""The secret address under which a person's deadlines can be subscribed to as a calendar."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Organization, Role, User


class CalendarFeedQuerySet(models.QuerySet["CalendarFeed"]):
    def visible_to(self, user: Any) -> "CalendarFeedQuerySet":
        return self.filter(user=user.pk)

    def standing(self) -> "CalendarFeedQuerySet":
        return self.filter(revoked_at=None)


class CalendarFeed(models.Model):
    """Whoever holds the address reads, without signing in, what its maker may see of deadlines.

    Only the HMAC of the address's secret is kept. It holds for the role and organisation its maker had.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.PROTECT, related_name="calendar_feeds", verbose_name="账号")
    digest = models.CharField("摘要", max_length=64, unique=True)
    role = models.CharField("角色", max_length=20, choices=Role)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", verbose_name="所属机构")
    created_at = models.DateTimeField("生成时间")
    revoked_at = models.DateTimeField("停用时间", null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = CalendarFeedQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "日历订阅"
        ordering = ["-created_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(revoked_at__isnull=True),
                name="calendar_feed_one_standing",
                violation_error_message="已有一个订阅地址；请换新地址或先停用。",
            ),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by__isnull=True)
                | Q(revoked_at__isnull=False, revoked_by__isnull=False),
                name="calendar_feed_revoked_by_when",
            ),
        ]

    def __str__(self) -> str:
        return f"日历订阅（{self.user}）"

    @property
    def is_open(self) -> bool:
        """The address still stands, and its maker is in use, in the role and organisation it was made for."""
        user = self.user
        unchanged = self.role == user.role and self.organization_id == user.organization_id
        return self.revoked_at is None and user.is_active and not user.must_change_password and unchanged
