"""Which certificate levels run in the province, and which schools a level concerns: kept above this app,
whoever keeps them registers here in `AppConfig.ready`."""

import datetime as dt
from collections.abc import Callable

from django.db.models import Q, QuerySet

from accounts.models import Organization, User
from certificates.models import CertificateLevel

# user → levels of the programmes that run now and that the user may see
Provider = Callable[[User], QuerySet[CertificateLevel]]
_providers: list[Provider] = []
# level, instant → the schools that then run it or have applied for it
Concerned = Callable[[CertificateLevel, dt.datetime], QuerySet[Organization]]
_concerned: list[Concerned] = []


def register(provider: Provider) -> None:
    _providers.append(provider)


def register_concerned(provider: Concerned) -> None:
    _concerned.append(provider)


def levels(user: User) -> QuerySet[CertificateLevel]:
    """The levels that run, each once."""
    found = Q(pk__in=[])
    for provider in _providers:
        found |= Q(pk__in=provider(user).values("pk"))
    return CertificateLevel.objects.filter(found)


def concerns(level: CertificateLevel, organization_id: int, at: dt.datetime) -> bool:
    """Whether the school runs the level or has applied for it."""
    return any(provider(level, at).filter(pk=organization_id).exists() for provider in _concerned)
