"""Applications: one school in one round, with one item per certificate level."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.functional import cached_property

from accounts.models import Organization, PilotMembership, Role
from certificates.models import CertificateLevel, Major
from core.drafts import Drafted, Version, VersionQuerySet
from core.models import Attachment
from schools.models.agreements import Agreement
from schools.models.rounds import ApplicationRound
from schools.models.schools import Programme, School


class ApplicationQuerySet(models.QuerySet["Application"]):
    def visible_to(self, user: Any) -> "ApplicationQuerySet":
        """By school; a city also what it reviews first; an expert what he or she was asked about."""
        if user.role == Role.EXPERT:
            asked = ExpertOpinion.objects.letting_in(user).filter(item__application=OuterRef("pk"))
            return self.filter(Exists(asked))
        if user.role == Role.EVALUATOR:
            return self.none()
        if user.sees_province:
            return self.all()
        in_scope = Q(school__organization__in=Organization.objects.visible_to(user))
        if user.role == Role.CITY_BUREAU:
            in_scope |= Q(reviewer=user.organization_id)
        return self.filter(in_scope)

    def submitted(self) -> "ApplicationQuerySet":
        return self.filter(current__isnull=False)


class Application(models.Model):
    """What one school applies for in one round: a draft until it is submitted, then one version or several."""

    round = models.ForeignKey(
        ApplicationRound, models.PROTECT, related_name="applications", verbose_name="申报批次"
    )
    school = models.ForeignKey(School, models.PROTECT, related_name="applications", verbose_name="学校")
    # The bureau of the first review, fixed at submission; null: straight to the province.
    reviewer = models.ForeignKey(
        Organization, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="初审部门"
    )
    current = models.ForeignKey(
        "ApplicationVersion",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="现行版本",
    )
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    started_at = models.DateTimeField("开始填写")

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "试点申报"
        ordering = ["round", "school"]
        constraints = [models.UniqueConstraint(fields=["round", "school"], name="application_once")]

    def __str__(self) -> str:
        return f"{self.school} {self.round}"

    @cached_property
    def first_reviewer(self) -> Organization | None:
        """As fixed by the first submission, until then as the round's routes have it; None: straight to the
        province. Asked once of an instance."""
        is_fixed = self.current_id is not None or self.reviewer_id is not None
        return self.reviewer if is_fixed else self.round.reviewer_of(self.school)

    @property
    def organization_id(self) -> int:
        return int(self.school_id)


class ApplicationVersionQuerySet(VersionQuerySet):
    def visible_to(self, user: Any) -> "ApplicationVersionQuerySet":
        return self.filter(application__in=Application.objects.visible_to(user))


class ApplicationVersion(Version):
    """One accepted submission: all items as they were sent, with the SHA-256 of each file."""

    application = models.ForeignKey(
        Application, models.PROTECT, related_name="versions", verbose_name="试点申报"
    )

    objects = ApplicationVersionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "申报版本"
        ordering = ["application", "number"]
        constraints = [
            models.UniqueConstraint(fields=["application", "number"], name="application_version_number"),
            models.UniqueConstraint(fields=["application", "token"], name="application_version_token"),
        ]


class ApplicationItemQuerySet(models.QuerySet["ApplicationItem"]):
    def visible_to(self, user: Any) -> "ApplicationItemQuerySet":
        """Of visible applications; an expert only the items asked about; a draft only its school."""
        if user.role == Role.EXPERT:
            asked = ExpertOpinion.objects.letting_in(user).filter(item=OuterRef("pk"))
            return self.handed_in().filter(Exists(asked))
        if user.sees_province:
            return self.handed_in()
        items = self.filter(application__in=Application.objects.visible_to(user))
        return items if user.role in Role.of_a_school() else items.handed_in()

    def files_visible_to(self, user: Any, file: Attachment) -> "ApplicationItemQuerySet":
        """Of the items seen: its school has all files, everybody else those handed in."""
        seen = self.visible_to(user)
        if user.role in Role.of_a_school():
            return seen
        return seen.filter(Exists(ItemFile.objects.handed_in().filter(item=OuterRef("pk"), attachment=file)))

    def handed_in(self) -> "ApplicationItemQuerySet":
        """What reviewers see: never a draft that was not submitted."""
        return self.exclude(state=ApplicationItem.State.DRAFT)

    def undecided(self) -> "ApplicationItemQuerySet":
        """Handed in, and with a reviewer or, returned, back with the school."""
        state = ApplicationItem.State
        return self.filter(state__in=[state.SUBMITTED, state.FIRST_REVIEWED, state.RETURNED])

    def in_force_at(self, instant: dt.datetime) -> "ApplicationItemQuerySet":
        """Approved, and neither the programme that this brought about nor the school's time in the pilot has
        ended since; both may begin later, with the school year."""
        not_over = Q(ended_at=None) | Q(ended_at__gt=instant)
        programmes = Programme.objects.filter(
            not_over, school=OuterRef("application__school"), certificate_level=OuterRef("certificate_level")
        )
        not_left = Q(left_at=None) | Q(left_at__gt=instant)
        members = PilotMembership.objects.filter(not_left, organization=OuterRef("application__school"))
        return self.filter(Exists(programmes), Exists(members), state=ApplicationItem.State.APPROVED)

    def with_total(self) -> "ApplicationItemQuerySet":
        """`planned`: new and carried over together."""
        return self.annotate(planned=F("planned_new") + F("carried_over"))


class ApplicationItem(Drafted):
    """One certificate level of an application, with a state of its own.

    The draft holds what is typed; the columns hold what was last submitted. FIRST_REVIEWED means that
    nothing but the province's decision is left: what goes straight to the province begins there.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "草稿"
        SUBMITTED = "submitted", "待初审"
        FIRST_REVIEWED = "first_reviewed", "待审核"
        RETURNED = "returned", "退回修改"
        APPROVED = "approved", "已批准"
        REJECTED = "rejected", "未通过"
        WITHDRAWN = "withdrawn", "已撤回"

    application = models.ForeignKey(
        Application, models.CASCADE, related_name="items", verbose_name="试点申报"
    )
    certificate_level = models.ForeignKey(
        CertificateLevel, models.PROTECT, related_name="application_items", verbose_name="证书等级"
    )
    # The school runs it already: only the plan for the year is asked (the short form).
    is_renewal = models.BooleanField("续报年度计划", default=False)
    state = models.CharField("状态", max_length=16, choices=State, default=State.DRAFT)
    # The state it was returned or rejected from: until when it may be mended, to whom it goes again.
    returned_from = models.CharField("退回前状态", max_length=16, choices=State, blank=True)
    planned_new = models.PositiveIntegerField("新增拟考证人数", default=0)
    carried_over = models.PositiveIntegerField("沿用上年计划人数", default=0)
    trainers = models.PositiveIntegerField("具备培训资格的教师", default=0)
    equipment = models.TextField("实训设备与场地", blank=True)
    justification = models.TextField("论证意见", blank=True)
    # 学生自愿参与；不以取得证书作为毕业条件 (HB 三.2, 三.5)
    is_voluntary = models.BooleanField("学生自愿参加", default=False)
    is_no_condition = models.BooleanField("不与毕业挂钩", default=False)
    agreement = models.ForeignKey(
        Agreement, models.PROTECT, null=True, blank=True, related_name="items", verbose_name="合作协议"
    )
    review_comment = models.TextField("审核意见", blank=True)
    # The plan that the approval replaced: {"candidates", "carried_over", "source"}; null: there was none.
    plan_before = models.JSONField("批准前的年度计划", null=True, blank=True)
    decided_at = models.DateTimeField("审核时间", null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    # The files not taken off again, and what the item is judged by, where `grounds` has loaded them.
    kept_files: "list[ItemFile]"
    ground: Any

    objects = ApplicationItemQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "申报项目"
        ordering = ["application", "certificate_level"]
        constraints = [
            models.UniqueConstraint(
                fields=["application", "certificate_level"],
                name="application_item_once",
                violation_error_message="本次申报中已有这个证书等级。",
            ),
            models.CheckConstraint(
                condition=Q(decided_at__isnull=True, decided_by__isnull=True)
                | Q(decided_at__isnull=False, decided_by__isnull=False),
                name="application_item_decided_by_when",
            ),
        ]
        indexes = [models.Index(fields=["state", "application"])]

    def __str__(self) -> str:
        return str(self.certificate_level)

    @property
    def planned_total(self) -> int:
        return self.planned_new + self.carried_over

    @property
    def was_handed_in(self) -> bool:
        """Once or again: the columns hold what was sent, and nothing is sent without a candidate (`rules`)."""
        return self.planned_total > 0

    @property
    def organization_id(self) -> int:
        return self.application.organization_id


class ItemMajor(models.Model):
    """A major whose students take part; free entry where the catalogue lacks it (`major` null)."""

    item = models.ForeignKey(ApplicationItem, models.CASCADE, related_name="majors", verbose_name="申报项目")
    major = models.ForeignKey(Major, models.PROTECT, null=True, blank=True, related_name="+")
    code = models.CharField("专业代码", max_length=8)
    name = models.CharField("专业名称", max_length=60)
    catalogue = models.CharField("目录版本", max_length=60, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "对应专业"
        ordering = ["item", "code"]
        constraints = [models.UniqueConstraint(fields=["item", "code", "name"], name="item_major_once")]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class ItemFileQuerySet(models.QuerySet["ItemFile"]):
    def kept(self) -> "ItemFileQuerySet":
        """As the school's form has them now."""
        return self.filter(removed_at=None)

    def handed_in(self) -> "ItemFileQuerySet":
        """As reviewers have them: those of the current version."""
        return self.filter(is_handed_in=True)


class ItemFile(models.Model):
    """A file of an item and what it is; one taken off again stays on record with its `removed_at`.

    What a school puts with a returned item, or takes off it, reaches reviewers when it is handed in again:
    until then they go by `is_handed_in`.
    """

    class Kind(models.TextChoices):
        PLAN = "plan", "试点工作方案"
        EQUIPMENT = "equipment", "设备与师资材料"
        OTHER = "other", "其他材料"

    item = models.ForeignKey(ApplicationItem, models.CASCADE, related_name="files", verbose_name="申报项目")
    attachment = models.OneToOneField(Attachment, models.PROTECT, related_name="+", verbose_name="文件")
    kind = models.CharField("种类", max_length=10, choices=Kind)
    removed_at = models.DateTimeField("移除时间", null=True, blank=True)
    # Among the files of the item as it was last handed in.
    is_handed_in = models.BooleanField("已随申报提交", default=False)

    objects = ItemFileQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "申报材料"
        ordering = ["item", "pk"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}：{self.attachment}"


class ExpertInterestQuerySet(models.QuerySet["ExpertInterest"]):
    def visible_to(self, user: Any) -> "ExpertInterestQuerySet":
        """The office keeps them; an expert sees his or her own."""
        if user.role == Role.EXPERT:
            return self.filter(expert=user)
        return self.all() if user.role == Role.OFFICE else self.none()


class ExpertInterest(models.Model):
    """An expert's tie to a school or evaluator: he or she gives no opinion where it is concerned."""

    expert = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="interests", verbose_name="专家"
    )
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", verbose_name="机构")
    note = models.CharField("关系", max_length=120)
    declared_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    declared_at = models.DateTimeField("登记时间")

    objects = ExpertInterestQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "利益关系"
        ordering = ["expert", "organization"]
        constraints = [
            models.UniqueConstraint(
                fields=["expert", "organization"],
                name="expert_interest_once",
                violation_error_message="这一关系已登记。",
            )
        ]

    def __str__(self) -> str:
        return f"{self.expert} {self.organization}"


class ExpertOpinionQuerySet(models.QuerySet["ExpertOpinion"]):
    def visible_to(self, user: Any) -> "ExpertOpinionQuerySet":
        """An expert his or her own; the province all. Schools and cities see none before the decision."""
        if user.role == Role.EXPERT:
            return self.filter(expert=user)
        return self.all() if user.sees_province else self.none()

    def waiting(self) -> "ExpertOpinionQuerySet":
        return self.filter(state=ExpertOpinion.State.ASKED)

    def letting_in(self, expert: Any) -> "ExpertOpinionQuerySet":
        """By which an expert sees the item: not when he or she has stood aside, nor when it was withdrawn."""
        return self.filter(expert=expert, state__in=ExpertOpinion.STANDING)


class ExpertOpinion(models.Model):
    """What an expert was asked about an item, and the answer (SH 二(一)3)."""

    class State(models.TextChoices):
        ASKED = "asked", "待提出意见"
        GIVEN = "given", "已提出意见"
        DECLINED = "declined", "已回避"
        WITHDRAWN = "withdrawn", "已撤回"

    STANDING = (State.ASKED, State.GIVEN)

    class Advice(models.TextChoices):
        SUPPORT = "support", "建议同意"
        CONDITION = "condition", "修改后同意"
        OPPOSE = "oppose", "建议不同意"

    item = models.ForeignKey(
        ApplicationItem, models.CASCADE, related_name="opinions", verbose_name="申报项目"
    )
    expert = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="opinions", verbose_name="专家"
    )
    state = models.CharField("状态", max_length=10, choices=State, default=State.ASKED)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField("征求时间")
    due_at = models.DateTimeField("答复期限")
    advice = models.CharField("意见", max_length=10, choices=Advice, blank=True)
    text = models.TextField("理由", blank=True)
    given_at = models.DateTimeField("答复时间", null=True, blank=True)

    objects = ExpertOpinionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "专家意见"
        ordering = ["item", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["item", "expert"], name="opinion_once"),
            models.CheckConstraint(
                condition=~Q(state="given") | Q(given_at__isnull=False), name="opinion_given_when"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.expert}：{self.item}"

    @property
    def is_late(self) -> bool:
        """Given at or after its due instant: accepted all the same."""
        return self.given_at is not None and self.given_at >= self.due_at
