"""Which organisations a user looks after beside one's own: kept above this app, whoever keeps them registers
here in `AppConfig.ready`."""

from collections.abc import Callable
from typing import Any

from django.db.models import Q

from accounts.models import Organization, OrganizationQuerySet

# user → the organisations now in the user's charge
Provider = Callable[[Any], OrganizationQuerySet]
_providers: list[Provider] = []


def register(provider: Provider) -> None:
    _providers.append(provider)


def organizations(user: Any) -> OrganizationQuerySet:
    """The organisations in the user's charge, each once; no query is made here."""
    found = Q(pk__in=[])
    for provider in _providers:
        found |= Q(pk__in=provider(user).values("pk"))
    return Organization.objects.filter(found)
