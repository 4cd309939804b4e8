"""Result lists: published for objection (公示), then for good (公布); objections to them; the national
platform's state beside ours."""

import datetime as dt
import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery

from accounts.models import Organization, Role
from certificates.models import CertificateLevel
from core import clock
from core.fields import EncryptedTextField
from obligations.models import Obligation, ObligationKind
from schools.models.rounds import ApplicationRound


class ResultListQuerySet(models.QuerySet["ResultList"]):
    def visible_to(self, user: Any) -> "ResultListQuerySet":
        """As the office keeps them, before their first day too; everybody else reads what is `public`."""
        return self.all() if user.sees_province else self.none()

    def public(self, at: dt.datetime) -> "ResultListQuerySet":
        """What anybody may read: a 公示 from its first day on (and after its end), a 公布 at once."""
        return self.filter(Q(kind="final") | Q(starts_on__lte=clock.local(at).date()))

    def proposed(self) -> "ResultListQuerySet":
        return self.filter(kind=ResultList.Kind.PROPOSED)

    def final(self) -> "ResultListQuerySet":
        return self.filter(kind=ResultList.Kind.FINAL)

    def items(self) -> set[int]:
        """The keys of the items on these lists; one query."""
        return {row["item"] for rows in self.order_by().values_list("rows", flat=True) for row in rows}


class ResultList(models.Model):
    """The approved items of a round as they stood when published. The rows are frozen:
    [{"school", "code", "city", "kind", "certificate", "level", "planned", "item"}, …]."""

    class Kind(models.TextChoices):
        PROPOSED = "proposed", "公示"
        FINAL = "final", "公布"

    round = models.ForeignKey(ApplicationRound, models.PROTECT, related_name="lists", verbose_name="申报批次")
    kind = models.CharField("种类", max_length=10, choices=Kind)
    title = models.CharField("标题", max_length=120)
    document = models.CharField("文号", max_length=120, blank=True)
    text = models.TextField("正文", blank=True)
    # Of a 公示: its first and last day (local days, both included).
    starts_on = models.DateField("公示开始", null=True, blank=True)
    ends_on = models.DateField("公示结束", null=True, blank=True)
    rows = models.JSONField("名单")
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    published_at = models.DateTimeField("发布时间")

    objects = ResultListQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "结果名单"
        ordering = ["-published_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="final", starts_on__isnull=True, ends_on__isnull=True)
                | Q(kind="proposed", ends_on__gte=F("starts_on")),
                name="result_list_days",
                violation_error_message="公示须有开始和结束日期，结束不能早于开始。",
            )
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def opens_at(self) -> dt.datetime:
        """Of a 公示: the first instant of its first day."""
        return clock.at(self._day(self.starts_on))

    @property
    def closes_at(self) -> dt.datetime:
        """Of a 公示: the instant at which its last day is over; half-open."""
        return clock.at(self._day(self.ends_on) + dt.timedelta(days=1))

    def is_open(self, at: dt.datetime) -> bool:
        """Whether it takes objections at `at`; a 公布 never does."""
        return self.kind == self.Kind.PROPOSED and self.opens_at <= at < self.closes_at

    def is_over(self, at: dt.datetime) -> bool:
        return self.kind == self.Kind.PROPOSED and at >= self.closes_at

    @staticmethod
    def _day(day: dt.date | None) -> dt.date:
        if day is None:
            raise ValueError("only a 公示 has days")
        return day


class ObjectionQuerySet(models.QuerySet["Objection"]):
    def visible_to(self, user: Any) -> "ObjectionQuerySet":
        """Those of the province's roles; an objector follows his or hers by its receipt."""
        return self.all() if user.sees_province else self.none()

    def unanswered(self) -> "ObjectionQuerySet":
        return self.filter(answered_at=None)

    def with_due(self) -> "ObjectionQuerySet":
        """`due_at`: until when the office owes the answer."""
        owed = Obligation.objects.filter(kind=ObligationKind.OBJECTION, key=OuterRef("receipt"))
        return self.annotate(due_at=Subquery(owed.values("due_at")))


class Objection(models.Model):
    """What somebody holds against a published list (公示异议), and the answer. Who objects is kept encrypted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    result_list = models.ForeignKey(
        ResultList, models.PROTECT, related_name="objections", verbose_name="公示"
    )
    receipt = models.CharField("受理编号", max_length=32, unique=True)
    about = models.ForeignKey(
        Organization, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="所涉院校"
    )
    name = EncryptedTextField("姓名或单位")
    contact = EncryptedTextField("联系方式")
    text = models.TextField("异议内容")
    received_at = models.DateTimeField("收到时间")
    # Null: handed in on the public page; else the officer who took it down.
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    is_upheld = models.BooleanField("成立", null=True, blank=True)
    answer = models.TextField("答复", blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    answered_at = models.DateTimeField("答复时间", null=True, blank=True)
    # Why the list stands although the objection was upheld.
    kept_reason = models.TextField("名单不变的理由", blank=True)

    objects = ObjectionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "公示异议"
        ordering = ["-received_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, answered_by__isnull=True, is_upheld__isnull=True)
                | Q(answered_at__isnull=False, answered_by__isnull=False, is_upheld__isnull=False),
                name="objection_answered_by_when",
            )
        ]

    def __str__(self) -> str:
        return self.receipt

    @property
    def state(self) -> str:
        if self.answered_at is None:
            return "open"
        return "upheld" if self.is_upheld else "rejected"


class PlatformApprovalQuerySet(models.QuerySet["PlatformApproval"]):
    def visible_to(self, user: Any) -> "PlatformApprovalQuerySet":
        """By school; an evaluator what was approved of its certificates."""
        if user.role == Role.EVALUATOR:
            return self.filter(certificate_level__certificate__owner=user.organization_id)
        return self.filter(organization__in=Organization.objects.visible_to(user))


class PlatformApproval(models.Model):
    """What the national platform says of a school's certificate level in a year (SH 3: 以教育部平台系统结果为准)."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", verbose_name="院校")
    certificate_level = models.ForeignKey(
        CertificateLevel, models.PROTECT, related_name="+", verbose_name="证书等级"
    )
    year = models.PositiveSmallIntegerField("年度")
    is_approved = models.BooleanField("平台审核通过")
    state_words = models.CharField("平台状态", max_length=40)
    candidates = models.PositiveIntegerField("平台计划人数", null=True, blank=True)
    as_of = models.DateField("平台数据日期")
    imported_at = models.DateTimeField("导入时间")

    objects = PlatformApprovalQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "国家平台审核结果"
        ordering = ["-year", "organization", "certificate_level"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "certificate_level", "year"], name="platform_approval_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.organization} {self.certificate_level} {self.year}"
