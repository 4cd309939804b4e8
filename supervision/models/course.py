"""What is said and issued in the course of a case, and what follows from it."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.models import AppendOnly, Attachment, AttachmentQuerySet
from obligations.models import Obligation
from schools.models import Programme
from supervision.models.cases import Case


class OfCaseQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: Any) -> "OfCaseQuerySet":
        return self.filter(case__in=Case.objects.visible_to(user))


class StatementQuerySet(OfCaseQuerySet):
    def visible_to(self, user: Any) -> "StatementQuerySet":
        """Sent ones with the case; a draft only to the school that writes it."""
        readable = Q(sent_at__isnull=False) | Q(case__organization=user.organization_id)
        return self.filter(readable, case__in=Case.objects.visible_to(user))


class Statement(models.Model):
    """What the school says within a term: its answer (陈述申辩) or its report of rectification.

    A draft until it is sent; then it has a receipt and never changes. `content_hash` is the SHA-256
    (hex) of the text followed by the SHA-256 of each file, one a line.
    """

    case = models.ForeignKey(Case, models.PROTECT, related_name="statements", verbose_name="案件")
    term = models.OneToOneField(Obligation, models.PROTECT, related_name="statement", verbose_name="期限")
    text = models.TextField("内容", max_length=20_000)
    saved_at = models.DateTimeField("保存时间")
    sent_at = models.DateTimeField("提交时间", null=True, blank=True)
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="提交人",
    )
    receipt = models.CharField("回执编号", max_length=32, blank=True)
    content_hash = models.CharField("内容摘要", max_length=64, blank=True)

    objects = StatementQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "陈述"
        ordering = ["saved_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(sent_at__isnull=True, sent_by__isnull=True, receipt="")
                | (Q(sent_at__isnull=False, sent_by__isnull=False) & ~Q(receipt="")),
                name="statement_sent_by_when",
            ),
            models.UniqueConstraint(fields=["receipt"], condition=~Q(receipt=""), name="statement_receipt"),
        ]

    def __str__(self) -> str:
        return f"{self.term.get_kind_display()} {self.receipt or '草稿'}"

    @property
    def organization_id(self) -> int:
        return self.case.organization_id


class CaseDecision(models.Model):
    """One decision on a case, by number from 1; the last one stands, the others stay on record.

    `effects` names what a revocation ended, so that a reversal can bring back just that.
    """

    class Kind(models.TextChoices):
        REVOKED = "revoked", "取消试点资格"
        RECTIFY = "rectify", "责令限期整改"
        DISMISSED = "dismissed", "不予处理"
        REVERSED = "reversed", "撤销原决定"

    case = models.ForeignKey(Case, models.PROTECT, related_name="decisions", verbose_name="案件")
    number = models.PositiveSmallIntegerField("序次")
    kind = models.CharField("决定", max_length=10, choices=Kind)
    reasons = models.TextField("理由", max_length=20_000)
    decided_at = models.DateTimeField("决定时间")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="决定人"
    )
    supersedes = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="superseded_by", verbose_name="取代"
    )
    effects = models.JSONField("效果", default=dict)

    objects = OfCaseQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "决定"
        ordering = ["case", "number"]
        constraints = [models.UniqueConstraint(fields=["case", "number"], name="decision_number")]

    def __str__(self) -> str:
        return self.get_kind_display()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly
        super().save(*args, **kwargs)


class CaseDocument(models.Model):
    """A paper as it was issued: the Word file is frozen; stamped scans are attached to this row beside it."""

    class Kind(models.TextChoices):
        NOTICE = "notice", "告知书"
        DECISION = "decision", "决定书"
        CIRCULAR = "circular", "取消资格通报"

    case = models.ForeignKey(Case, models.PROTECT, related_name="documents", verbose_name="案件")
    kind = models.CharField("文种", max_length=10, choices=Kind)
    year = models.PositiveSmallIntegerField("年份")
    sequence = models.PositiveIntegerField("顺序号")
    number = models.CharField("文号", max_length=40)
    title = models.CharField("标题", max_length=200)
    decision = models.ForeignKey(
        CaseDecision, models.PROTECT, null=True, blank=True, related_name="documents", verbose_name="决定"
    )
    issued_at = models.DateTimeField("制发时间")
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="制发人"
    )
    file = models.OneToOneField(
        Attachment, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="文件"
    )

    objects = OfCaseQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "案件文书"
        ordering = ["issued_at", "pk"]
        constraints = [models.UniqueConstraint(fields=["kind", "year", "sequence"], name="document_number")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.number}"

    @property
    def organization_id(self) -> int:
        return self.case.organization_id

    @property
    def scans(self) -> AttachmentQuerySet:
        """What was attached beside the frozen file."""
        return Attachment.objects.of(self).exclude(pk__in=[self.file_id] if self.file_id else [])


class WayOut(models.Model):
    """What becomes of the students of one programme when the school leaves the pilot (SX 三.5).

    `figures` are those that the page showed when it was written, by their Chinese names.
    """

    case = models.ForeignKey(Case, models.PROTECT, related_name="ways_out", verbose_name="案件")
    programme = models.ForeignKey(Programme, models.PROTECT, related_name="+", verbose_name="试点项目")
    figures = models.JSONField("学生情况", default=dict)
    text = models.TextField("安置办法", max_length=2000)
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="填写人"
    )
    written_at = models.DateTimeField("填写时间")

    objects = OfCaseQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "学生安置"
        ordering = ["programme"]
        constraints = [models.UniqueConstraint(fields=["case", "programme"], name="way_out_once")]

    def __str__(self) -> str:
        return str(self.programme)


class FollowUp(models.Model):
    """What the office must still do after a revocation (SX 四.3), or to undo it."""

    class Kind(models.TextChoices):
        RECOVERY = "recovery", "收回专项资金"
        ACCOUNTABILITY = "accountability", "追究主要责任人责任"
        CIRCULAR = "circular", "通报全省"
        RESTORE = "restore", "按复核结果恢复（退还资金、更正通报等）"

    case = models.ForeignKey(Case, models.PROTECT, related_name="follow_ups", verbose_name="案件")
    decision = models.ForeignKey(CaseDecision, models.PROTECT, related_name="follow_ups", verbose_name="决定")
    kind = models.CharField("事项", max_length=15, choices=Kind)
    created_at = models.DateTimeField("产生时间")
    done_at = models.DateTimeField("办结时间", null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="办结人",
    )
    note = models.TextField("办理情况", max_length=2000, blank=True)

    objects = OfCaseQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "案件后续事项"
        ordering = ["created_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["decision", "kind"], name="follow_up_once"),
            models.CheckConstraint(
                condition=Q(done_at__isnull=True, done_by__isnull=True)
                | Q(done_at__isnull=False, done_by__isnull=False),
                name="follow_up_done_by_when",
            ),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()

    @property
    def organization_id(self) -> int:
        return self.case.organization_id
