"""Which certificate levels run in the province: kept above this app, whoever keeps them registers here
in `AppConfig.ready`."""

from collections.abc import Callable

from django.db.models import Q, QuerySet

from accounts.models import User
from certificates.models import CertificateLevel

# user → levels of the programmes that run now and that the user may see
Provider = Callable[[User], QuerySet[CertificateLevel]]
_providers: list[Provider] = []


def register(provider: Provider) -> None:
    _providers.append(provider)


def levels(user: User) -> QuerySet[CertificateLevel]:
    """The levels that run, each once."""
    found = Q(pk__in=[])
    for provider in _providers:
        found |= Q(pk__in=provider(user).values("pk"))
    return CertificateLevel.objects.filter(found)
