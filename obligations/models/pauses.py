"""Stretches in which clocks stand still: suspensions, and outages of the portal."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from accounts.models import Organization, OrganizationQuerySet, Role
from core import clock


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

    It names organisations: a school, an evaluator, a city (all that it supervises), or the province (all).
    For a certificate it names those that ran only that certificate when it was declared.
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
        return f"停机 {clock.local(self.starts_at):%Y-%m-%d %H:%M}"
