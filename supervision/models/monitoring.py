"""Monitoring points (监测点, MOE 五(三)): some ten schools for each certificate, from one day to another."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from accounts import in_charge
from accounts.models import Organization, Role
from certificates.models import Certificate
from core.templatetags.portal import full_day


class MonitoringTurnQuerySet(models.QuerySet["MonitoringTurn"]):
    def visible_to(self, user: Any) -> "MonitoringTurnQuerySet":
        """The province's roles all; an evaluator those of its certificates, a coordinator those of the
        evaluators given to him or her; schools and cities those with schools of theirs."""
        if user.sees_province:
            return self.all()
        if user.role == Role.EVALUATOR:
            return self.filter(certificate__owner=user.organization_id)
        if user.role == Role.COORDINATOR:
            return self.filter(certificate__owner__in=in_charge.organizations(user))
        points = MonitoringPoint.objects.filter(turn=OuterRef("pk")).visible_to(user)
        return self.filter(Exists(points))

    def standing(self, day: dt.date) -> "MonitoringTurnQuerySet":
        return self.filter(starts_on__lte=day, ends_on__gte=day)


class MonitoringTurn(models.Model):
    """The schools chosen for one certificate, from `starts_on` to `ends_on`, both included (local days)."""

    certificate = models.ForeignKey(
        Certificate, models.PROTECT, related_name="monitoring_turns", verbose_name="证书"
    )
    starts_on = models.DateField("自")
    ends_on = models.DateField("至")
    reason = models.TextField("选定理由")
    chosen_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    chosen_at = models.DateTimeField("选定时间")

    objects = MonitoringTurnQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "监测点"
        ordering = ["-starts_on", "certificate"]
        constraints = [
            models.UniqueConstraint(fields=["certificate", "starts_on"], name="monitoring_turn_once"),
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")),
                name="monitoring_turn_order",
                violation_error_message="结束日期不能早于开始日期。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.certificate.short_name}监测点（{full_day(self.starts_on)}起）"

    @property
    def organization_id(self) -> int:
        """The evaluator that is watched."""
        return int(self.certificate.owner_id)

    def state_on(self, day: dt.date) -> str:
        if day < self.starts_on:
            return "coming"
        return "active" if day <= self.ends_on else "ended"


class MonitoringPointQuerySet(models.QuerySet["MonitoringPoint"]):
    def visible_to(self, user: Any) -> "MonitoringPointQuerySet":
        """A school only itself, a city its own; whoever sees the certificate's turn otherwise sees all of it."""
        if user.role == Role.CITY_BUREAU or user.role in Role.of_a_school():
            return self.filter(organization__in=Organization.objects.visible_to(user))
        if user.sees_province or user.role in {Role.EVALUATOR, Role.COORDINATOR}:
            return self.filter(turn__in=MonitoringTurn.objects.visible_to(user))
        return self.none()


class MonitoringPoint(models.Model):
    turn = models.ForeignKey(MonitoringTurn, models.CASCADE, related_name="points", verbose_name="监测点名单")
    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="monitoring_points", verbose_name="院校"
    )
    is_proposed = models.BooleanField("平台拟定", default=False)

    objects = MonitoringPointQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "监测点院校"
        ordering = ["turn", "organization"]
        constraints = [models.UniqueConstraint(fields=["turn", "organization"], name="monitoring_point_once")]

    def __str__(self) -> str:
        return f"{self.organization}"
