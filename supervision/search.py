"""What the search finds of cases."""

from django.urls import reverse

from accounts.models import Organization, User
from core.search import MOST, Hit
from supervision.models import Case


def cases(user: User, text: str) -> list[Hit]:
    """By the name, alias, code or pinyin initials of the organisation that the case is about."""
    found = Case.objects.visible_to(user).filter(organization__in=Organization.objects.matching(text))
    return [
        Hit(str(case), case.get_state_display(), reverse("supervision:case-detail", args=[case.pk]))
        for case in found.select_related("organization").order_by("-flagged_at", "-pk")[: MOST + 1]
    ]
