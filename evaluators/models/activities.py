"""Activities of evaluators, filed before they start (SX 三.8, MOE 一(二)); trainers; resources (MOE 二, 三)."""

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
from certificates.models import Certificate, CertificateLevel
from core.fields import EncryptedTextField, masked
from evaluators.models.profiles import Charge
from schools.models import Programme, School

# From how many days before its end a qualification counts as about to expire.
EXPIRING_DAYS = 90


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
        running = Programme.objects.filter(
            school__in=schools, certificate_level__certificate=OuterRef("certificate")
        )
        to = Activity.schools.through.objects.filter(activity=OuterRef("pk"))
        towards = Activity.cities.through.objects.filter(activity=OuterRef("pk"))
        own_cities = schools.values("organization__city")
        in_city = ~Exists(towards) | Exists(towards.filter(city__in=own_cities))
        return Exists(to.filter(school__in=schools)) | (~Exists(to) & Exists(running) & in_city)

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


class QualificationQuerySet(models.QuerySet["Qualification"]):
    def visible_to(self, user: Any) -> "QualificationQuerySet":
        """By teacher; an evaluator those for its own certificates."""
        rows = self.filter(teacher__in=Teacher.objects.visible_to(user))
        if user.role == Role.EVALUATOR:
            return rows.filter(certificate_level__certificate__owner=user.organization_id)
        return rows

    def held_on(self, day: dt.date) -> "QualificationQuerySet":
        """In force on a local day, the last day included, of teachers who are still at their school."""
        in_force = Q(valid_until=None) | Q(valid_until__gte=day)
        there = Q(teacher__left_on=None) | Q(teacher__left_on__gt=day)
        return self.filter(in_force, there, obtained_on__lte=day)

    def expiring(self, day: dt.date) -> "QualificationQuerySet":
        """In force, and for not more than EXPIRING_DAYS from `day`."""
        last = day + dt.timedelta(days=EXPIRING_DAYS)
        return self.held_on(day).filter(valid_until__lte=last)


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

    objects = QualificationQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "教师资格"
        ordering = ["teacher", "certificate_level", "kind"]
        constraints = [
            models.UniqueConstraint(
                fields=["teacher", "certificate_level", "kind"],
                name="qualification_once",
                violation_error_message="这位教师已登记这个等级的这种资格，请修改原有的一条。",
            ),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("obtained_on")),
                name="qualification_order",
                violation_error_message="有效期不能早于取得日期。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.teacher} {self.certificate_level} {self.get_kind_display()}"

    @property
    def organization_id(self) -> int:
        return int(self.teacher.school_id)

    def state_on(self, day: dt.date) -> str:
        """`pending` (not begun), `valid`, `expiring` (EXPIRING_DAYS or less to go) or `expired`."""
        if day < self.obtained_on:
            return "pending"
        if self.valid_until is None or self.valid_until > day + dt.timedelta(days=EXPIRING_DAYS):
            return "valid"
        return "expiring" if day <= self.valid_until else "expired"


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


class ResourceQuerySet(models.QuerySet["Resource"]):
    def visible_to(self, user: Any) -> "ResourceQuerySet":
        return self.filter(certificate_level__in=levels_visible_to(user))


def levels_visible_to(user: Any) -> models.QuerySet[CertificateLevel]:
    """The levels whose resources a user looks at: the province all; a coordinator those in his or her charge;
    an evaluator its own; a city and a school those that are run there."""
    levels = CertificateLevel.objects.all()
    if user.sees_province:
        return levels
    if user.role == Role.COORDINATOR:
        charged = Charge.objects.filter(coordinator=user, ended_at=None).values("evaluator")
        return levels.filter(certificate__owner__in=charged)
    if user.role == Role.EVALUATOR:
        return levels.filter(certificate__owner=user.organization_id)
    if user.role == Role.CITY_BUREAU or user.role in Role.of_a_school():
        run = Programme.objects.visible_to(user).filter(certificate_level=OuterRef("pk"))
        return levels.filter(Exists(run))
    return levels.none()


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

    objects = ResourceQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "培训考核资源"
        ordering = ["certificate_level"]

    def __str__(self) -> str:
        return f"{self.certificate_level} 资源"

    @property
    def organization_id(self) -> int:
        return self.certificate_level.certificate.owner_id


class TrainingRuleQuerySet(models.QuerySet["TrainingRule"]):
    def visible_to(self, user: Any) -> "TrainingRuleQuerySet":
        """The rule is for everybody who works for the pilot."""
        return self.none() if user.role == Role.LEARNER else self.all()

    def on(self, day: dt.date) -> "TrainingRule":
        """The rule in force on a local day; before the first one nothing is asked and nothing is named."""
        return self.filter(effective_from__lte=day).first() or TrainingRule()


class TrainingRule(models.Model):
    """The province's rule for training teachers, in force from a day until the next one."""

    effective_from = models.DateField(
        "生效日期", unique=True, error_messages={"unique": "当日已有一条规则。"}
    )
    # Students for whom one trainer is enough (沪教委高〔2021〕3号: 80); null: the province does not ask.
    students_per_trainer = models.PositiveSmallIntegerField(
        "每名培训师对应的学生数", null=True, blank=True, validators=[MinValueValidator(1)]
    )
    # What training fees are set by (MOE 二(二) 参考国家和地方关于教师培训的规定).
    fee_rule = models.CharField("教师培训收费规定", max_length=200, blank=True)
    fee_per_day = models.DecimalField(
        "参考标准（元/人·天）",
        max_digits=9,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.01"))],
    )
    document = models.CharField("依据文件", max_length=120, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField("制定时间")

    objects = TrainingRuleQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "师资培训规则"
        ordering = ["-effective_from"]

    def __str__(self) -> str:
        return f"师资培训规则（{self.effective_from}起）"
