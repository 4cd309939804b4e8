"""What the search finds of evaluators."""

from django.urls import reverse

from accounts.models import Organization, User
from core.search import MOST, Hit
from evaluators.models import Evaluator


def evaluators(user: User, text: str) -> list[Hit]:
    named = Organization.objects.filter(kind=Organization.Kind.EVALUATOR).matching(text)
    found = Evaluator.objects.visible_to(user).filter(organization__in=named).select_related("organization")
    return [
        Hit(str(evaluator), "", reverse("evaluators:detail", args=[evaluator.pk]))
        for evaluator in found.order_by("organization__code")[: MOST + 1]
    ]
