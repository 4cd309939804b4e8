"""Training-evaluation organisations that work in the province, and who looks after them."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q

from accounts.models import Organization, OrganizationQuerySet, Role
from schools.models import Programme


class EvaluatorQuerySet(models.QuerySet["Evaluator"]):
    def visible_to(self, user: Any) -> "EvaluatorQuerySet":
        """A city bureau looks up any evaluator: their schools are within its own scope. A coordinator sees
        those given to him or her; a school those of its programmes, past ones too."""
        if user.role == Role.CITY_BUREAU:
            return self.all()
        if user.role == Role.COORDINATOR:
            return self.filter(charges__coordinator=user, charges__ended_at=None).distinct()
        if user.role in Role.of_a_school():
            own = Programme.objects.filter(
                school=user.organization_id, certificate_level__certificate__owner=OuterRef("pk")
            )
            return self.filter(Exists(own))
        return self.filter(organization__in=Organization.objects.visible_to(user))


class Evaluator(models.Model):
    """The profile of an organisation that owns certificates."""

    organization = models.OneToOneField(
        Organization, models.PROTECT, primary_key=True, related_name="evaluator", verbose_name="机构"
    )

    objects = EvaluatorQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "培训评价组织"
        ordering = ["organization"]

    def __str__(self) -> str:
        return self.organization.name


def organizations_of_charges(user: Any) -> OrganizationQuerySet:
    """The evaluators now in the charge of a coordinator, for `accounts.in_charge`."""
    if user.role != Role.COORDINATOR:
        return Organization.objects.none()
    charged = Charge.objects.filter(coordinator=user.pk, ended_at=None)
    return Organization.objects.filter(pk__in=charged.values("evaluator"))


class Charge(models.Model):
    """An evaluator given to a coordinator (对接专员, MOE 一(一)), from one instant to another."""

    evaluator = models.ForeignKey(
        Evaluator, models.CASCADE, related_name="charges", verbose_name="培训评价组织"
    )
    coordinator = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="charges", verbose_name="对接专员"
    )
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    given_at = models.DateTimeField("交办时间")
    ended_at = models.DateTimeField("结束时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "对接分工"
        ordering = ["evaluator", "given_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["evaluator", "coordinator"],
                condition=Q(ended_at__isnull=True),
                name="charge_once",
                violation_error_message="这位对接专员已经负责该评价组织。",
            )
        ]

    def __str__(self) -> str:
        return f"{self.coordinator}：{self.evaluator}"
