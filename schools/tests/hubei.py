"""Hubei's first round of 2021 (鄂教职成办函〔2021〕7号 四.4), as settings of a round."""

import datetime as dt

from core import clock
from schools.models import Application, ApplicationItem, ApplicationRound, ApplicationVersion, School
from schools.services import duties
from schools.services.rounds import PRESETS, open_round


def sh(text: str) -> dt.datetime:
    """An instant from a wall-clock text of Shanghai."""
    return dt.datetime.fromisoformat(f"{text}+08:00")


OPENS, SCHOOL = sh("2021-05-14T00:00:00"), sh("2021-05-25T00:00:00")
CITY, PROVINCE = sh("2021-05-28T00:00:00"), sh("2021-06-01T00:00:00")
MICROSECOND = dt.timedelta(microseconds=1)


def fields(**changed):
    return {
        "year": 2021,
        "number": 1,
        "document": "鄂教职成办函〔2021〕7号",
        "note": "",
        "opens_at": OPENS,
        "school_closes_at": SCHOOL,
        "city_closes_at": CITY,
        "province_closes_at": PROVINCE,
        "catalogue": "",
        "kinds": [str(kind) for kind in School.Kind.values],
        "minimum_candidates": None,
        "allows_carry_over": True,
        "closed_batches": ["1", "2"],
        **changed,
    }


def hubei(world, at: str = "2021-05-13T09:00:00", preset: str = "hubei", **changed) -> ApplicationRound:
    """The round, opened by the office; the clock stands at `at` then."""
    return open_round(
        fields=fields(**changed), routes=PRESETS[preset][2], by=world.office, at=world.at(sh(at))
    )


def hand_in(by, application: Application, state: str = "submitted") -> ApplicationVersion:
    """What a submission leaves behind: a new version, the drafts and returned items in `state`, the duties."""
    at = clock.now()
    number = application.versions.count() + 1
    version = ApplicationVersion.objects.create(
        application=application,
        number=number,
        receipt=f"SB-{application.pk}-{number}",
        token=str(number),
        received_at=at,
        submitted_by=by,
        content={},
        content_hash="0" * 64,
    )
    application.items.filter(state__in=["draft", "returned"]).update(state=state)
    Application.objects.filter(pk=application.pk).update(current=version)
    duties.submitted(application, version, at=at)
    return version


def put(application: Application, state: str, **fields) -> None:
    """All its items into that state, as a review leaves them."""
    ApplicationItem.objects.filter(application=application).update(state=state, **fields)
