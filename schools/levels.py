"""Which certificate levels run, and where, for the lists of caps and standards below this app; which ones a round
is closed for."""

import datetime as dt

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Organization, OrganizationQuerySet, User
from certificates.models import CertificateLevel
from core import clock
from schools.models import Application, ApplicationItem, Programme


def running(user: User) -> QuerySet[CertificateLevel]:
    """Levels of the programmes that run now and that `user` may see."""
    programmes = Programme.objects.visible_to(user).running_at(clock.now())
    return CertificateLevel.objects.filter(Exists(programmes.filter(certificate_level=OuterRef("pk"))))


def concerned(level: CertificateLevel, at: dt.datetime) -> OrganizationQuerySet:
    """The schools that run the level at the instant or have it in an application, be it a draft."""
    gone = [ApplicationItem.State.REJECTED, ApplicationItem.State.WITHDRAWN]
    running = Programme.objects.running_at(at).filter(certificate_level=level)
    applied = ApplicationItem.objects.filter(certificate_level=level).exclude(state__in=gone)
    return Organization.objects.filter(
        Q(pk__in=running.values("school")) | Q(pk__in=applied.order_by().values("application__school"))
    )


def to_apply_for(application: Application) -> QuerySet[CertificateLevel]:
    """Those that are not in the application, be it open or closed to the school; a withdrawn one may come back."""
    there = application.items.exclude(state=ApplicationItem.State.WITHDRAWN)
    levels = CertificateLevel.objects.exclude(pk__in=there.values("certificate_level"))
    return levels.select_related("certificate").order_by("certificate__name", "level")


def of_closed_batches(application: Application) -> Q:
    """Levels of batches that take no new schools in the round, but for certificates that the school runs or ran,
    at whatever level (HB 四.4, a setting of the round)."""
    known = Programme.objects.filter(
        school=application.school_id, certificate_level__certificate=OuterRef("certificate")
    )
    return Q(~Exists(known), certificate__batch__in=application.round.closed_batches)
