"""What the search finds of the catalogue: each certificate leads to the schools that run it."""

from django.db.models import Q
from django.urls import reverse

from accounts.models import Role, User
from accounts.pinyin import initials
from certificates.models import Certificate
from core.search import MOST, Hit


def certificates(user: User, text: str) -> list[Hit]:
    """By name, owner's name, or pinyin initials: for those who have a list of schools to be led to."""
    if not (user.sees_province or user.role in {Role.CITY_BUREAU, Role.EVALUATOR}):
        return []
    by_name = Q(name__icontains=text) | Q(owner__name__icontains=text)
    if text.isascii() and text.isalnum():
        by_name |= Q(pk__in=_by_initials(text.lower()))
    found = Certificate.objects.filter(by_name).select_related("owner").order_by("batch", "name", "pk")
    return [
        Hit(
            certificate.name,
            certificate.owner.name,
            f"{reverse('schools:list')}?certificate={certificate.pk}",
        )
        for certificate in found[: MOST + 1]
    ]


def _by_initials(text: str) -> list[int]:
    # Some hundred names: reading them is cheaper than a column kept up for this alone.
    names = Certificate.objects.order_by().values_list("pk", "name")
    return [pk for pk, name in names if initials(name).startswith(text)]
