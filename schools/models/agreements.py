"""Cooperation agreements between schools and evaluators (试点合作协议, HB 三.6)."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from accounts.models import Organization, Role
from certificates.models import CertificateLevel
from schools.models.schools import School


class AgreementQuerySet(models.QuerySet["Agreement"]):
    def visible_to(self, user: Any) -> "AgreementQuerySet":
        """The province all; an evaluator its own; a school what it is a party to; a city what its schools are."""
        if user.sees_province:
            return self.all()
        if user.role == Role.EVALUATOR:
            return self.filter(evaluator=user.organization_id)
        if user.role == Role.CITY_BUREAU or user.role in Role.of_a_school():
            parties = AgreementParty.objects.filter(
                agreement=OuterRef("pk"), school__organization__in=Organization.objects.visible_to(user)
            )
            return self.filter(Exists(parties))
        return self.none()

    def of_school(self, school_id: int) -> "AgreementQuerySet":
        """Those to which the school has said yes."""
        parties = AgreementParty.objects.filter(
            agreement=OuterRef("pk"), school=school_id, confirmed_at__isnull=False
        )
        return self.filter(Exists(parties))

    def in_force(self, day: dt.date) -> "AgreementQuerySet":
        """Signed, not expired and not ended: `signed_on <= day <= valid_until`, `day < ended_on`."""
        return self.filter(Q(ended_on=None) | Q(ended_on__gt=day), signed_on__lte=day, valid_until__gte=day)


class Agreement(models.Model):
    """One price for one certificate level, signed by one evaluator and one or several schools."""

    evaluator = models.ForeignKey(
        Organization, models.PROTECT, related_name="agreements", verbose_name="培训评价组织"
    )
    certificate_level = models.ForeignKey(
        CertificateLevel, models.PROTECT, related_name="agreements", verbose_name="证书等级"
    )
    reference = models.CharField("协议编号", max_length=60, blank=True)
    fee = models.DecimalField(
        "考核费用（元/人）",
        max_digits=9,
        decimal_places=2,
        validators=[MinValueValidator(Decimal(0))],
    )
    signed_on = models.DateField("签署日期")
    valid_until = models.DateField("有效期至")
    over_cap_reason = models.CharField("高于上限的理由", max_length=300, blank=True)
    registered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    registered_at = models.DateTimeField("登记时间")
    ended_on = models.DateField("终止日期", null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    end_reason = models.TextField("终止原因", blank=True)

    objects = AgreementQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "试点合作协议"
        ordering = ["-signed_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_until__gte=F("signed_on")),
                name="agreement_order",
                violation_error_message="有效期不能早于签署日期。",
            ),
            models.CheckConstraint(condition=Q(fee__gte=0), name="agreement_fee_not_negative"),
            models.CheckConstraint(
                condition=Q(ended_on__isnull=True, ended_by__isnull=True)
                | Q(ended_on__isnull=False, ended_by__isnull=False),
                name="agreement_ended_by_when",
            ),
        ]
        indexes = [models.Index(fields=["certificate_level", "valid_until"])]

    def __str__(self) -> str:
        return f"{self.certificate_level}合作协议（{self.signed_on:%Y-%m-%d}签）"


class AgreementParty(models.Model):
    """A school that signed; the one that registered it, and others once they have said yes themselves."""

    agreement = models.ForeignKey(Agreement, models.CASCADE, related_name="parties", verbose_name="协议")
    school = models.ForeignKey(School, models.PROTECT, related_name="agreement_parties", verbose_name="学校")
    confirmed_at = models.DateTimeField("确认时间", null=True, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = verbose_name_plural = "协议院校"
        ordering = ["agreement", "school"]
        constraints = [
            models.UniqueConstraint(fields=["agreement", "school"], name="agreement_party_once"),
            models.CheckConstraint(
                condition=Q(confirmed_at__isnull=True, confirmed_by__isnull=True)
                | Q(confirmed_at__isnull=False, confirmed_by__isnull=False),
                name="agreement_confirmed_by_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.school} {self.agreement}"
