"""A filing and an expert's opinion of `world.school`, for the walk over every address."""

import datetime as dt

from certificates.models import Certificate, CertificateLevel
from core import clock
from schools.tests.test_filings import submit
from schools.tests.test_opinions import asked, item_of, tie


def addresses(world):
    """URL name → its values. The opinion is of an expert who is not `world.expert`."""
    receipt, pk = submit(world).receipt, world.school.pk
    certificate = Certificate.objects.create(name="征求意见的证书", owner=world.evaluator_org)
    level = CertificateLevel.objects.create(certificate=certificate, level=1)
    expert = world.add_user("expert", world.province, "asked-expert")
    opinion = asked(world, item_of(world, level=level), expert, clock.now() + dt.timedelta(days=9))
    interest = tie(world, world.school_org, expert)
    return {
        "filings:detail": pk,
        "filings:accept": pk,
        "filings:return": pk,
        "filings:receipt": receipt,
        "filings:version": receipt,
        "filings:scan": receipt,
        "opinions:detail": opinion.pk,
        "opinions:decline": opinion.pk,
        "opinions:withdraw": opinion.pk,
        "opinions:interest-remove": interest.pk,
    }
