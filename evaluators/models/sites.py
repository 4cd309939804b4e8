"""Exam sites (考核站点, MOE 三(一)): conditions published per certificate, a school applies, the evaluator
agrees, the province files."""

from decimal import Decimal
from typing import Any, NamedTuple

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import OuterRef, Q, Subquery

from accounts.models import City, County, Organization, Role
from certificates.models import Certificate
from evaluators.models.profiles import Charge
from schools.models import School

POSITION: dict[str, Any] = {"max_digits": 8, "decimal_places": 5, "null": True, "blank": True}
ON_EARTH = (
    [MinValueValidator(-90), MaxValueValidator(90)],
    [MinValueValidator(-180), MaxValueValidator(180)],
)


def whole_position() -> Q:
    """Both coordinates (degrees) or none."""
    return Q(latitude__isnull=True, longitude__isnull=True) | Q(
        latitude__isnull=False, longitude__isnull=False
    )


class SiteConditionQuerySet(models.QuerySet["SiteCondition"]):
    def current(self) -> "SiteConditionQuerySet":
        """The newest of each certificate."""
        later = SiteCondition.objects.filter(certificate=OuterRef("certificate")).order_by(
            "-published_at", "-pk"
        )
        return self.filter(pk=Subquery(later.values("pk")[:1]))


class SiteCondition(models.Model):
    """What a site must have for a certificate, published to everybody; a later one takes over, earlier ones
    are kept. Each line of the text is one item."""

    certificate = models.ForeignKey(
        Certificate, models.PROTECT, related_name="site_conditions", verbose_name="证书"
    )
    text = models.TextField("考核站点条件")
    minimum_places = models.PositiveIntegerField("最少考位", default=1)
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    published_at = models.DateTimeField("公布时间")

    objects = SiteConditionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "考核站点条件"
        ordering = ["certificate", "-published_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.certificate} 考核站点条件"

    @property
    def organization_id(self) -> int:
        return self.certificate.owner_id

    @property
    def items(self) -> list[str]:
        return [line.strip() for line in self.text.splitlines() if line.strip()]


class ExamSiteQuerySet(models.QuerySet["ExamSite"]):
    def visible_to(self, user: Any) -> "ExamSiteQuerySet":
        """Sites that are or were filed: everybody who works for the pilot. Others: the province, the school,
        its city, the evaluator and the coordinator in charge of it."""
        if user.sees_province:
            return self.all()
        if user.role == Role.LEARNER:
            return self.none()
        return self.filter(Q(filed_at__isnull=False) | _party(user))

    def of_party(self, user: Any) -> "ExamSiteQuerySet":
        """Of those, the ones of which the user sees comments and requests as well
        (permissions.may_see_review)."""
        return self.all() if user.sees_province else self.visible_to(user).filter(_party(user))

    def filed(self) -> "ExamSiteQuerySet":
        return self.filter(state=ExamSite.State.FILED)

    def in_state(self, state: str) -> "ExamSiteQuerySet":
        """A state, or NEVER_FILED; only what was a site is ended."""
        ended = self.filter(state=ExamSite.State.ENDED)
        if state == ExamSite.NEVER_FILED[0]:
            return ended.filter(filed_at=None)
        return (
            ended.filter(filed_at__isnull=False)
            if state == ExamSite.State.ENDED
            else self.filter(state=state)
        )

    def standing(self) -> "ExamSiteQuerySet":
        """Filed, or under application: a school has one for a certificate."""
        return self.exclude(state__in=[ExamSite.State.REFUSED, ExamSite.State.ENDED])


def _party(user: Any) -> Q:
    if user.role == Role.EVALUATOR:
        return Q(certificate__owner=user.organization_id)
    if user.role == Role.COORDINATOR:
        charges = Charge.objects.filter(coordinator=user, ended_at=None)
        return Q(certificate__owner__in=charges.values("evaluator"))
    return Q(school__organization__in=Organization.objects.visible_to(user))


class ExamSite(models.Model):
    """A school as a place of examination for one certificate."""

    class State(models.TextChoices):
        APPLIED = "applied", "待评价组织同意"
        AGREED = "agreed", "待省级备案"
        FILED = "filed", "已备案"
        RETURNED = "returned", "退回修改"
        REFUSED = "refused", "未同意"
        ENDED = "ended", "已撤销"

    # What came to an end without having been a site: withdrawn, or of a school that left the pilot.
    NEVER_FILED = "never_filed", "未备案，不再办理"
    # How the history tells a state that an action led to, where the state's own word would not be true.
    STATES_AFTER = {"site_withdraw": "已撤回", "site_lapse": "不再办理"}

    certificate = models.ForeignKey(Certificate, models.PROTECT, related_name="sites", verbose_name="证书")
    school = models.ForeignKey(School, models.PROTECT, related_name="sites", verbose_name="学校")
    # Null: filed before the portal, taken in by the office as a list.
    condition = models.ForeignKey(
        SiteCondition, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="对照的条件"
    )
    name = models.CharField("站点名称", max_length=120)
    city = models.ForeignKey(City, models.PROTECT, related_name="+", verbose_name="所在市")
    county = models.ForeignKey(
        County, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="所在县（市、区）"
    )
    address = models.CharField("地址", max_length=200)
    latitude = models.DecimalField("纬度", **POSITION, validators=ON_EARTH[0])
    longitude = models.DecimalField("经度", **POSITION, validators=ON_EARTH[1])
    places = models.PositiveIntegerField("考位", validators=[MinValueValidator(1)])
    equipment = models.TextField("设备与场地")
    # One text for each item of the condition, in its order.
    statements = models.JSONField("对照条件说明", default=list, blank=True)
    # How often it was applied for: an answer names the one that was read.
    version = models.PositiveSmallIntegerField("第几次申报", default=1)
    state = models.CharField("状态", max_length=10, choices=State, default=State.APPLIED)
    # What it waited for when it was returned or refused: whose answer that was.
    returned_from = models.CharField("退回前状态", max_length=10, choices=State, blank=True)
    review_comment = models.TextField("意见", blank=True)
    applied_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    applied_at = models.DateTimeField("申报时间")
    filed_at = models.DateTimeField("备案时间", null=True, blank=True)
    ending_asked_at = models.DateTimeField("学校请求撤销时间", null=True, blank=True)
    ending_asked_reason = models.TextField("学校请求撤销的原因", blank=True)
    ended_at = models.DateTimeField("撤销时间", null=True, blank=True)
    ended_on = models.DateField("撤销日期", null=True, blank=True)
    end_reason = models.TextField("撤销原因", blank=True)

    objects = ExamSiteQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "考核站点"
        ordering = ["certificate", "city", "school"]
        constraints = [
            models.UniqueConstraint(
                fields=["certificate", "school"],
                condition=~Q(state__in=["refused", "ended"]),
                name="exam_site_once",
                violation_error_message="本校已申报或设有这个证书的考核站点。",
            ),
            models.CheckConstraint(
                condition=~Q(state="filed") | Q(filed_at__isnull=False), name="exam_site_filed_when"
            ),
            models.CheckConstraint(condition=whole_position(), name="exam_site_position"),
            models.CheckConstraint(
                condition=~Q(state="ended") | Q(ended_on__isnull=False), name="exam_site_ended_on"
            ),
        ]
        indexes = [models.Index(fields=["state", "certificate", "city"])]

    def __str__(self) -> str:
        return self.name

    @property
    def organization_id(self) -> int:
        return int(self.school_id)

    @property
    def state_word(self) -> str:
        is_site = self.state != self.State.ENDED or self.filed_at
        return str(self.get_state_display()) if is_site else self.NEVER_FILED[1]

    @property
    def answers(self) -> list["Answer"]:
        """Each item of the condition beside what the school says to it."""
        items = self.condition.items if self.condition else []
        return [Answer(item, text) for item, text in zip(items, self.statements, strict=False)]


class Answer(NamedTuple):
    item: str
    text: str


class SchoolPlace(models.Model):
    """Where a school lies, as its contact says: what distances to sites are reckoned from."""

    school = models.OneToOneField(
        School, models.PROTECT, primary_key=True, related_name="place", verbose_name="学校"
    )
    county = models.ForeignKey(
        County, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="所在县（市、区）"
    )
    latitude = models.DecimalField("纬度", **POSITION, validators=ON_EARTH[0])
    longitude = models.DecimalField("经度", **POSITION, validators=ON_EARTH[1])

    class Meta:
        verbose_name = verbose_name_plural = "学校位置"
        constraints = [models.CheckConstraint(condition=whole_position(), name="school_place_position")]

    def __str__(self) -> str:
        return f"{self.school} 位置"


class SiteRule(models.Model):
    """Below how many planned candidates a place a site counts as little used; the newest counts."""

    DEFAULT = Decimal("0.50")

    candidates_per_place = models.DecimalField(
        "每个考位的计划人数低于",
        max_digits=6,
        decimal_places=2,
        validators=[MinValueValidator(Decimal("0.01"))],
    )
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    set_at = models.DateTimeField("制定时间")

    class Meta:
        verbose_name = verbose_name_plural = "站点使用率规则"
        ordering = ["-set_at", "-pk"]

    def __str__(self) -> str:
        return f"每个考位计划人数低于 {self.candidates_per_place}"

    @classmethod
    def threshold(cls) -> Decimal:
        newest = cls.objects.first()
        return newest.candidates_per_place if newest else cls.DEFAULT
