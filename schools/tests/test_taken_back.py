"""Taking an approval back where another round's approval or application rests on the same school."""

import datetime as dt

import pytest

from core import clock
from schools.models import Programme
from schools.services import approvals, duties
from schools.tests.builders import make_application
from schools.tests.reviewing import handed_in, hubei_round, new_level
from schools.workflow import review


@pytest.fixture
def level(world):
    world.at("2021-05-26T10:00:00+08:00")
    return new_level(world)


@pytest.fixture
def direct(world, level):
    return handed_in(hubei_round(), world.school, [level])[0]


def run(action, item, by, **data):
    return review.run(action, item, by=by, at=clock.now(), **data)


def later(world):
    return world.at(clock.now() + dt.timedelta(minutes=5))


def running(item):
    return Programme.objects.filter(
        school=item.application.school, certificate_level=item.certificate_level, ended_at=None
    )


def test_a_programme_that_another_rounds_approval_plans_for_goes_on(world, direct, level):
    """And it ends with the last approval that carries it."""
    run("item_approve", direct, world.office)
    later(world)
    [second] = handed_in(hubei_round(number=2), world.school, [level], is_renewal=True)
    run("item_approve", second, world.office)
    later(world)
    assert "结束" not in "".join(approvals.foreseen_back([direct])[direct.pk])
    run("item_reconsider", direct, world.office, comment="名额核减")
    programme = running(direct).get()
    assert (programme.origin, programme.plans.get(year=2021).source) == (second, second)
    later(world)
    assert "结束" in "".join(approvals.foreseen_back([second])[second.pk])
    run("item_reconsider", second, world.office, comment="名额核减")
    assert not running(direct).exists()


def test_a_school_that_leaves_the_pilot_by_it_still_owes_what_it_has_begun_elsewhere(world, direct):
    world.school_org.memberships.update(left_at=clock.now() - dt.timedelta(days=30))
    Programme.objects.filter(school=world.school).delete()
    run("item_approve", direct, world.office)
    later(world)
    duty = duties.applicant(make_application(hubei_round(number=2), world.school), at=clock.now())
    type(duty).objects.filter(pk=duty.pk).update(due_at=clock.now() + dt.timedelta(days=1))
    run("item_reconsider", direct, world.office, comment="名额核减")
    assert not world.school_org.memberships.filter(left_at=None).exists()
    duty.refresh_from_db()
    assert (duty.outcome, duty.exempt_reason) == ("pending", "")
