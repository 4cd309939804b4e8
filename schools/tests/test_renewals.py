"""Renewal of agreements: owed from thirty days before the last day, met, released; late runs and second runs."""

import datetime as dt

import pytest
from django.db import connection
from django.db.models.signals import post_init
from django.test.utils import CaptureQueriesContext

from core import clock
from core.models import Event, Notice
from obligations import services as obligations
from obligations.models import Obligation, Suspension
from schools.models import AgreementParty, Programme
from schools.services.renewals import ENDED, NO_PROGRAMME, owe_renewals
from schools.tests.applying import agreement_for

LAST_DAY = dt.date(2020, 12, 31)


@pytest.fixture
def agreement(world):
    return agreement_for(world.level, world.school, valid_until=LAST_DAY, with_file=False)


def run(world, instant):
    world.at(instant)
    return owe_renewals(at=clock.now())


def duty(agreement):
    return Obligation.objects.get(kind="agreement", key=f"agreement-{agreement.pk}")


def facts():
    names = ("organization", "key", "title", "opens_at", "due_at", "outcome", "received_at", "exempt_reason")
    return sorted(map(str, Obligation.objects.filter(kind="agreement").values_list(*names)))


def test_it_is_owed_from_thirty_days_before_the_last_day_until_that_day_is_over(world, agreement):
    assert run(world, "2020-11-30T23:59:59+08:00").owed == 0
    assert run(world, "2020-12-01T00:00:00+08:00").owed == 1
    row = duty(agreement)
    assert (row.opens_at, row.due_at) == (clock.at(dt.date(2020, 12, 1)), clock.at(dt.date(2021, 1, 1)))
    assert (row.organization, row.outcome) == (world.school_org, "pending")
    assert row.link == f"/agreements/{agreement.pk}/"
    assert "鄂教职成办函〔2021〕7号 三.6" in Notice.objects.get(recipient=world.contact, link=row.link).text


def test_run_twice_it_does_nothing_more(world, agreement):
    run(world, "2020-12-01T08:00:00+08:00")
    before, told = facts(), Notice.objects.count()
    assert run(world, "2020-12-02T08:00:00+08:00") == (0, 0)
    assert (facts(), Notice.objects.count()) == (before, told)


@pytest.mark.parametrize(
    ("instant", "outcome"),
    [("2020-12-31T23:59:59.999999+08:00", "on_time"), ("2021-01-01T00:00:00+08:00", "late")],
)
def test_a_newer_agreement_meets_it_on_time_until_the_last_day_is_over(world, agreement, instant, outcome):
    run(world, "2020-12-01T08:00:00+08:00")
    at = world.at(instant)
    agreement_for(world.level, world.school, with_file=False)
    assert owe_renewals(at=clock.now()) == (0, 1)
    assert (duty(agreement).outcome, duty(agreement).received_at) == (outcome, at)
    assert Event.objects.get(action="renewal_settled").to_state == outcome


@pytest.mark.parametrize(
    "fields",
    [{"valid_until": LAST_DAY}, {"confirmed": False}, {"is_void": True, "voided": True}],
)
def test_what_does_not_go_on_beyond_it_does_not_meet_it(world, agreement, fields):
    run(world, "2020-12-01T08:00:00+08:00")
    if fields.pop("voided", False):
        signed = clock.today()
        fields |= {"signed_on": signed, "ended_on": signed, "ended_by": world.office}
    agreement_for(world.level, world.school, with_file=False, **fields)
    owe_renewals(at=clock.now())
    assert duty(agreement).outcome == "pending"


def test_one_that_is_followed_already_is_never_owed(world, agreement):
    agreement_for(world.level, world.school, with_file=False)
    assert run(world, "2020-12-15T08:00:00+08:00").owed == 0


def test_another_schools_or_levels_agreement_meets_nothing(world, agreement):
    run(world, "2020-12-01T08:00:00+08:00")
    agreement_for(world.level, world.other_school, with_file=False)
    owe_renewals(at=clock.now())
    assert duty(agreement).outcome == "pending"


def test_it_is_released_when_the_programme_or_the_agreement_ends(world, agreement):
    joint = agreement_for(world.level, world.other_school, valid_until=LAST_DAY, with_file=False)
    run(world, "2020-12-01T08:00:00+08:00")
    at = world.at("2020-12-03T08:00:00+08:00")
    Programme.objects.filter(pk=world.programme.pk).update(ended_at=at)
    AgreementParty.objects.filter(agreement=joint).update(
        left_on=clock.today(), left_by=world.other_contact, left_reason="强制培训"
    )
    assert owe_renewals(at=clock.now()) == (0, 2)
    assert (duty(agreement).outcome, duty(agreement).exempt_reason) == ("exempt", NO_PROGRAMME)
    assert (duty(joint).outcome, duty(joint).exempt_reason) == ("exempt", ENDED)


def test_without_a_running_programme_nothing_is_owed(world, agreement):
    Programme.objects.filter(pk=world.programme.pk).update(ended_at=clock.now())
    assert run(world, "2020-12-05T08:00:00+08:00") == (0, 0)


def test_after_weeks_of_silence_it_ends_where_daily_runs_would_have_ended(world, agreement):
    """Three schools: one renews in time, one late, one ends; compared with a run on each day."""
    third = world.add_school("第三所演示学校")
    late = agreement_for(world.level, world.other_school, valid_until=LAST_DAY, with_file=False)
    gone = agreement_for(world.level, third, valid_until=LAST_DAY, with_file=False)

    def live(every_day):
        world.at("2020-11-25T08:00:00+08:00")
        for day in range(1, 60):
            at = world.at(clock.now() + dt.timedelta(days=1))
            if day == 20:
                agreement_for(world.level, world.school, with_file=False)
            if day == 30:
                Programme.objects.filter(school=third).update(ended_at=at)
            if day == 45:
                agreement_for(world.level, world.other_school, with_file=False)
            if every_day or day == 59:
                owe_renewals(at=clock.now())
        found = facts()
        Obligation.objects.filter(kind="agreement").delete()
        AgreementParty.objects.exclude(agreement__in=[agreement, late, gone]).delete()
        Programme.objects.filter(school=third).update(ended_at=None)
        return found

    daily = live(every_day=True)
    assert sorted(word for row in daily for word in ("on_time", "late", "exempt") if f"'{word}'" in row) == [
        "exempt",
        "late",
        "on_time",
    ]
    assert live(every_day=False) == daily


def test_a_suspension_stops_reports_and_not_this(world, agreement):
    run(world, "2020-12-01T08:00:00+08:00")
    report = world.obligation
    Obligation.objects.filter(pk=report.pk).update(due_at=clock.at(dt.date(2020, 12, 20)), closes_at=None)
    obligations.suspend(
        kind=Suspension.Kind.EMERGENCY,
        organizations=[world.school_org],
        scope_label="太原演示职业学校",
        starts_at=clock.now(),
        ends_at=clock.at(dt.date(2021, 1, 15)),
        reason="疫情防控",
        by=world.office,
        at=clock.now(),
    )
    report.refresh_from_db()
    assert (report.outcome, duty(agreement).outcome) == ("exempt", "pending")


def test_it_loads_what_the_expiring_agreements_rest_on_and_no_more(world, agreement):
    other_level = world.level.certificate.levels.create(level=3)
    world.add_programme(world.school, other_level)
    agreement_for(other_level, world.school, with_file=False)
    agreement_for(world.level, world.other_school, with_file=False)
    world.at("2020-12-01T08:00:00+08:00")
    loaded = []

    def note(instance, **kwargs):
        loaded.append(instance)

    for model in (Programme, AgreementParty):
        post_init.connect(note, sender=model)
    try:
        owe_renewals(at=clock.now())
    finally:
        for model in (Programme, AgreementParty):
            post_init.disconnect(note, sender=model)
    assert loaded == [agreement.parties.get(), world.programme]


def test_the_number_of_queries_does_not_grow(world, agreement):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            owe_renewals(at=clock.now())
        return len(captured)

    world.at("2020-12-01T08:00:00+08:00")
    first = queries()
    Obligation.objects.filter(kind="agreement").delete()
    Notice.objects.all().delete()
    for number in range(3):
        school = world.add_school(f"第{number}所演示学校")
        agreement_for(world.level, school, valid_until=LAST_DAY, with_file=False)
    assert queries() == first <= 12
