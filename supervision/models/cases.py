"""Cases and their evidence. The procedure from flag to decision follows the grounds of MOE 五(四)."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Organization, Role
from obligations.models import Obligation

if TYPE_CHECKING:
    from supervision.models.course import CaseDecision


class CaseQuerySet(models.QuerySet["Case"]):
    def visible_to(self, user: Any) -> "CaseQuerySet":
        if user.sees_reporting or user.role in Role.of_a_school():
            return self.filter(organization__in=Organization.objects.visible_to(user))
        return self.none()

    def undecided(self) -> "CaseQuerySet":
        return self.exclude(state=Case.State.DECIDED)


class Case(models.Model):
    """A matter that may end in the loss of pilot status.

    The clock of the answer and of the rectification is the `due_at` of the obligation that the school
    owes; who issued the notice (`proposer`) does not decide.
    """

    class State(models.TextChoices):
        FLAGGED = "flagged", "已触发"
        INVESTIGATING = "investigating", "调查核实"
        NOTIFIED = "notified", "已告知"
        RESPONDED = "responded", "已陈述申辩"
        LAPSED = "lapsed", "逾期未陈述"
        RECTIFYING = "rectifying", "限期整改"
        OVERDUE = "overdue", "整改逾期"
        DECIDED = "decided", "已决定"

    class Ground(models.TextChoices):
        NOT_REPORTING = "not_reporting", "推进试点工作不力、进展缓慢，连续三周不填报周报的"
        LAX_MANAGEMENT = "lax_management", "证书培训、考核等工作管理不严的"
        FUNDS = "funds", "试点工作经费使用不规范的"
        FORCING = "forcing", "强制或变相强制学生参加培训或考核的"
        OTHER = "other", "存在其他违纪违规情况的"

    CLAUSE = "教职成厅函〔2019〕19号 五(四)"
    # Of the clause itself; the province may flag at another number of weeks, but not revoke below this.
    WEEKS = 3

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="cases", verbose_name="对象")
    ground = models.CharField("情形", max_length=30, choices=Ground)
    state = models.CharField("状态", max_length=15, choices=State, default=State.FLAGGED)
    flagged_at = models.DateTimeField("触发时间")
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="登记人",
    )
    facts = models.TextField("事实", blank=True)
    spans_exempt = models.BooleanField("跨越免报周", default=False)
    exempt_confirmed_at = models.DateTimeField("确认连续时间", null=True, blank=True)
    certified_at = models.DateTimeField("核实国家平台时间", null=True, blank=True)
    proposer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="告知人",
    )
    notified_at = models.DateTimeField("告知时间", null=True, blank=True)
    answer_term = models.OneToOneField(
        Obligation, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="陈述申辩期限"
    )
    rectification_term = models.OneToOneField(
        Obligation, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="整改期限"
    )

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
            ),
            models.CheckConstraint(
                condition=Q(notified_at__isnull=True, proposer__isnull=True, answer_term__isnull=True)
                | Q(notified_at__isnull=False, proposer__isnull=False, answer_term__isnull=False),
                name="case_notified_by_when",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["flagged", "investigating", "decided"]) | Q(notified_at__isnull=False),
                name="case_no_step_skipped",
            ),
        ]
        indexes = [models.Index(fields=["state", "flagged_at"])]

    def __str__(self) -> str:
        return f"{self.organization}：{self.get_ground_display()}"

    @property
    def is_of_reporting(self) -> bool:
        return self.ground == Case.Ground.NOT_REPORTING

    @property
    def current_decision(self) -> "CaseDecision | None":
        """The decision that stands: the last one."""
        return self.decisions.order_by("-number").first()

    @property
    def term(self) -> Obligation | None:
        """What the school is asked for now, with its deadline."""
        if self.state == Case.State.NOTIFIED:
            return self.answer_term
        return self.rectification_term if self.state == Case.State.RECTIFYING else None


class CaseEvidenceQuerySet(models.QuerySet["CaseEvidence"]):
    def before(self, instant: dt.datetime | None) -> "CaseEvidenceQuerySet":
        """What had been added by then; all of it where there is no such instant yet."""
        return self.filter(added_at__lte=instant) if instant else self


class CaseEvidence(models.Model):
    """One missed period, frozen as it stood when it was added."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="evidence", verbose_name="案件")
    obligation = models.ForeignKey(
        Obligation, models.PROTECT, related_name="evidence", verbose_name="报送任务"
    )
    frozen = models.JSONField("当时的记录")
    added_at = models.DateTimeField("加入时间")

    objects = CaseEvidenceQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "证据"
        ordering = ["obligation__due_at"]
        constraints = [models.UniqueConstraint(fields=["case", "obligation"], name="evidence_once")]

    def __str__(self) -> str:
        return f"{self.frozen.get('period', '')}"
