"""The last place, wanted by two schools at once, on PostgreSQL: one gets it."""

import pytest
from django.core.exceptions import ValidationError

from core import clock
from core.tests.races import together
from evaluators.models import Activity, SignUp
from evaluators.services import signups
from evaluators.tests.activity_rows import file, rewrite, sign_up, teacher

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def wanting(activity, person, by):
    """Signing one up as work for a thread; a refusal gives its words."""

    def work():
        try:
            return sign_up(activity, person, by=by)
        except ValidationError as refusal:
            return " ".join(refusal.messages)

    return work


def test_one_of_two_schools_gets_the_last_place(world):
    activity = file(world, places=1)
    mine, theirs = teacher(world), teacher(world, by=world.other_contact)
    results = together(wanting(activity, mine, world.contact), wanting(activity, theirs, world.other_contact))
    [refused] = [result for result in results if isinstance(result, str)]
    assert "名额已满" in refused
    assert SignUp.objects.active().count() == 1


def test_places_taken_away_while_one_signs_up(world):
    activity = file(world, places=2)
    sign_up(activity, teacher(world, number="先"), by=world.contact)
    late = teacher(world, by=world.other_contact)

    def fewer():
        try:
            return rewrite(world, activity, places=1)
        except ValidationError as refusal:
            return " ".join(refusal.messages)

    together(wanting(activity, late, world.other_contact), fewer)
    activity.refresh_from_db()
    assert SignUp.objects.active().count() <= activity.places


def test_the_same_form_sent_twice_at_once_is_one_activity(world):
    together(lambda: file(world), lambda: file(world))
    assert Activity.objects.count() == 1


def test_cancelled_and_signed_up_again_at_once_is_one_row(world):
    activity, mine = file(world), teacher(world)
    [row] = sign_up(activity, mine, by=world.contact)
    together(
        lambda: signups.cancel_sign_up(row, by=world.contact, at=clock.now()),
        wanting(activity, mine, world.contact),
    )
    assert SignUp.objects.count() == 1
