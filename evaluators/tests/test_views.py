"""The evaluator's page: its certificates, and the schools in the viewer's scope."""

import pytest
from django.urls import reverse

from accounts.models import Organization, Role
from core import clock
from evaluators.models import Evaluator
from evaluators.services import charges


def page(world):
    return reverse("evaluators:detail", args=[world.evaluator_org.pk])


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("office", 200),
        ("auditor", 200),
        ("finance", 200),
        ("city_officer", 200),
        ("evaluator_officer", 200),
        ("contact", 200),
        ("leader", 200),
        ("expert", 404),
        ("learner", 404),
    ],
)
def test_who_may_see_it(world, client_for, who, status):
    assert client_for(getattr(world, who)).get(page(world)).status_code == status


def test_a_school_sees_those_of_its_own_programmes_without_charges_and_filings(world, client_for):
    other = Organization.objects.create(kind="evaluator", name="另一评价组织", code="E2")
    Evaluator.objects.create(organization=other)
    charges.give(evaluator=world.evaluator, coordinator=world.coordinator, by=world.office, at=clock.now())
    client = client_for(world.contact)
    shown = client.get(page(world)).context
    assert [school["name"] for school in shown["schools"]] == [world.school_org.name]
    assert not any(shown[name] for name in ("charges", "filings", "panels"))
    assert client.get(reverse("evaluators:detail", args=[other.pk])).status_code == 404
    assert client.get(reverse("evaluators:charge", args=[world.evaluator.pk])).status_code == 403
    assert page(world) in client.get(reverse("schools:detail", args=[world.school.pk])).content.decode()


def test_another_evaluator_is_a_stranger(world, client_for):
    other = Organization.objects.create(kind="evaluator", name="另一评价组织", code="E2")
    officer = world.add_user(Role.EVALUATOR, other, "other_evaluator")
    assert client_for(officer).get(page(world)).status_code == 404


def test_it_counts_schools_and_this_years_plans_within_scope(world, client_for):
    world.add_programme(world.school, world.certificate.levels.create(level=3))
    world.programme.plans.create(year=2021, candidates=999)
    context = client_for(world.evaluator_officer).get(page(world)).context
    assert [(row["level"].level, row["schools"], row["planned"]) for row in context["levels"]] == [
        (2, 2, 200),
        (3, 1, 100),
    ]
    assert context["planned"] == 300

    mine = client_for(world.city_officer).get(page(world)).context
    assert [(school["name"], school["levels"], school["planned"]) for school in mine["schools"]] == [
        (world.school_org.name, 2, 200)
    ]
    assert [row["planned"] for row in mine["levels"]] == [100, 100]


def test_it_asks_the_database_the_same_for_one_and_for_many(world, client_for, django_assert_num_queries):
    client = client_for(world.office)
    client.get(page(world))
    for more in (0, 3):
        for number in range(more):
            world.add_school(f"又一所{number}")
        with django_assert_num_queries(16):
            client.get(page(world))
