"""Activities of evaluators, filed before they start (SX 三.8, MOE 一(二)), and the teachers who sign up for them."""

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from accounts.models import City, Organization, Role
from certificates.models import Certificate
from core import clock
from core.fields import EncryptedTextField, masked
from evaluators.models.profiles import Charge
from evaluators.models.trainers import Trainer
from schools.models import Programme, School


class ActivityQuerySet(models.QuerySet["Activity"]):
    def visible_to(self, user: Any) -> "ActivityQuerySet":
        """The province all; a coordinator those in his or her charge; the evaluator its own; a city those in
        it or for its schools; a school those that concern it: named, or for its city or its certificates.
        A returned one is no filing: of the schools only those see it that have signed somebody up."""
        if user.sees_province:
            return self.all()
        if user.role == Role.COORDINATOR:
            charged = Charge.objects.filter(coordinator=user, ended_at=None).values("evaluator")
            return self.filter(evaluator__in=charged)
        if user.role == Role.EVALUATOR:
            return self.filter(evaluator=user.organization_id)
        if user.role == Role.CITY_BUREAU:
            held_there = Q(city=user.organization.city_id, city__isnull=False)
            return self.filter(self._concerns(user) | held_there)
        if user.role in Role.of_a_school():
            returned = Q(state=Activity.State.RETURNED)
            signed_up = SignUp.objects.active().filter(
                activity=OuterRef("pk"), teacher__school=user.organization_id
            )
            return self.filter(self._concerns(user) | Exists(signed_up)).exclude(
                returned & ~Exists(signed_up)
            )
        return self.none()

    def _concerns(self, user: Any) -> Q:
        schools = School.objects.filter(organization__in=Organization.objects.visible_to(user))
        to = Activity.schools.through.objects.filter(activity=OuterRef("pk"))
        # Within the programmes: theirs is the city that has to be one of the activity's.
        towards = Activity.cities.through.objects.filter(activity=OuterRef(OuterRef("pk")))
        there = towards.filter(city=OuterRef("school__organization__city"))
        running = (
            Programme.objects.running_at(clock.now())
            .filter(school__in=schools, certificate_level__certificate=OuterRef("certificate"))
            .filter(~Exists(towards) | Exists(there))
        )
        return Exists(to.filter(school__in=schools)) | (~Exists(to) & Exists(running))

    def past(self, instant: dt.datetime) -> "ActivityQuerySet":
        return self.filter(ends_at__lte=instant)

    def coming(self, instant: dt.datetime) -> "ActivityQuerySet":
        """Not over yet."""
        return self.filter(ends_at__gt=instant)

    def filed_late(self) -> "ActivityQuerySet":
        return self.filter(filed_at__gte=F("starts_at"))

    def awaiting_results(self, instant: dt.datetime) -> "ActivityQuerySet":
        """Begun, with teachers of whom it is not said whether they came."""
        unsaid = SignUp.objects.active().filter(attended=None)
        return self.filter(
            starts_at__lte=instant, state=Activity.State.FILED, pk__in=unsaid.values("activity")
        )

    def with_taken(self) -> "ActivityQuerySet":
        """Adds `taken`: teachers signed up."""
        active = SignUp.objects.active().filter(activity=OuterRef("pk")).order_by()
        counted = active.values("activity").annotate(n=Count("pk")).values("n")
        return self.annotate(taken=Coalesce(Subquery(counted), 0))


class Activity(models.Model):
    """A meeting, training, examination or award of an evaluator in the province."""

    class Kind(models.TextChoices):
        PROMOTION = "promotion", "标准宣贯"
        TRAINING = "training", "师资培训"
        EXAMINATION = "examination", "考核"
        AWARD = "award", "颁证"
        MEETING = "meeting", "会议"
        OTHER = "other", "其他"

    class State(models.TextChoices):
        FILED = "filed", "已备案"
        RETURNED = "returned", "退回补充"
        CANCELLED = "cancelled", "已取消"

    evaluator = models.ForeignKey(
        Organization, models.PROTECT, related_name="activities", verbose_name="培训评价组织"
    )
    certificate = models.ForeignKey(
        Certificate, models.PROTECT, related_name="activities", verbose_name="证书"
    )
    kind = models.CharField("类别", max_length=12, choices=Kind)
    title = models.CharField("名称", max_length=120)
    plan = models.TextField("活动方案")
    is_online = models.BooleanField("线上举行", default=False)
    place = models.CharField("地点或线上平台", max_length=200)
    city = models.ForeignKey(
        City, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="所在市"
    )
    starts_at = models.DateTimeField("开始时间")
    ends_at = models.DateTimeField("结束时间")
    # Empty: all cities; empty: all schools that run the certificate.
    cities = models.ManyToManyField(City, blank=True, related_name="+", verbose_name="面向的市")
    schools = models.ManyToManyField(School, blank=True, related_name="activities", verbose_name="面向的院校")
    places = models.PositiveIntegerField("名额", null=True, blank=True)
    fee = models.DecimalField(
        "收费（元/人）",
        max_digits=9,
        decimal_places=2,
        default=Decimal(0),
        validators=[MinValueValidator(Decimal(0))],
    )
    fee_basis = models.CharField("收费依据", max_length=300, blank=True)
    # Why a training costs more than the province's rule for such fees names (MOE 二(二) 结合实际合理确定).
    fee_reason = models.CharField("高于参考标准的理由", max_length=300, blank=True)
    trainers = models.ManyToManyField(Trainer, blank=True, related_name="activities", verbose_name="授课专家")
    state = models.CharField("状态", max_length=10, choices=State, default=State.FILED)
    review_comment = models.TextField("审核意见", blank=True)
    filed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    filed_at = models.DateTimeField("备案时间")

    objects = ActivityQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "活动备案"
        ordering = ["-starts_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="activity_order",
                violation_error_message="结束时间应晚于开始时间。",
            ),
            models.CheckConstraint(condition=Q(fee__gte=0), name="activity_fee_not_negative"),
        ]
        indexes = [models.Index(fields=["starts_at"])]

    def __str__(self) -> str:
        return self.title

    @property
    def organization_id(self) -> int:
        return self.evaluator_id

    @property
    def was_filed_late(self) -> bool:
        """Filed after its start: accepted, and marked as a breach of SX 三.8 提前备案."""
        return bool(self.filed_at >= self.starts_at)


class TeacherQuerySet(models.QuerySet["Teacher"]):
    def visible_to(self, user: Any) -> "TeacherQuerySet":
        """By school; an evaluator those who are signed up for its activities."""
        if user.role == Role.EVALUATOR:
            attending = SignUp.objects.active().filter(
                teacher=OuterRef("pk"), activity__evaluator=user.organization_id
            )
            return self.filter(Exists(attending))
        return self.filter(school__organization__in=Organization.objects.visible_to(user))


class Teacher(models.Model):
    """A school's teacher who trains or examines candidates."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    school = models.ForeignKey(School, models.PROTECT, related_name="teachers", verbose_name="学校")
    name = models.CharField("姓名", max_length=60)
    staff_number = models.CharField("工号", max_length=40)
    majors = models.CharField("任教专业", max_length=200, blank=True)
    phone = EncryptedTextField("电话", blank=True, default="")
    left_on = models.DateField("离校日期", null=True, blank=True)

    objects = TeacherQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "教师"
        ordering = ["school", "staff_number"]
        constraints = [
            models.UniqueConstraint(
                fields=["school", "staff_number"],
                name="teacher_once",
                violation_error_message="本校已有这个工号。",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def organization_id(self) -> int:
        return int(self.school_id)

    @property
    def masked_phone(self) -> str:
        return masked(self.phone)


class SignUpQuerySet(models.QuerySet["SignUp"]):
    def active(self) -> "SignUpQuerySet":
        return self.filter(cancelled_at=None)

    def visible_to(self, user: Any) -> "SignUpQuerySet":
        if user.role == Role.EVALUATOR:
            return self.filter(activity__evaluator=user.organization_id)
        return self.filter(teacher__in=Teacher.objects.visible_to(user))


class SignUp(models.Model):
    """A school's teacher signed up for an activity; attendance is voluntary (MOE 二(二))."""

    activity = models.ForeignKey(Activity, models.CASCADE, related_name="sign_ups", verbose_name="活动")
    teacher = models.ForeignKey(Teacher, models.PROTECT, related_name="sign_ups", verbose_name="教师")
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    signed_at = models.DateTimeField("报名时间")
    cancelled_at = models.DateTimeField("取消时间", null=True, blank=True)
    attended = models.BooleanField("到会", null=True, blank=True)
    result = models.CharField("结果", max_length=80, blank=True)

    objects = SignUpQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "活动报名"
        ordering = ["activity", "signed_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["activity", "teacher"],
                name="sign_up_once",
                violation_error_message="这位教师已报名。",
            )
        ]

    def __str__(self) -> str:
        return f"{self.teacher} {self.activity}"
