"""Application rounds (申报批次): when each step closes, and what differs between provinces."""

import datetime as dt
from typing import Any, NamedTuple

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.functional import cached_property

from accounts.models import Organization, Role
from schools.models.schools import School

AUTHORITIES = [(Organization.Kind.PROVINCE, "省属"), (Organization.Kind.CITY, "市属")]


def all_kinds() -> list[str]:
    return [str(kind) for kind in School.Kind.values]


class Closings(NamedTuple):
    """When the steps close for one school. Half-open: received at `t` is in time when `t < closing`."""

    school: dt.datetime
    city: dt.datetime
    province: dt.datetime


class ApplicationRoundQuerySet(models.QuerySet["ApplicationRound"]):
    def visible_to(self, user: Any) -> "ApplicationRoundQuerySet":
        """Who works on applications; schools see a round from its opening announcement on, i.e. always."""
        roles = {Role.CITY_BUREAU, Role.EXPERT, *Role.of_a_school()}
        return self.all() if user.sees_province or user.role in roles else self.none()

    def open_at(self, at: dt.datetime, schools: Any) -> "ApplicationRoundQuerySet":
        """Begun, and the province has not closed it: for all, or for one of `schools` (keys, or a query)."""
        longer = RoundExtension.objects.filter(
            Q(organization=None) | Q(organization__in=schools),
            round=OuterRef("pk"),
            province_closes_at__gt=at,
        )
        return self.filter(Q(province_closes_at__gt=at) | Q(Exists(longer)), opens_at__lte=at)


class ApplicationRound(models.Model):
    """One batch of applications of one year, with the province's settings for it (HB 四, SX 三.1)."""

    year = models.PositiveSmallIntegerField("年度")
    number = models.PositiveSmallIntegerField("批次")
    document = models.CharField("通知文号", max_length=120, blank=True)
    note = models.TextField("申报说明", blank=True)
    opens_at = models.DateTimeField("开始申报")
    school_closes_at = models.DateTimeField("院校填报截止")
    city_closes_at = models.DateTimeField("市级初审截止")
    province_closes_at = models.DateTimeField("省级审核截止")
    catalogue = models.CharField("专业目录版本", max_length=60, blank=True)
    kinds = models.JSONField("可申报的办学类型", default=all_kinds)
    minimum_candidates = models.PositiveIntegerField("每个证书等级最少人数", null=True, blank=True)
    allows_carry_over = models.BooleanField("允许沿用上年未用完的计划人数", default=False)
    # Values of Certificate.batch that are closed to schools which do not run the certificate yet (HB 四.4).
    closed_batches = models.JSONField("不再新增试点单位的证书批次", default=list, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField("创建时间")

    objects = ApplicationRoundQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "申报批次"
        ordering = ["-year", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["year", "number"],
                name="round_once",
                violation_error_message="该年度的这一批次已经建立。",
            ),
            models.CheckConstraint(
                condition=Q(opens_at__lt=F("school_closes_at"))
                & Q(school_closes_at__lte=F("city_closes_at"))
                & Q(city_closes_at__lte=F("province_closes_at")),
                name="round_order",
                violation_error_message="时间顺序应为：开始、院校截止、市级截止、省级截止。",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.year}年第{self.number}批试点申报"

    @property
    def closings(self) -> Closings:
        """Of the round as announced; `closings_of` knows the extensions."""
        return Closings(self.school_closes_at, self.city_closes_at, self.province_closes_at)

    @cached_property
    def announced_items(self) -> set[int]:
        """The keys of the items on its final lists, of which there may be several. Asked once of an instance."""
        found: set[int] = self.lists.final().items()
        return found

    def reviewer_of(self, school: School) -> Organization | None:
        """The bureau of the first review, None where the school applies straight to the province.

        What the province supervises goes, where the round says so, through the bureau of its place.
        """
        organization = school.organization
        supervisor = organization.supervisor
        if supervisor is None:
            return None
        route = self.routes.filter(kind=school.kind, authority=supervisor.kind).first()
        if route is None or not route.through_city:
            return None
        if supervisor.kind == Organization.Kind.CITY:
            return supervisor
        bureaux = Organization.objects.filter(
            kind=Organization.Kind.CITY,
            city=organization.city_id,
            is_demonstration=organization.is_demonstration,
        )
        return bureaux.order_by("pk").first() if organization.city_id else None

    def closings_of(self, organization_id: int) -> Closings:
        """For one school, with the extensions for all and its own. One query, or none where `extensions`
        is prefetched."""
        return self.extended(
            [e for e in self.extensions.all() if e.organization_id in {None, organization_id}]
        )

    def extended(self, extensions: list["RoundExtension"]) -> Closings:
        """The latest of each step."""
        return Closings(*map(max, zip(self.closings, *(e.closings for e in extensions), strict=True)))


class RoundRoute(models.Model):
    """Whether schools of a kind under a kind of authority go through the city's first review.

    HB: secondary schools under a city do, colleges do not; SX 三.1 sends all through cities. What the
    province supervises and still goes through a city, goes through the city where the school lies.
    """

    round = models.ForeignKey(
        ApplicationRound, models.CASCADE, related_name="routes", verbose_name="申报批次"
    )
    kind = models.CharField("办学类型", max_length=24, choices=School.Kind)
    authority = models.CharField(
        "主管部门",
        max_length=10,
        choices=AUTHORITIES,
    )
    through_city = models.BooleanField("经市级初审")

    class Meta:
        verbose_name = verbose_name_plural = "初审路径"
        ordering = ["round", "kind", "authority"]
        constraints = [
            models.UniqueConstraint(fields=["round", "kind", "authority"], name="round_route_once")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}（{self.get_authority_display()}）"


class RoundExtension(models.Model):
    """Later closings, for all schools or one by name, with the reason. Steps not moved keep their instants."""

    round = models.ForeignKey(
        ApplicationRound, models.CASCADE, related_name="extensions", verbose_name="申报批次"
    )
    organization = models.ForeignKey(
        Organization, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="院校"
    )
    school_closes_at = models.DateTimeField("院校填报截止")
    city_closes_at = models.DateTimeField("市级初审截止")
    province_closes_at = models.DateTimeField("省级审核截止")
    reason = models.TextField("理由")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField("延期时间")

    class Meta:
        verbose_name = verbose_name_plural = "延期"
        ordering = ["created_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(school_closes_at__lte=F("city_closes_at"))
                & Q(city_closes_at__lte=F("province_closes_at")),
                name="round_extension_order",
                violation_error_message="时间顺序应为：院校截止、市级截止、省级截止。",
            )
        ]

    def __str__(self) -> str:
        return f"{self.round}延期（{self.organization or '全部院校'}）"

    @property
    def closings(self) -> Closings:
        return Closings(self.school_closes_at, self.city_closes_at, self.province_closes_at)
