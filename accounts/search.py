"""What the search finds of authorities and accounts."""

from django.urls import reverse

from accounts import permissions
from accounts.models import Organization, User
from core.search import MOST, Hit


def authorities(user: User, text: str) -> list[Hit]:
    """Schools and evaluators have groups of their own."""
    kinds = [Organization.Kind.PROVINCE, Organization.Kind.CITY]
    found = Organization.objects.visible_to(user).filter(kind__in=kinds)
    return [
        Hit(
            organization.name,
            organization.get_kind_display(),
            reverse("accounts:organization-detail", args=[organization.pk]),
        )
        for organization in found.matching(text).order_by("kind", "code")[: MOST + 1]
    ]


def users(user: User, text: str) -> list[Hit]:
    if not permissions.may_see_accounts(user):
        return []
    found = User.objects.visible_to(user).matching(text).select_related("organization")
    return [
        Hit(
            account.name,
            f"{account.role_label} · {account.organization or ''}{'' if account.is_active else ' · 已停用'}",
            reverse("accounts:user-detail", args=[account.pk]),
        )
        for account in found.order_by("-is_active", "username")[: MOST + 1]
    ]
