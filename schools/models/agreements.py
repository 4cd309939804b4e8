"""Cooperation agreements between schools and evaluators (试点合作协议, HB 三.6). Days are local days."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When

from accounts.models import Organization, Role
from certificates.models import CertificateLevel
from core.templatetags.portal import full_day
from funding.models import FeeCap
from schools.models.schools import School

# So long before its last day an agreement is listed as expiring.
EXPIRING_DAYS = 60


class AgreementQuerySet(models.QuerySet["Agreement"]):
    def visible_to(self, user: Any) -> "AgreementQuerySet":
        """The province all; an evaluator its own; a school what it is a party to; a city what its schools are,
        and those of the items that it reviews first; an expert those of the items asked about."""
        if user.sees_province:
            return self.all()
        if user.role == Role.EVALUATOR:
            return self.filter(evaluator=user.organization_id)
        parties = AgreementParty.objects.filter(
            agreement=OuterRef("pk"), school__organization__in=Organization.objects.visible_to(user)
        )
        items = apps.get_model("schools.ApplicationItem").objects.visible_to(user)
        shown = Q(Exists(items.filter(agreement=OuterRef("pk"))))
        if user.role in Role.of_a_school():
            return self.filter(Exists(parties))
        if user.role == Role.CITY_BUREAU:
            return self.filter(shown | Q(Exists(parties)))
        return self.filter(shown) if user.role == Role.EXPERT else self.none()

    def of_school(self, school_id: int, day: dt.date | None = None) -> "AgreementQuerySet":
        """Those to which the school has said yes and, where a day is given, that it has not left by then."""
        parties = AgreementParty.objects.filter(
            agreement=OuterRef("pk"), school=school_id, confirmed_at__isnull=False
        )
        return self.filter(Exists(parties if day is None else parties.joined(day)))

    def in_force(self, day: dt.date) -> "AgreementQuerySet":
        """Signed, not expired and not ended: `signed_on <= day <= valid_until`, `day < ended_on`."""
        return self.filter(Q(ended_on=None) | Q(ended_on__gt=day), signed_on__lte=day, valid_until__gte=day)

    def with_state(self, day: dt.date, school_id: int | None = None) -> "AgreementQuerySet":
        """`state` on `day`: voided, terminated, not_joined, expired, unconfirmed, expiring or valid.

        For a school as that school stands; for others (None) unconfirmed where any school has not answered.
        """
        parties = AgreementParty.objects.filter(agreement=OuterRef("pk"))
        if school_id is not None:
            parties = parties.filter(school=school_id)
        left = parties.filter(left_on__lte=day) if school_id is not None else parties.none()
        return self.annotate(
            state=Case(
                When(is_void=True, then=Value("voided")),
                When(ended_on__lte=day, then=Value("terminated")),
                When(Exists(left.filter(confirmed_at=None)), then=Value("not_joined")),
                When(Exists(left), then=Value("terminated")),
                When(valid_until__lt=day, then=Value("expired")),
                When(Exists(parties.filter(confirmed_at=None, left_on=None)), then=Value("unconfirmed")),
                When(valid_until__lte=day + dt.timedelta(days=EXPIRING_DAYS), then=Value("expiring")),
                default=Value("valid"),
            )
        )


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
    # The cap it was judged against when registered; null: none was set.
    cap = models.ForeignKey(
        FeeCap, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="对照的上限"
    )
    registered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    registered_at = models.DateTimeField("登记时间")
    ended_on = models.DateField("终止日期", null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    end_reason = models.TextField("终止原因", blank=True)
    # Registered by mistake: it ends on the day it begins, so that it was in force on none.
    is_void = models.BooleanField("作废", default=False)

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
            models.CheckConstraint(
                condition=Q(is_void=False) | Q(ended_on__isnull=False, ended_on=F("signed_on")),
                name="agreement_void_never_held",
            ),
        ]
        indexes = [models.Index(fields=["certificate_level", "valid_until"])]

    def __str__(self) -> str:
        return f"{self.certificate_level}合作协议（{full_day(self.signed_on)}签）"

    @property
    def organization_id(self) -> int | None:
        """The school that registered it."""
        return self.registered_by.organization_id


class AgreementPartyQuerySet(models.QuerySet["AgreementParty"]):
    def joined(self, day: dt.date) -> "AgreementPartyQuerySet":
        """Those that have said yes and have not left by `day`."""
        return self.filter(Q(left_on=None) | Q(left_on__gt=day), confirmed_at__isnull=False)

    def bound(self, day: dt.date) -> "AgreementPartyQuerySet":
        """Those joined whose agreement is in force on `day`."""
        return self.joined(day).filter(agreement__in=Agreement.objects.in_force(day))


class AgreementParty(models.Model):
    """A school that signed; the one that registered it, and others once they have said yes themselves.

    `left_on` of a confirmed one: it ended the agreement for itself; of another: it said no.
    """

    agreement = models.ForeignKey(Agreement, models.CASCADE, related_name="parties", verbose_name="协议")
    school = models.ForeignKey(School, models.PROTECT, related_name="agreement_parties", verbose_name="学校")
    confirmed_at = models.DateTimeField("确认时间", null=True, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    left_on = models.DateField("退出日期", null=True, blank=True)
    left_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    left_reason = models.TextField("退出原因", blank=True)

    objects = AgreementPartyQuerySet.as_manager()

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
            models.CheckConstraint(
                condition=Q(left_on__isnull=True, left_by__isnull=True, left_reason="")
                | Q(left_on__isnull=False, left_by__isnull=False) & ~Q(left_reason=""),
                name="agreement_left_by_when_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.school} {self.agreement}"

    @property
    def state(self) -> str:
        """confirmed, unconfirmed, left or declined."""
        if self.left_on:
            return "left" if self.confirmed_at else "declined"
        return "confirmed" if self.confirmed_at else "unconfirmed"

    def is_joined(self, day: dt.date) -> bool:
        """As `joined` of the queryset: said yes and not left by `day`."""
        return self.confirmed_at is not None and (self.left_on is None or self.left_on > day)
