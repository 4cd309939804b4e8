"""The demonstration's cooperation agreements: most programmes of the first roster have one, some do not.

They are written in bulk, as `schools.services.agreements.register` would one by one. The
home school's neighbours and its own unusual ones go through the services.
"""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import NamedTuple

from certificates.models import CertificateLevel
from core import clock, events
from core.attachments import stored
from core.bulk import insert
from core.models import Event
from funding.fees import limits_on
from funding.models import FeeCap
from reporting.demo import papers
from reporting.demo.bulk import next_key, reset_keys
from reporting.demo.fees import levels_by_subject
from reporting.demo.province import DemoProvince, DemoSchool
from schools.models import Agreement, AgreementParty, School
from schools.services import agreements as services

DAYS = [dt.date(2020, 2, 20), dt.date(2020, 4, 15), dt.date(2020, 6, 18), dt.date(2020, 9, 10)]
FEE_WITHOUT_STANDARD = Decimal(350)
# How the first roster's stand, in hundredths: without any, expired, expiring within sixty days; the rest hold.
MISSING, EXPIRED, EXPIRING = 12, 6, 9
CAUSE = "评价组织未按协议安排考核，两次书面提醒仍未改正。（演示）"


class Signed(NamedTuple):
    school: DemoSchool
    level: CertificateLevel
    signed_on: dt.date
    valid_until: dt.date


def _fees(signed: Sequence[Signed], now: dt.datetime) -> list[tuple[FeeCap | None, Decimal]]:
    """Of each: the cap of the day of signing, and what may be agreed on that day and still holds today."""
    today = clock.local(now).date()
    wanted = {(one.level, one.school.organization.pk) for one in signed}
    limits = {day: limits_on(wanted, day) for day in {today, *(one.signed_on for one in signed)}}
    found = []
    for one in signed:
        key = (one.level.pk, one.school.organization.pk)
        then, still = limits[one.signed_on][key], limits[today][key]
        bounds = [b.amount for b in (then.standard, then.cap, still.standard, still.cap) if b]
        found.append((then.cap, min(bounds, default=FEE_WITHOUT_STANDARD)))
    return found


def sign(signed: Sequence[Signed], *, now: dt.datetime) -> dict[tuple[int, int], Agreement]:
    """Store them, registered by each school the day after; the agreements by (school, level)."""
    first = next_key(Agreement)
    rows, parties = [], []
    for key, (one, (cap, fee)) in enumerate(zip(signed, _fees(signed, now), strict=True), first):
        at = clock.at(one.signed_on + dt.timedelta(days=1), dt.time(15))
        rows.append(
            Agreement(
                pk=key,
                evaluator_id=one.level.certificate.owner_id,
                certificate_level=one.level,
                reference=f"演示协〔{one.signed_on.year}〕{key}号",
                fee=fee,
                signed_on=one.signed_on,
                valid_until=one.valid_until,
                cap=cap,
                registered_by=one.school.contact,
                registered_at=at,
            )
        )
        said_yes = {"confirmed_at": at, "confirmed_by": one.school.contact}
        parties.append(AgreementParty(agreement_id=key, school_id=one.school.organization.pk, **said_yes))
    insert(rows)
    insert(parties)
    reset_keys(Agreement)
    _attach(rows)
    return {(s.school.organization.pk, s.level.pk): row for s, row in zip(signed, rows, strict=True)}


def _attach(rows: Sequence[Agreement]) -> None:
    """Each its own file: what lies on the disk opens with its own row only."""
    paper = papers.upload("试点合作协议")
    insert([stored(target=row, upload=paper, by=row.registered_by, at=row.registered_at) for row in rows])
    insert([_event(row) for row in rows])


def _event(row: Agreement) -> Event:
    return events.build(
        "agreement_registered",
        row,
        by=row.registered_by,
        at=row.registered_at,
        organization_id=row.organization_id,
        changes={
            "证书等级": str(row.certificate_level),
            "考核费用（元/人）": f"{row.fee:.2f}",
            "签署日期": row.signed_on.isoformat(),
            "有效期至": row.valid_until.isoformat(),
        },
    )


# --- the first roster


def sign_first_roster(province: DemoProvince, *, later: set[int], now: dt.datetime, rng: Random) -> None:
    """For the programmes that began with the roster; `later` are the keys of those that an application
    began, which have signed theirs."""
    levels = {str(level): level for level in levels_by_subject().values()}
    signed = []
    for number, school in enumerate(province.schools):
        for programme in school.programmes:
            draw = EXPIRED + MISSING if number == 0 else rng.randrange(100)
            if programme.pk in later or draw < MISSING:
                continue
            signed_on = rng.choice(DAYS if programme.started_at < clock.at(DAYS[0]) else DAYS[-1:])
            signed.append(Signed(school, levels[programme.name], signed_on, _until(draw - MISSING, now, rng)))
    sign(signed, now=now)


def _until(draw: int, now: dt.datetime, rng: Random) -> dt.date:
    today = clock.local(now).date()
    if draw < EXPIRED:
        return today - dt.timedelta(days=rng.randrange(3, 60))
    if draw < EXPIRED + EXPIRING:
        return today + dt.timedelta(days=rng.randrange(10, 59))
    return dt.date(2021, 12, 31) if rng.random() < 0.5 else dt.date(2022, 8, 31)


# --- a bit of each at the home school


def sign_unusual(province: DemoProvince, *, now: dt.datetime) -> None:
    """Of the home school one expired and one ended for cause; and one price for five schools, of which the
    home school has not answered yet."""
    levels = levels_by_subject()
    home = province.schools[0]
    ended = _register(home, levels["老年照护", 1], dt.date(2020, 2, 12), dt.date(2022, 2, 11))
    services.end(
        ended,
        ended_on=dt.date(2020, 6, 15),
        reason=CAUSE,
        files=[papers.upload("终止合作的书面提醒")],
        by=home.contact,
        at=clock.at(dt.date(2020, 6, 15), dt.time(16)),
    )
    _register(home, levels["幼儿照护", 1], dt.date(2020, 2, 12), dt.date(2020, 10, 31))
    _sign_together(province, levels["网店运营", 1], now)


def _sign_together(province: DemoProvince, level: CertificateLevel, now: dt.datetime) -> None:
    home = province.schools[0]
    bureau = home.organization.supervisor_id
    around = [s for s in province.schools[1:] if s.organization.supervisor_id == bureau]
    partners = [*around, *(s for s in province.schools[1:] if s not in around)][:4]
    joint = _register(partners[0], level, dt.date(2020, 10, 26), dt.date(2022, 10, 25), [home, *partners[1:]])
    for number, partner in enumerate(partners[1:]):
        services.confirm(joint, by=partner.contact, at=now - dt.timedelta(days=14, hours=number))


def _register(
    school: DemoSchool,
    level: CertificateLevel,
    signed_on: dt.date,
    valid_until: dt.date,
    others: Sequence[DemoSchool] = (),
) -> Agreement:
    limit = limits_on([(level, school.organization.pk)], signed_on)[level.pk, school.organization.pk]
    return services.register(
        evaluator=level.certificate.owner,
        certificate_level=level,
        fee=limit.standard.amount if limit.standard else FEE_WITHOUT_STANDARD,
        signed_on=signed_on,
        valid_until=valid_until,
        files=[papers.upload("试点合作协议")],
        others=School.objects.filter(pk__in=[other.organization.pk for other in others]),
        by=school.contact,
        at=clock.at(signed_on + dt.timedelta(days=1), dt.time(15)),
    )
