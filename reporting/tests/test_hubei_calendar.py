"""Hubei's round of 2021 (鄂教职成办函〔2021〕7号 四.4) at its exact instants, from the opening to the weekly form."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from core import clock
from core.workflow import NotNow
from obligations.models import Obligation, ObligationKind
from reporting.sheet import sheet_for
from reporting.tests.spring import begin, four
from schools.models import ApplicationItem, Closings, Programme
from schools.services import applications, extensions, publications, reviews
from schools.services.publications import Heading
from schools.tests.hubei import CITY, MICROSECOND, OPENS, PROVINCE, SCHOOL, hubei, sh

State = ApplicationItem.State
LATE = sh("2021-05-27T00:00:00")


def hand_in(world, application, at):
    token = applications.token_of(applications.waiting_items(application, world.at(at)))
    return applications.submit_application(
        application=application, token=token, by=world.people[application.school], at=at
    )


def decide(action, application, by, at, comment=""):
    keys = list(application.items.values_list("pk", flat=True))
    [item] = reviews.decide_many(action=action, items=keys, by=by, at=at, comment=comment)
    return item.state


def refusal(error):
    return "；".join(error.value.reasons)


def test_from_the_opening_to_the_weekly_form(world):
    four(world)
    round = hubei(world)
    with pytest.raises(ValidationError, match="现在还不能填写"):
        applications.start_application(
            round=round, school=world.school, by=world.contact, at=world.at(OPENS - MICROSECOND)
        )
    world.at(OPENS)
    college, school, late, silent = (begin(world, round, one) for one in world.people)

    # Schools: 24 May until 24:00.
    second = dt.timedelta(seconds=1)
    assert hand_in(world, college, SCHOOL - second).received_at == SCHOOL - second
    assert hand_in(world, school, SCHOOL - MICROSECOND).number == 1
    for application in (late, silent):
        with pytest.raises(NotNow) as refused:
            hand_in(world, application, SCHOOL)
        for words in ("5月24日（星期一）24:00截止", "鄂教职成办函〔2021〕7号", "请联系省推进办"):
            assert words in refusal(refused)
    assert reviews_of(college) is None
    assert reviews_of(school) == world.bureau

    # One school is given more time by name, and nobody else.
    extensions.extend(
        round=round,
        organization=world.other_school_org,
        closings=Closings(LATE, CITY, PROVINCE),
        reason="学校停电两天",
        by=world.office,
        at=world.at(SCHOOL + dt.timedelta(hours=9)),
    )
    late, silent = (type(late).objects.get(pk=one.pk) for one in (late, silent))
    with pytest.raises(NotNow, match="5月24日"):
        hand_in(world, silent, LATE - MICROSECOND)
    assert hand_in(world, late, LATE - MICROSECOND).received_at == LATE - MICROSECOND

    # Cities: by 27 May. No secondary school is passed over.
    with pytest.raises(PermissionDenied, match="不能越过（晋教职成〔2020〕9号"):
        decide("item_approve", school, world.office, clock.now())
    last = world.at(CITY - MICROSECOND)
    assert decide("item_recommend", school, world.city_officer, last) == State.FIRST_REVIEWED
    with pytest.raises(NotNow) as refused:
        decide("item_recommend", late, world.other_city_officer, world.at(CITY))
    assert "市级初审已于" in refusal(refused)
    assert "5月27日（星期四）24:00" in refusal(refused)

    # The province: 28 to 31 May.
    assert decide("item_approve", college, world.office, world.at(CITY)) == State.APPROVED
    assert decide("item_approve", school, world.office, world.at(PROVINCE - MICROSECOND)) == State.APPROVED
    with pytest.raises(NotNow) as refused:
        decide("item_reconsider", school, world.office, world.at(PROVINCE), "再看")
    assert "5月31日（星期一）24:00" in refusal(refused)

    published(world, round)
    filing_is_owed_one_month_on(world)
    stands_in_the_weekly_form(world)


def reviews_of(application):
    application.refresh_from_db()
    return application.reviewer


def published(world, round):
    """公示 on 1–7 June without objection, 公布 on 8 June and no earlier; one item was never reviewed."""
    heading = Heading("2021年试点结果", "", "", despite_waiting=True)
    who = {"round": round, "heading": heading, "by": world.office}
    days = {"starts_on": dt.date(2021, 6, 1), "ends_on": dt.date(2021, 6, 7)}
    shown = publications.publish_proposed(**who, **days, at=world.at("2021-06-01T09:00:00+08:00"))
    assert {row["school"] for row in shown.rows} == {"山西演示职业学院", "太原演示职业学校"}
    over = sh("2021-06-08T00:00:00")
    with pytest.raises(ValidationError, match="期满后才能公布"):
        publications.publish_final(**who, at=world.at(over - MICROSECOND))
    assert publications.publish_final(**who, at=world.at(over)).rows == shown.rows


def filing_is_owed_one_month_on(world):
    owed = Obligation.objects.filter(kind=ObligationKind.SCHOOL_FILING)
    assert {duty.organization_id for duty in owed} == {world.college.pk, world.school.pk}
    assert {duty.due_at for duty in owed} == {sh("2021-07-09T00:00:00")}


def stands_in_the_weekly_form(world):
    world.at("2021-06-16T09:00:00+08:00")
    world.add_week("2021-W24")
    for school in (world.college, world.school):
        programme = Programme.objects.get(school=school, certificate_level=world.level)
        assert list(programme.plans.values_list("year", "candidates")) == [(2021, 40)]
        assert str(programme.pk) in sheet_for(world.owed(school, "2021-W24")).names
    assert not Programme.objects.filter(
        school__in=[world.other_school, world.silent], certificate_level=world.level
    ).exists()
