"""Cities, organisations and the people who act for them."""

import datetime as dt
import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from core.fields import EncryptedTextField, masked
from core.templatetags.portal import full_day


class City(models.Model):
    """A city-level division of the province (GB/T 2260)."""

    code = models.CharField("区划代码", max_length=6, primary_key=True)
    name = models.CharField("名称", max_length=40, unique=True)

    class Meta:
        verbose_name = verbose_name_plural = "市"
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class County(models.Model):
    """A county-level division (GB/T 2260)."""

    code = models.CharField("区划代码", max_length=6, primary_key=True)
    name = models.CharField("名称", max_length=40)
    city = models.ForeignKey(City, models.PROTECT, related_name="counties", verbose_name="所属市")

    class Meta:
        verbose_name = verbose_name_plural = "县(市、区)"
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class OrganizationQuerySet(models.QuerySet["Organization"]):
    def visible_to(self, user: Any) -> "OrganizationQuerySet":
        """Province roles see all; a city what it supervises and itself; everybody else their own."""
        if user.sees_province:
            return self.all()
        if user.role == Role.CITY_BUREAU:
            return self.filter(Q(pk=user.organization_id) | Q(supervisor=user.organization_id))
        if user.organization_id and user.role in Role.of_an_organization():
            return self.filter(pk=user.organization_id)
        return self.none()

    def with_pilot_state(self, instant: dt.datetime) -> "OrganizationQuerySet":
        """Adds `in_pilot`, as of `instant`."""
        members = PilotMembership.objects.as_of(instant).filter(organization=OuterRef("pk"))
        return self.annotate(in_pilot=Exists(members))

    def members_at(self, instant: dt.datetime) -> "OrganizationQuerySet":
        """Organisations in the pilot at `instant`."""
        return self.filter(Exists(PilotMembership.objects.as_of(instant).filter(organization=OuterRef("pk"))))

    def schools(self) -> "OrganizationQuerySet":
        return self.filter(kind=Organization.Kind.SCHOOL)

    def authorities(self) -> "OrganizationQuerySet":
        """Who may supervise a school, the province first. A demonstration offers none but its own, so that
        nothing invented comes to hang on a real bureau."""
        is_demonstration = Exists(Organization.objects.filter(is_demonstration=True))
        authorities = self.filter(kind__in=[Organization.Kind.PROVINCE, Organization.Kind.CITY])
        return authorities.filter(is_demonstration=is_demonstration).order_by("-kind", "code")

    def matching(self, text: str) -> "OrganizationQuerySet":
        """Search by name, alias, code or pinyin initials."""
        text = text.strip()
        return self.filter(
            Q(name__icontains=text)
            | Q(code__startswith=text)
            | Q(pinyin__startswith=text.lower())
            | Exists(OrganizationAlias.objects.filter(organization=OuterRef("pk"), name__icontains=text))
        )


class Organization(models.Model):
    """Province office, city bureau, school or evaluator: the common currency of all apps.

    Matched by code and by alias, never by name alone: names drift between sources.
    """

    class Kind(models.TextChoices):
        PROVINCE = "province", "省级"
        CITY = "city", "市级"
        SCHOOL = "school", "院校"
        EVALUATOR = "evaluator", "评价组织"

    kind = models.CharField("类别", max_length=10, choices=Kind)
    name = models.CharField("名称", max_length=120)
    code = models.CharField("代码", max_length=32)
    pinyin = models.CharField("拼音首字母", max_length=80, blank=True, db_index=True)
    city = models.ForeignKey(
        City, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="所在市"
    )
    supervisor = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="supervised", verbose_name="主管部门"
    )
    is_demonstration = models.BooleanField("演示数据", default=False)

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "机构"
        ordering = ["kind", "code"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "code"], name="organization_code", violation_error_message="该代码已登记。"
            ),
            models.CheckConstraint(
                condition=~Q(kind="school") | Q(supervisor__isnull=False),
                name="school_has_supervisor",
                violation_error_message="院校必须有主管部门。",
            ),
        ]
        indexes = [models.Index(fields=["supervisor", "kind"])]

    def __str__(self) -> str:
        return self.name

    @property
    def takes_part(self) -> bool:
        """Of a kind that joins the pilot; authorities run it."""
        return self.kind in {Organization.Kind.SCHOOL, Organization.Kind.EVALUATOR}


class OrganizationAlias(models.Model):
    """Another name or code under which a source knows the organisation."""

    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="aliases", verbose_name="机构"
    )
    name = models.CharField("别名", max_length=120)
    source = models.CharField("来源", max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "机构别名"
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="alias_once")]
        indexes = [models.Index(fields=["name"])]

    def __str__(self) -> str:
        return self.name


class PilotMembershipQuerySet(models.QuerySet["PilotMembership"]):
    def as_of(self, instant: dt.datetime) -> "PilotMembershipQuerySet":
        """Half-open: `joined_at <= instant < left_at`."""
        return self.filter(Q(left_at=None) | Q(left_at__gt=instant), joined_at__lte=instant)


class PilotMembership(models.Model):
    """A stretch of time in which an organisation is in the pilot."""

    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="memberships", verbose_name="机构"
    )
    joined_at = models.DateTimeField("加入时间")
    left_at = models.DateTimeField("退出时间", null=True, blank=True)
    reason = models.CharField("退出原因", max_length=200, blank=True)

    objects = PilotMembershipQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "试点资格"
        ordering = ["joined_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(left_at__isnull=True) | Q(left_at__gt=F("joined_at")),
                name="membership_order",
                violation_error_message="退出时间必须晚于加入时间。",
            ),
            models.UniqueConstraint(
                fields=["organization"],
                condition=Q(left_at__isnull=True),
                name="membership_one_open",
                violation_error_message="该机构已在试点中。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organization} {full_day(self.joined_at)}"


class Role(models.TextChoices):
    """Who one is; what a role may do is in the `permissions` of each app."""

    OFFICE = "office", "推进办"
    FINANCE = "finance", "省级财务"
    COORDINATOR = "coordinator", "对接专员"
    LEADING_GROUP = "leading_group", "领导组"
    EXPERT = "expert", "专家"
    THIRD_PARTY = "third_party", "受托第三方"
    CITY_BUREAU = "city_bureau", "市教育局"
    SCHOOL_CONTACT = "school_contact", "院校联系人"
    SCHOOL_LEADER = "school_leader", "院校负责人"
    EVALUATOR = "evaluator", "评价组织"
    AUDITOR = "auditor", "审计督导"
    LEARNER = "learner", "学习者"

    @classmethod
    def of_the_province(cls) -> set["Role"]:
        """Roles that see every organisation."""
        return {cls.OFFICE, cls.FINANCE, cls.LEADING_GROUP, cls.AUDITOR}

    @classmethod
    def of_an_organization(cls) -> set["Role"]:
        """Roles that see just the organisation they act for."""
        return {cls.SCHOOL_CONTACT, cls.SCHOOL_LEADER, cls.EVALUATOR}

    @classmethod
    def of_a_school(cls) -> set["Role"]:
        return {cls.SCHOOL_CONTACT, cls.SCHOOL_LEADER}


class UserQuerySet(models.QuerySet["User"]):
    def visible_to(self, user: Any) -> "UserQuerySet":
        """Accounts within the user's scope. A leader and a contact see their school's; an expert only oneself."""
        organizations = Organization.objects.visible_to(user)
        return self.filter(Q(organization__in=organizations) | Q(pk=user.pk))

    def active(self) -> "UserQuerySet":
        return self.filter(is_active=True)

    def school_contacts(self) -> "UserQuerySet":
        """Active accounts of schools' contacts, stand-ins last."""
        return self.active().filter(role=Role.SCHOOL_CONTACT).order_by("is_stand_in", "username")

    def matching(self, text: str) -> "UserQuerySet":
        """Search by name, sign-in name or organisation."""
        text = text.strip()
        return self.filter(
            Q(name__icontains=text) | Q(username__icontains=text) | Q(organization__name__icontains=text)
        )


class User(AbstractBaseUser):
    """One person in one role for one organisation. Accounts end, they are not deleted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    username = models.CharField(
        "账号", max_length=60, unique=True, error_messages={"unique": "该账号已被使用。"}
    )
    name = models.CharField("姓名", max_length=60)
    role = models.CharField("角色", max_length=20, choices=Role)
    organization = models.ForeignKey(
        Organization, models.PROTECT, null=True, blank=True, related_name="users", verbose_name="所属机构"
    )
    email = models.EmailField("电子邮箱", blank=True)
    mobile = EncryptedTextField("手机号", blank=True, default="")
    is_stand_in = models.BooleanField("代理人", default=False)
    must_change_password = models.BooleanField("须修改密码", default=True)
    mail_notices = models.BooleanField("接收邮件通知", default=True)
    is_active = models.BooleanField("启用", default=True)
    created_at = models.DateTimeField("开通时间")
    created_by = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField("停用时间", null=True, blank=True)
    ended_by = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    successor = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="predecessors", verbose_name="接任人"
    )

    objects = BaseUserManager.from_queryset(UserQuerySet)()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = verbose_name_plural = "账号"
        ordering = ["organization", "role", "username"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True)
                | Q(ended_at__isnull=False, ended_by__isnull=False),
                name="user_ended_by_when",
            ),
            models.CheckConstraint(
                condition=Q(organization__isnull=False) | Q(role="learner"),
                name="user_has_organization",
                violation_error_message="除学习者外，账号必须属于一个机构。",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        """Name, role and organisation, as the record of what they did shows them."""
        return f"{self.name}（{self.organization or '个人'} · {self.role_label}）"

    @property
    def role_label(self) -> str:
        return f"{self.get_role_display()}（代理人）" if self.is_stand_in else self.get_role_display()

    @property
    def masked_mobile(self) -> str:
        return masked(self.mobile)

    @property
    def sees_province(self) -> bool:
        return self.role in Role.of_the_province()

    @property
    def sees_reporting(self) -> bool:
        """Reports and obligations of others: not money (finance) but reporting is in this role's eyes."""
        return self.role in {Role.OFFICE, Role.LEADING_GROUP, Role.AUDITOR, Role.CITY_BUREAU}

    @property
    def may_keep_channels(self) -> bool:
        """The ways by which notices leave: the office's and a bureau's to look after."""
        return self.role in {Role.OFFICE, Role.CITY_BUREAU}

    @property
    def may_search_audit(self) -> bool:
        return self.role in {Role.OFFICE, Role.AUDITOR, Role.CITY_BUREAU}


class Scope(models.TextChoices):
    """What a token may be used for; which of them a role may give is in `permissions.scopes_of`."""

    READ_ORGANIZATIONS = "read:organizations", "查看机构"
    READ_PERIODS = "read:periods", "查看报送周期"
    READ_OBLIGATIONS = "read:obligations", "查看报送任务与填报率"
    READ_REPORTS = "read:reports", "查看周报、月报与半年总结"
    WRITE_REPORTS = "write:reports", "提交周报"
    READ_CASES = "read:cases", "查看案件"
    READ_PROGRAMMES = "read:programmes", "查看试点项目与年度计划"
    READ_APPLICATIONS = "read:applications", "查看申报批次与申报"
    READ_FEES = "read:fees", "查看考核费用上限与标准"
    READ_EVALUATORS = "read:evaluators", "查看评价组织备案、活动与考核站点"


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def visible_to(self, user: Any) -> "ApiTokenQuerySet":
        return self.filter(user=user.pk)


class ApiToken(models.Model):
    """A key with which a program acts for a person, for a time and within scopes.

    Only its HMAC is kept. It holds for the role and organisation its maker had; instants are of real
    time, also with demonstration data.
    """

    LONGEST = dt.timedelta(days=366)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.PROTECT, related_name="api_tokens", verbose_name="账号")
    name = models.CharField("名称", max_length=60)
    prefix = models.CharField("开头", max_length=12)
    digest = models.CharField("摘要", max_length=64, unique=True)
    scopes = models.JSONField("权限")
    role = models.CharField("角色", max_length=20, choices=Role)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", verbose_name="所属机构")
    created_at = models.DateTimeField("生成时间")
    expires_at = models.DateTimeField("到期时间")
    last_used_at = models.DateTimeField("最近使用", null=True, blank=True)
    revoked_at = models.DateTimeField("撤销时间", null=True, blank=True)
    revoked_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "接口令牌"
        ordering = ["-created_at", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="token_order"),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by__isnull=True)
                | Q(revoked_at__isnull=False, revoked_by__isnull=False),
                name="token_revoked_by_when",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def scope_labels(self) -> list[str]:
        return [Scope(scope).label for scope in self.scopes]

    def state_at(self, instant: dt.datetime) -> str:
        """`active`, `revoked` or `expired` at `instant` of real time; expired from `expires_at` on."""
        if self.revoked_at:
            return "revoked"
        return "active" if instant < self.expires_at else "expired"
