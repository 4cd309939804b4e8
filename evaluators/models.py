"""Training-evaluation organisations that work in the province."""

from typing import Any

from django.db import models

from accounts.models import Organization, Role


class EvaluatorQuerySet(models.QuerySet["Evaluator"]):
    def visible_to(self, user: Any) -> "EvaluatorQuerySet":
        """A city bureau looks up any evaluator: their schools are within its own scope."""
        if user.role == Role.CITY_BUREAU:
            return self.all()
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
