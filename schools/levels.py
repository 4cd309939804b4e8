"""Which certificate levels run, for the lists of caps and standards below this app."""

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import User
from certificates.models import CertificateLevel
from core import clock
from schools.models import Programme


def running(user: User) -> QuerySet[CertificateLevel]:
    """Levels of the programmes that run now and that `user` may see."""
    programmes = Programme.objects.visible_to(user).running_at(clock.now())
    return CertificateLevel.objects.filter(Exists(programmes.filter(certificate_level=OuterRef("pk"))))
