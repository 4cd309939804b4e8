"""Activities of evaluators, filed before they start (SX 三.8, MOE 一(二)); trainers; resources (MOE 二, 三)."""

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from accounts.models import City, Organization, Role
from certificates.models import Certificate, CertificateLevel
from core.fields import EncryptedTextField
from schools.models import Programme, School


class TrainerQuerySet(models.QuerySet["Trainer"]):
    def visible_to(self, user: Any) -> "TrainerQuerySet":
        if user.sees_province:
            return self.all()
        if user.role == Role.COORDINATOR:
            return self.filter(
                evaluator__evaluator__charges__coordinator=user,
                evaluator__evaluator__charges__ended_at=None,
            ).distinct()
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


class ActivityQuerySet(models.QuerySet["Activity"]):
    def visible_to(self, user: Any) -> "ActivityQuerySet":
        """The province all; a coordinator those in his or her charge; the evaluator its own; a city those in
        it or for its schools; a school those that concern it: named, or for its city or its certificates."""
        if user.sees_province:
            return self.all()
        if user.role == Role.COORDINATOR:
            return self.filter(
                evaluator__evaluator__charges__coordinator=user,
                evaluator__evaluator__charges__ended_at=None,
            ).distinct()
        if user.role == Role.EVALUATOR:
            return self.filter(evaluator=user.organization_id)
        if user.role == Role.CITY_BUREAU or user.role in Role.of_a_school():
            return self.filter(self._concerns(user)).exclude(state=Activity.State.RETURNED).distinct()
        return self.none()

    def _concerns(self, user: Any) -> Q:
        schools = School.objects.filter(organization__in=Organization.objects.visible_to(user))
        running = Programme.objects.filter(
            school__in=schools, certificate_level__certificate=OuterRef("certificate")
        )
        named = Q(schools__in=schools)
        open_to_all = Q(schools=None) & Exists(running)
        in_city = Q(cities=None) | Q(cities__in=schools.values("organization__city"))
        return named | (open_to_all & in_city)


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
        """By school; an evaluator those who signed up for its activities."""
        if user.role == Role.EVALUATOR:
            attending = SignUp.objects.filter(
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


class Qualification(models.Model):
    """A teacher's right to train for, or examine, a certificate."""

    class Kind(models.TextChoices):
        TRAINER = "trainer", "培训资格"
        EXAMINER = "examiner", "考评资格"

    teacher = models.ForeignKey(Teacher, models.CASCADE, related_name="qualifications", verbose_name="教师")
    certificate_level = models.ForeignKey(
        CertificateLevel, models.PROTECT, related_name="qualifications", verbose_name="证书等级"
    )
    kind = models.CharField("种类", max_length=10, choices=Kind)
    number = models.CharField("资格证号", max_length=40, blank=True)
    obtained_on = models.DateField("取得日期")
    valid_until = models.DateField("有效期至", null=True, blank=True)
    activity = models.ForeignKey(
        Activity, models.SET_NULL, null=True, blank=True, related_name="qualifications", verbose_name="来源"
    )

    class Meta:
        verbose_name = verbose_name_plural = "教师资格"
        ordering = ["teacher", "certificate_level", "kind"]
        constraints = [
            models.UniqueConstraint(
                fields=["teacher", "certificate_level", "kind"], name="qualification_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.teacher} {self.certificate_level} {self.get_kind_display()}"

    def holds_on(self, day: dt.date) -> bool:
        return self.obtained_on <= day and (self.valid_until is None or day <= self.valid_until)


class SignUpQuerySet(models.QuerySet["SignUp"]):
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


class Resource(models.Model):
    """What an evaluator keeps up for a certificate level (MOE 二(四), 三(一)); its age is seen. History is in
    the events; files are attached."""

    certificate_level = models.OneToOneField(
        CertificateLevel,
        models.PROTECT,
        primary_key=True,
        related_name="resource",
        verbose_name="证书等级",
    )
    exam_scheme = models.TextField("考核方案", blank=True)
    mock_exam = models.TextField("模拟考核", blank=True)
    textbook = models.CharField("教材", max_length=200, blank=True)
    publisher = models.CharField("出版单位", max_length=120, blank=True)
    banks = models.TextField("免费题库、案例库", blank=True)
    updated_on = models.DateField("最近更新日期")
    updated_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = verbose_name_plural = "培训考核资源"
        ordering = ["certificate_level"]

    def __str__(self) -> str:
        return f"{self.certificate_level} 资源"
