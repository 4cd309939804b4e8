"""Feedback of schools on evaluators (MOE 三(一), 五(三), 五(四); HB 三.6), and what is asked of these about it.

The evaluator never learns who complained: no queryset here shows it a feedback, only counts and questions.
"""

import datetime as dt
import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts import in_charge
from accounts.models import Organization, Role
from certificates.models import Certificate
from obligations.models import Obligation


def of_its_charges(user: Any) -> Q:
    """The evaluators now given to a coordinator."""
    return Q(evaluator__in=in_charge.organizations(user))


class FeedbackQuerySet(models.QuerySet["Feedback"]):
    def visible_to(self, user: Any) -> "FeedbackQuerySet":
        """A school its own; the office, the leading group and the auditors all; a coordinator those on the
        evaluators given to him or her, and those assigned. Cities see numbers, evaluators counts: no text."""
        if user.sees_province and user.sees_reporting:
            return self.all()
        if user.role in Role.of_a_school():
            return self.filter(school=user.organization_id)
        if user.role == Role.COORDINATOR:
            return self.filter(of_its_charges(user) | Q(assignee=user.pk))
        return self.none()

    def counted_for(self, user: Any) -> "FeedbackQuerySet":
        """Those that stand in the numbers shown to the user: what one may read; a city's schools'; an
        evaluator's own."""
        if user.role == Role.CITY_BUREAU:
            return self.filter(school__in=Organization.objects.visible_to(user).schools())
        if user.role == Role.EVALUATOR:
            return self.filter(evaluator=user.organization_id)
        return self.visible_to(user)

    def since(self, instant: dt.datetime) -> "FeedbackQuerySet":
        return self.filter(filed_at__gte=instant)


def given() -> models.QuerySet["Feedback", Any]:
    """Whose each is, for `obligations.handlers`."""
    rows = Feedback.objects.filter(assignee__is_active=True).order_by()
    return rows.values(obligation=F("term"), person=F("assignee"))


class Feedback(models.Model):
    """One complaint of a school; its clock is the obligation of the province's office, and runs for the
    assignee too."""

    class State(models.TextChoices):
        FILED = "filed", "待交办"
        ASSIGNED = "assigned", "办理中"
        ANSWERED = "answered", "已答复"
        CLOSED = "closed", "已办结"

    class Ground(models.TextChoices):
        BUNDLING = "bundling", "捆绑销售（指定设备、软件、教材课程品牌）"
        FEES = "fees", "高收费、变相收费"
        FORCED_TRAINING = "forced_training", "强制培训"
        SERVICE = "service", "服务不到位"
        OTHER = "other", "其他"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    receipt = models.CharField("回执编号", max_length=32, unique=True)
    token = models.CharField("表单令牌", max_length=64)
    # Not `organization`: its events belong to no organisation, so that a city's audit page shows none.
    school = models.ForeignKey(
        Organization, models.PROTECT, related_name="feedback_given", verbose_name="反馈学校"
    )
    evaluator = models.ForeignKey(
        Organization, models.PROTECT, related_name="feedback_about", verbose_name="培训评价组织"
    )
    certificate = models.ForeignKey(
        Certificate, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="证书"
    )
    ground = models.CharField("情形", max_length=20, choices=Ground)
    text = models.TextField("情况")
    state = models.CharField("状态", max_length=10, choices=State, default=State.FILED)
    filed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    filed_at = models.DateTimeField("收到时间")
    term = models.OneToOneField(Obligation, models.PROTECT, related_name="+", verbose_name="答复期限")
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="经办人",
    )
    answer = models.TextField("答复", blank=True)
    measures = models.TextField("措施", blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    answered_at = models.DateTimeField("答复时间", null=True, blank=True)

    objects = FeedbackQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "对评价组织的反馈"
        ordering = ["-filed_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["school", "token"], name="feedback_token"),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, answered_by__isnull=True, answer="")
                | Q(answered_at__isnull=False, answered_by__isnull=False) & ~Q(answer=""),
                name="feedback_answered_by_when",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["answered", "closed"], answered_at__isnull=False)
                | Q(state__in=["filed", "assigned"], answered_at__isnull=True),
                name="feedback_answered_state",
            ),
            models.CheckConstraint(
                condition=~Q(state="assigned") | Q(assignee__isnull=False), name="feedback_assigned_to"
            ),
        ]
        indexes = [models.Index(fields=["evaluator", "ground", "filed_at"])]

    def __str__(self) -> str:
        return f"反馈 {self.receipt}"


class FeedbackQuestionQuerySet(models.QuerySet["FeedbackQuestion"]):
    def visible_to(self, user: Any) -> "FeedbackQuestionQuerySet":
        """The evaluator asked, and who handles feedback on it."""
        if user.sees_province and user.sees_reporting:
            return self.all()
        if user.role == Role.EVALUATOR:
            return self.filter(evaluator=user.organization_id)
        if user.role == Role.COORDINATOR:
            return self.filter(of_its_charges(user) | Q(feedback__assignee=user.pk)).distinct()
        return self.none()

    def unanswered(self) -> "FeedbackQuestionQuerySet":
        return self.filter(answered_at=None)


class FeedbackQuestion(models.Model):
    """What the office asks the evaluator in its own words: nothing in it leads to the feedback or the school."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    feedback = models.ForeignKey(Feedback, models.PROTECT, related_name="questions", verbose_name="反馈")
    evaluator = models.ForeignKey(
        Organization, models.PROTECT, related_name="feedback_questions", verbose_name="培训评价组织"
    )
    text = models.TextField("问题")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField("发出时间")
    answer = models.TextField("说明", blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    answered_at = models.DateTimeField("说明时间", null=True, blank=True)

    objects = FeedbackQuestionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "了解情况"
        ordering = ["-asked_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, answered_by__isnull=True, answer="")
                | Q(answered_at__isnull=False, answered_by__isnull=False) & ~Q(answer=""),
                name="feedback_question_answered_by_when",
            )
        ]

    def __str__(self) -> str:
        return f"向{self.evaluator}了解情况"

    @property
    def state(self) -> str:
        return "responded" if self.answered_at else "asked"
