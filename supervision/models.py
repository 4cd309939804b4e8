"""Cases and their evidence. The procedure from flag to decision follows the grounds of MOE 五(四)."""

from typing import Any

from django.db import models
from django.db.models import Q

from accounts.models import Organization
from obligations.models import Obligation


class CaseQuerySet(models.QuerySet["Case"]):
    def visible_to(self, user: Any) -> "CaseQuerySet":
        if user.sees_reporting or user.role in {"school_contact", "school_leader"}:
            return self.filter(organization__in=Organization.objects.visible_to(user))
        return self.none()

    def undecided(self) -> "CaseQuerySet":
        return self.exclude(state=Case.State.DECIDED)


class Case(models.Model):
    """A matter that may end in the loss of pilot status."""

    class State(models.TextChoices):
        FLAGGED = "flagged", "已触发"
        INVESTIGATING = "investigating", "调查核实"
        NOTIFIED = "notified", "已告知"
        RESPONDED = "responded", "已陈述申辩"
        LAPSED = "lapsed", "逾期未陈述"
        DECIDED = "decided", "已决定"

    class Ground(models.TextChoices):
        NOT_REPORTING = "not_reporting", "推进试点工作不力、进展缓慢，连续三周不填报周报的"

    CLAUSE = "教职成厅函〔2019〕19号 五(四)"

    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="cases", verbose_name="对象"
    )
    ground = models.CharField("情形", max_length=30, choices=Ground)
    state = models.CharField("状态", max_length=15, choices=State, default=State.FLAGGED)
    flagged_at = models.DateTimeField("触发时间")
    spans_exempt = models.BooleanField("跨越免报周", default=False)

    objects = CaseQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "案件"
        ordering = ["-flagged_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "ground"],
                condition=~Q(state="decided"),
                name="case_one_open",
                violation_error_message="该对象已有同一情形的未结案件。",
            )
        ]
        indexes = [models.Index(fields=["state", "flagged_at"])]

    def __str__(self) -> str:
        return f"{self.organization}：{self.get_ground_display()}"


class CaseEvidence(models.Model):
    """One missed period, frozen as it stood when it was added."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="evidence", verbose_name="案件")
    obligation = models.ForeignKey(Obligation, models.PROTECT, related_name="evidence", verbose_name="报送任务")
    frozen = models.JSONField("当时的记录")
    added_at = models.DateTimeField("加入时间")

    class Meta:
        verbose_name = verbose_name_plural = "证据"
        ordering = ["obligation__due_at"]
        constraints = [models.UniqueConstraint(fields=["case", "obligation"], name="evidence_once")]

    def __str__(self) -> str:
        return f"{self.frozen.get('period', '')}"
