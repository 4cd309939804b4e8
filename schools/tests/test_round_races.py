"""Races between real connections, on PostgreSQL, over what a round makes owed."""

from contextlib import suppress

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from core.tests.races import together
from obligations.models import Obligation
from schools.models import ApplicationItem, ApplicationRound, Closings, RoundExtension
from schools.services import duties
from schools.services.extensions import extend
from schools.tests.builders import make_application, make_item
from schools.tests.hubei import CITY, PROVINCE, SCHOOL, hand_in, hubei, sh

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

LATER = sh("2021-05-27T00:00:00")


@pytest.fixture
def world(transactional_db, world):
    return world


@pytest.fixture
def round(world):
    return hubei(world)


def test_an_extension_and_the_lapse_at_once_leave_the_draft_owed(world, round):
    schools = [world.school, *(world.add_school(f"太原第{n}职业学校") for n in range(20))]
    for school in schools:
        duties.applicant(make_application(round, school), at=round.opens_at)
    world.at(SCHOOL)

    def put_off():
        closings = Closings(LATER, CITY, PROVINCE)
        extend(round=round, organization=None, closings=closings, reason="停电", by=world.office, at=SCHOOL)

    together(put_off, lambda: duties.lapse(SCHOOL), lambda: duties.lapse(SCHOOL))
    owed = Obligation.objects.filter(kind="application")
    assert set(owed.values_list("outcome", "due_at")) == {("pending", LATER)}


def test_two_officers_who_review_one_application_at_once_fulfil_it(world, round):
    application = make_application(round, world.school, reviewer=world.bureau)
    items = [
        make_item(application, world.level.certificate.levels.get_or_create(level=n)[0], state="draft")
        for n in (1, 2, 3)
    ]
    world.at(round.opens_at)
    hand_in(world.contact, application)

    def review(item):
        with transaction.atomic():
            ApplicationItem.objects.filter(pk=item.pk).update(state="first_reviewed")
            duties.reviewed([application], at=round.opens_at)

    together(*(lambda item=item: review(item) for item in items))
    assert Obligation.objects.get(kind="first_review").outcome == "on_time"
    assert Obligation.objects.get(kind="approval").outcome == "pending"


def test_two_extensions_at_once_stand_in_a_row_and_the_latest_wins(world, round):
    def put_off(day):
        closings = Closings(sh(f"2021-05-{day}T00:00:00"), CITY, PROVINCE)
        with suppress(ValidationError):
            extend(
                round=round,
                organization=None,
                closings=closings,
                reason="雨",
                by=world.office,
                at=round.opens_at,
            )

    together(lambda: put_off(26), lambda: put_off(27), lambda: put_off(26))
    steps = list(RoundExtension.objects.order_by("pk").values_list("school_closes_at", flat=True))
    assert steps == sorted(set(steps))
    assert round.closings_of(world.school_org.pk).school == LATER


def test_two_officers_open_the_same_batch_at_once_and_one_is_told(world):
    said = []

    def opening():
        try:
            hubei(world)
        except ValidationError as refusal:
            said.append(str(refusal))

    together(opening, opening)
    assert ApplicationRound.objects.count() == 1
    assert len(said) == 1
