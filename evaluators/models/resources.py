"""What evaluators keep up for each certificate level (MOE 二(四), 三(一))."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef

from accounts.models import Role
from certificates.models import CertificateLevel
from evaluators.models.profiles import Charge
from schools.models import Programme


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
