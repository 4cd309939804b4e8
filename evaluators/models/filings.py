"""Filing of evaluators (SX 三.8, 附件3): one per certificate, versions kept, the newest accepted one counts."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Role
from certificates.models import Certificate
from core.drafts import Drafted, Version, VersionQuerySet
from core.fields import EncryptedJSONField
from core.models import Attachment

# What whoever sees a filing may open of it; the stamped promise is not among them.
OPEN_FILES = ("letter", "plan", "agreement")


class EvaluatorFilingQuerySet(models.QuerySet["EvaluatorFiling"]):
    def visible_to(self, user: Any) -> "EvaluatorFilingQuerySet":
        """The province's roles; a coordinator those in his or her charge; the evaluator its own."""
        if user.sees_province:
            return self.all()
        if user.role == Role.COORDINATOR:
            charges = {"certificate__owner__evaluator__charges__coordinator": user}
            return self.filter(**charges, certificate__owner__evaluator__charges__ended_at=None).distinct()
        if user.role == Role.EVALUATOR:
            return self.filter(certificate__owner=user.organization_id)
        return self.none()

    def files_visible_to(self, user: Any, file: Attachment) -> "EvaluatorFilingQuerySet":
        """The stamped promise is the print of 附件3, with ID number and home address, and what was not filed is
        nobody else's: both are for the office and the organisation itself."""
        rows = self.visible_to(user)
        if user.role in {Role.OFFICE, Role.EVALUATOR}:
            return rows
        contents: list[Any] = [
            version.content for version in EvaluatorFilingVersion.objects.filter(filing=int(file.target_id))
        ]
        open_ids = {one["id"] for content in contents for kind in OPEN_FILES for one in content[kind]}
        stamped_ids = {one["id"] for content in contents for one in content["stamped"]}
        return rows if str(file.pk) in open_ids - stamped_ids else rows.none()

    def accepted(self) -> "EvaluatorFilingQuerySet":
        """On file: a version was accepted, whatever is being changed since."""
        return self.filter(accepted__isnull=False)


class EvaluatorFiling(Drafted):
    """What 附件3 asks of the person responsible for one certificate. Draft and versions hold an ID number,
    a home address and phone numbers, and are kept encrypted."""

    class State(models.TextChoices):
        DRAFT = "draft", "草稿"
        SUBMITTED = "submitted", "待审核"
        ACCEPTED = "accepted", "已备案"
        RETURNED = "returned", "退回修改"
        REFUSED = "refused", "不予备案"

    certificate = models.OneToOneField(
        Certificate, models.PROTECT, primary_key=True, related_name="filing", verbose_name="证书"
    )
    draft = EncryptedJSONField("草稿", null=True)
    state = models.CharField("状态", max_length=10, choices=State, default=State.DRAFT)
    current = models.ForeignKey(
        "EvaluatorFilingVersion",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="现行版本",
    )
    accepted = models.ForeignKey(
        "EvaluatorFilingVersion",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="已备案版本",
    )
    review_comment = models.TextField("审核意见", blank=True)
    reviewed_at = models.DateTimeField("审核时间", null=True, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = EvaluatorFilingQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "评价组织备案"
        ordering = ["certificate"]
        constraints = [
            models.CheckConstraint(
                condition=Q(reviewed_at__isnull=True, reviewed_by__isnull=True)
                | Q(reviewed_at__isnull=False, reviewed_by__isnull=False),
                name="evaluator_filing_reviewed_by_when",
            )
        ]

    def __str__(self) -> str:
        return f"{self.certificate} 备案"

    @property
    def organization_id(self) -> int:
        return self.certificate.owner_id


class EvaluatorFilingVersionQuerySet(VersionQuerySet):
    def visible_to(self, user: Any) -> "EvaluatorFilingVersionQuerySet":
        return self.filter(filing__in=EvaluatorFiling.objects.visible_to(user))

    def files_visible_to(self, user: Any, file: Attachment) -> "EvaluatorFilingVersionQuerySet":
        """The stamped scan shows ID number and home address: for the office and the organisation itself."""
        if user.role not in {Role.OFFICE, Role.EVALUATOR}:
            return self.none()
        return self.visible_to(user)


class EvaluatorFilingVersion(Version):
    """One submitted filing; its stamped scan is attached to it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    filing = models.ForeignKey(
        EvaluatorFiling, models.PROTECT, related_name="versions", verbose_name="评价组织备案"
    )
    content = EncryptedJSONField("内容")

    objects = EvaluatorFilingVersionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "备案版本"
        ordering = ["filing", "number"]
        constraints = [
            models.UniqueConstraint(fields=["filing", "number"], name="evaluator_filing_version_number"),
            models.UniqueConstraint(fields=["filing", "token"], name="evaluator_filing_version_token"),
        ]

    @property
    def organization_id(self) -> int:
        return self.filing.organization_id
