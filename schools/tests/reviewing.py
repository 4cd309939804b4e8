"""Applications that have been handed in, as reviewers find them."""

import datetime as dt
import secrets

from accounts.models import User
from certificates.models import Certificate, CertificateLevel
from core import clock
from schools.models import Application, ApplicationItem, ApplicationVersion, School
from schools.tests.applying import agreement_for, complete
from schools.tests.builders import make_application, make_item, make_round, office


def hubei_round(**fields):
    """HB 四: schools 14–25 May 2021 00:00, cities by 27 May, the province 28–31 May."""
    midnight = {"school_closes_at": 25, "city_closes_at": 28}
    return make_round(
        year=2021,
        opens_at=clock.at(dt.date(2021, 5, 14)),
        province_closes_at=clock.at(dt.date(2021, 6, 1)),
        document="鄂教职成办函〔2021〕7号",
        **{name: clock.at(dt.date(2021, 5, day)) for name, day in midnight.items()},
        **fields,
    )


def new_level(world, number=1) -> CertificateLevel:
    """A certificate level that no school of the world runs."""
    certificate = Certificate.objects.create(
        name=f"演示网络{number}职业技能等级证书", owner=world.evaluator_org, batch="三"
    )
    return CertificateLevel.objects.create(certificate=certificate, level=2)


def handed_in(round, school: School, levels, *, reviewer=None, state=None, **facts) -> list[ApplicationItem]:
    """The school's application with one complete item for each level; by default waiting for its reviewer."""
    application = Application.objects.filter(round=round, school=school).first()
    application = application or make_application(round, school, reviewer=reviewer)
    if application.current_id is None:
        sender = User.objects.filter(organization=school.organization).first() or office()
        application.current = ApplicationVersion.objects.create(
            application=application,
            number=1,
            receipt=f"SB20210520-{secrets.token_hex(3).upper()}",
            token=secrets.token_hex(8),
            received_at=clock.now(),
            submitted_by=sender,
            content={},
            content_hash="0" * 64,
        )
        application.save()
    state = state or ("submitted" if reviewer else "first_reviewed")
    return [_item(application, level, state, facts) for level in levels]


def _item(application, level, state, facts) -> ApplicationItem:
    year = {"signed_on": clock.today(), "valid_until": clock.today() + dt.timedelta(days=365)}
    agreement = agreement_for(level, application.school, **year)
    return complete(make_item(application, level, state=state, agreement=agreement, **facts))
