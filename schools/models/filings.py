"""School filing (院校备案, SX 三.1, 附件2, whose table is lost: ours is a reconstruction)."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Organization, Role
from core.drafts import Drafted, Version, VersionQuerySet
from core.fields import EncryptedJSONField
from schools.models.schools import School


class SchoolFilingQuerySet(models.QuerySet["SchoolFiling"]):
    def visible_to(self, user: Any) -> "SchoolFilingQuerySet":
        """The province's roles, the supervising city, the school."""
        if user.role == Role.EVALUATOR:
            return self.none()
        return self.filter(school__organization__in=Organization.objects.visible_to(user))


class SchoolFiling(Drafted):
    """The working group, the contact and the pilot plan that a school files. Draft and versions hold phone
    numbers and are kept encrypted."""

    class State(models.TextChoices):
        DRAFT = "draft", "草稿"
        SUBMITTED = "submitted", "待审核"
        ACCEPTED = "accepted", "已备案"
        RETURNED = "returned", "退回修改"

    school = models.OneToOneField(
        School, models.PROTECT, primary_key=True, related_name="filing", verbose_name="学校"
    )
    draft = EncryptedJSONField("草稿", null=True)
    state = models.CharField("状态", max_length=10, choices=State, default=State.DRAFT)
    current = models.ForeignKey(
        "SchoolFilingVersion",
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

    objects = SchoolFilingQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "院校备案"
        ordering = ["school"]
        constraints = [
            models.CheckConstraint(
                condition=Q(reviewed_at__isnull=True, reviewed_by__isnull=True)
                | Q(reviewed_at__isnull=False, reviewed_by__isnull=False),
                name="school_filing_reviewed_by_when",
            )
        ]

    def __str__(self) -> str:
        return f"{self.school} 备案"

    @property
    def organization_id(self) -> int:
        return int(self.school_id)


class SchoolFilingVersionQuerySet(VersionQuerySet):
    def visible_to(self, user: Any) -> "SchoolFilingVersionQuerySet":
        return self.filter(filing__in=SchoolFiling.objects.visible_to(user))


class SchoolFilingVersion(Version):
    """One submitted filing; its stamped scan is attached to it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    filing = models.ForeignKey(SchoolFiling, models.PROTECT, related_name="versions", verbose_name="院校备案")
    content = EncryptedJSONField("内容")

    objects = SchoolFilingVersionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "备案版本"
        ordering = ["filing", "number"]
        constraints = [
            models.UniqueConstraint(fields=["filing", "number"], name="school_filing_version_number"),
            models.UniqueConstraint(fields=["filing", "token"], name="school_filing_version_token"),
        ]

    @property
    def organization_id(self) -> int:
        return int(self.filing_id)
