"""Proposals of how learning outcomes that a certificate stands for are recorded as credit (MOE 三(三))."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts import in_charge
from accounts.models import Role
from certificates.models.catalogue import Certificate
from core.drafts import Drafted, Version, VersionQuerySet


class CreditProposalQuerySet(models.QuerySet["CreditProposal"]):
    def visible_to(self, user: Any) -> "CreditProposalQuerySet":
        """The province's roles all; an evaluator those of its certificates, a coordinator those of the
        evaluators in his or her charge."""
        if user.sees_province:
            return self.all()
        if user.role == Role.EVALUATOR:
            return self.filter(certificate__owner=user.organization_id)
        if user.role == Role.COORDINATOR:
            return self.filter(certificate__owner__in=in_charge.organizations(user))
        return self.none()


class CreditProposal(Drafted):
    """What the evaluator proposes for one certificate. Typed: {"text": …, "files": ids}; a version's content:
    {"text": …, "files": [{"id", "name", "sha256"}]}."""

    class State(models.TextChoices):
        DRAFT = "draft", "待提出"
        SUBMITTED = "submitted", "待审核"
        ACCEPTED = "accepted", "已接收"
        RETURNED = "returned", "退回修改"

    certificate = models.OneToOneField(
        Certificate, models.PROTECT, primary_key=True, related_name="credit_proposal", verbose_name="证书"
    )
    state = models.CharField("状态", max_length=10, choices=State, default=State.DRAFT)
    current = models.ForeignKey(
        "CreditProposalVersion",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="现行版本",
    )
    review_comment = models.TextField("审核意见", blank=True)
    reviewed_at = models.DateTimeField("审核时间", null=True, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = CreditProposalQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "学分记录建议"
        ordering = ["certificate"]
        constraints = [
            models.CheckConstraint(
                condition=Q(reviewed_at__isnull=True, reviewed_by__isnull=True)
                | Q(reviewed_at__isnull=False, reviewed_by__isnull=False),
                name="credit_proposal_reviewed_by_when",
            ),
            models.CheckConstraint(
                condition=Q(state="draft", current__isnull=True)
                | ~Q(state="draft") & Q(current__isnull=False),
                name="credit_proposal_filed_has_version",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.certificate.short_name}学分记录建议"

    @property
    def organization_id(self) -> int:
        return int(self.certificate.owner_id)


class CreditProposalVersion(Version):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    proposal = models.ForeignKey(
        CreditProposal, models.PROTECT, related_name="versions", verbose_name="学分记录建议"
    )

    objects = VersionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "建议版本"
        ordering = ["proposal", "number"]
        constraints = [
            models.UniqueConstraint(fields=["proposal", "number"], name="credit_proposal_version_number"),
            models.UniqueConstraint(fields=["proposal", "token"], name="credit_proposal_version_token"),
        ]
