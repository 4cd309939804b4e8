"""Rounds, applications and items as they stand in the database, without the steps that lead there."""

import datetime as dt

from accounts.models import Organization, User
from certificates.models import CertificateLevel
from core import clock
from schools.models import Application, ApplicationItem, ApplicationRound, School

DECIDED = {ApplicationItem.State.APPROVED, ApplicationItem.State.REJECTED}


def office() -> User:
    return User.objects.filter(role="office").order_by("username").first()


def make_round(**fields) -> ApplicationRound:
    """Opened yesterday; the school's side closes in a week, the city's two days and the province's five
    days after that."""
    now, day = clock.now(), dt.timedelta(days=1)
    fields.setdefault("year", 2020)
    fields.setdefault("number", ApplicationRound.objects.filter(year=fields["year"]).count() + 1)
    return ApplicationRound.objects.create(
        **{
            "opens_at": now - day,
            "school_closes_at": now + 7 * day,
            "city_closes_at": now + 9 * day,
            "province_closes_at": now + 12 * day,
            "created_by": office(),
            "created_at": now,
            **fields,
        }
    )


def make_application(
    round: ApplicationRound, school: School, *, reviewer: Organization | None = None, **fields
) -> Application:
    """Without versions; `reviewer` null goes straight to the province."""
    starter = User.objects.filter(organization=school.organization).order_by("username").first() or office()
    return Application.objects.create(
        round=round,
        school=school,
        reviewer=reviewer,
        started_by=starter,
        started_at=clock.now(),
        **fields,
    )


def make_item(
    application: Application,
    level: CertificateLevel,
    *,
    state: str = ApplicationItem.State.FIRST_REVIEWED,
    **facts,
) -> ApplicationItem:
    """An item in that state; a decided one was decided by the office now, a draft was never handed in."""
    if state in DECIDED:
        facts = {"decided_at": clock.now(), "decided_by": office(), **facts}
    planned = 0 if state == ApplicationItem.State.DRAFT else 40
    return ApplicationItem.objects.create(
        application=application,
        certificate_level=level,
        state=state,
        **{"planned_new": planned, "is_voluntary": True, "is_no_condition": True, **facts},
    )
