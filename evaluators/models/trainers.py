"""The trainer teams of evaluators (MOE 二(二))."""

import uuid
from typing import Any

from django.db import models
from django.db.models import Q

from accounts.models import Organization, Role
from core.fields import EncryptedTextField, masked
from evaluators.models.profiles import Charge


class TrainerQuerySet(models.QuerySet["Trainer"]):
    def visible_to(self, user: Any) -> "TrainerQuerySet":
        if user.sees_province:
            return self.all()
        if user.role == Role.COORDINATOR:
            charged = Charge.objects.filter(coordinator=user, ended_at=None).values("evaluator")
            return self.filter(evaluator__in=charged)
        return self.filter(evaluator=user.organization_id) if user.role == Role.EVALUATOR else self.none()

    def in_team(self) -> "TrainerQuerySet":
        return self.filter(left_on=None)


class Trainer(models.Model):
    """A member of an evaluator's trainer team; at least 40 % are experts from industry (MOE 二(二))."""

    class Employer(models.TextChoices):
        INDUSTRY = "industry", "行业企业"
        SCHOOL = "school", "院校"
        RESEARCH = "research", "研究机构"
        OWN = "own", "评价组织"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    evaluator = models.ForeignKey(
        Organization, models.PROTECT, related_name="trainers", verbose_name="培训评价组织"
    )
    name = models.CharField("姓名", max_length=60)
    employer = models.CharField("工作单位", max_length=120)
    employer_kind = models.CharField("单位类别", max_length=10, choices=Employer)
    title = models.CharField("职称或职业资格", max_length=80, blank=True)
    phone = EncryptedTextField("电话", blank=True, default="")
    joined_on = models.DateField("加入日期")
    left_on = models.DateField("退出日期", null=True, blank=True)

    objects = TrainerQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "培训专家"
        ordering = ["evaluator", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["evaluator", "name", "employer"],
                condition=Q(left_on__isnull=True),
                name="trainer_once",
                violation_error_message="这位专家已在团队中。",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name}（{self.employer}）"

    @property
    def organization_id(self) -> int:
        return self.evaluator_id

    @property
    def masked_phone(self) -> str:
        return masked(self.phone)
