"""What the search finds of schools."""

from django.urls import reverse

from accounts.models import Organization, User
from core.search import MOST, Hit
from schools.models import School


def schools(user: User, text: str) -> list[Hit]:
    named = Organization.objects.schools().matching(text)
    found = (
        School.objects.visible_to(user).filter(organization__in=named).select_related("organization__city")
    )
    return [
        Hit(
            str(school),
            f"{school.get_kind_display()} · {school.organization.city or '所在市未登记'}",
            reverse("schools:detail", args=[school.pk]),
        )
        for school in found.order_by("organization__code")[: MOST + 1]
    ]
