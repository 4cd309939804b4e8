"""Who does what an organisation owes, where it is given to one person: kept above this app, whoever keeps it
registers here in `AppConfig.ready`."""

import uuid
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from django.db.models import Q, QuerySet

# → rows of `obligation` and `person`, by their keys; of active accounts only
Provider = Callable[[], QuerySet[Any, Any]]
_providers: list[Provider] = []


def register(provider: Provider) -> None:
    _providers.append(provider)


def given_to(user: Any) -> Q:
    """The obligations given to the user; no query is made here."""
    found = Q(pk__in=[])
    for provider in _providers:
        found |= Q(pk__in=provider().filter(person=user.pk).values("obligation"))
    return found


def people_of(obligations: QuerySet[Any]) -> dict[int, list[uuid.UUID]]:
    """Obligation → ids of those it is given to; one query for each who registered."""
    found: dict[int, list[uuid.UUID]] = defaultdict(list)
    for provider in _providers:
        rows = provider().filter(obligation__in=obligations.order_by().values("pk"))
        for row in rows:
            found[row["obligation"]].append(row["person"])
    return found
