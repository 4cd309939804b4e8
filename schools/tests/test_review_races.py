"""Two officers at once, on PostgreSQL: one decision stands, and what it brings about happens once."""

import datetime as dt
import threading
import time

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import PilotMembership
from accounts.services import end_membership
from core import clock
from core.models import Event
from core.tests.races import together
from core.workflow import NotNow
from schools.models import Programme
from schools.services import applications, reviews, start_programme
from schools.tests.applying import filled
from schools.tests.reviewing import handed_in, hubei_round, new_level

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def decide(action, items, by):
    """The decision as work for a thread; a refusal gives its words."""

    def work():
        try:
            return reviews.decide_many(
                action=action, items=[i.pk for i in items], by=by, at=clock.now(), comment="见附件"
            )
        except NotNow as refusal:
            return str(refusal)

    return work


@pytest.fixture
def items(world):
    world.at("2021-05-26T10:00:00+08:00")
    return handed_in(hubei_round(), world.school, [new_level(world, n) for n in range(3)])


def test_one_approves_while_another_rejects(world, items):
    results = together(
        decide("item_approve", items, world.office), decide("item_reject", items[::-1], world.office2)
    )
    [refused] = [result for result in results if isinstance(result, str)]
    assert "现在是“" in refused
    states = set(type(items[0]).objects.values_list("state", flat=True))
    assert len(states) == 1
    begun = Programme.objects.filter(origin__in=items).count()
    assert begun == (3 if states == {"approved"} else 0)
    decisions = Event.objects.filter(action__in=["item_approve", "item_reject"])
    assert decisions.count() == 3


def test_the_same_approval_twice_begins_everything_once(world, items):
    results = together(*[decide("item_approve", items, by) for by in (world.office, world.office2)])
    assert sorted(type(result).__name__ for result in results) == ["list", "str"]
    assert Programme.objects.filter(origin__in=items).count() == 3


def test_two_items_of_one_school_approved_at_once_make_it_join_once(world, items):
    world.school.organization.memberships.update(left_at=clock.now() - dt.timedelta(days=1))
    results = together(
        decide("item_approve", items[:1], world.office), decide("item_approve", items[1:], world.office2)
    )
    assert all(isinstance(result, list) for result in results), results
    assert PilotMembership.objects.filter(organization=world.school_org, left_at=None).count() == 1
    assert Programme.objects.filter(origin__in=items).count() == 3


@pytest.mark.parametrize("what", ["approval", "handing in"])
def test_a_school_that_is_put_out_meanwhile_is_neither_approved_nor_heard(world, items, what):
    """Whoever comes second waits for the first, and only then asks whether the school is in the pilot: then, and
    not when the request came in, a second before the school left."""
    [item, *_] = items
    world.at(clock.now() + dt.timedelta(hours=1))
    if what == "handing in":
        typed = filled(item, agreement=str(item.agreement_id), planned_new="41")
        type(item).objects.filter(pk=item.pk).update(
            state="returned", returned_from="first_reviewed", draft=typed
        )
        token = applications.token_of(applications.waiting_items(item.application, clock.now()))
    held, at = threading.Event(), clock.now()
    left_at = world.at(at + dt.timedelta(seconds=1))

    def put_out():
        with transaction.atomic():
            end_membership(organization=world.school_org, at=left_at, by=world.office, reason="取消试点资格")
            held.set()
            time.sleep(0.4)

    def second():
        held.wait(timeout=20)
        try:
            if what == "approval":
                return reviews.decide_many(action="item_approve", items=[item.pk], by=world.office2, at=at)
            return applications.submit_application(
                application=item.application, token=token, by=world.contact, at=at
            )
        except NotNow as refusal:
            return str(refusal)

    _, refused = together(put_out, second)
    assert "退出试点" in refused
    assert not Programme.objects.filter(origin=item).exists()


def test_two_officers_begin_the_same_programme_at_once_and_one_is_told(world):
    level = new_level(world)

    def start(by):
        def work():
            try:
                start_programme(school=world.school, level=level, by=by, at=clock.now())
            except ValidationError as refusal:
                return refusal.messages
            return "begun"

        return work

    results = together(start(world.office), start(world.office2))
    assert sorted(results, key=str) == [["该校已有此证书等级的试点项目。"], "begun"]
    assert Programme.objects.filter(school=world.school, certificate_level=level).count() == 1
