"""The same entry pressed twice at once, on PostgreSQL: one stands, the other is refused in plain words."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError

from core import clock
from core.tests.races import together
from evaluators.models import Charge, Qualification, SchoolPlace, Teacher, Trainer, TrainingRule
from evaluators.services import charges, coverage, teachers
from evaluators.tests.activity_rows import qualify, teacher, trainer

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def tomorrows_rule(world):
    fields = {"effective_from": clock.today() + dt.timedelta(days=1), "students_per_trainer": 80}
    return teachers.set_rule(fields=fields, by=world.office, at=clock.now())


def charge(world):
    return charges.give(
        evaluator=world.evaluator, coordinator=world.coordinator, by=world.office, at=clock.now()
    )


def refused_or_done(work):
    """The words of a refusal; "" of what was done."""
    try:
        work()
    except ValidationError as refusal:
        return " ".join(refusal.messages)
    return ""


@pytest.mark.parametrize(
    ("enter", "model", "words"),
    [
        (teacher, Teacher, "本校已有这个工号。"),
        (trainer, Trainer, "这位专家已在团队中。"),
        (tomorrows_rule, TrainingRule, "当日已有一条规则。"),
        (charge, Charge, "这位对接专员已经负责该评价组织。"),
    ],
)
def test_one_stands_and_the_others_are_refused(world, enter, model, words):
    told = together(*[lambda: refused_or_done(lambda: enter(world))] * 4)
    assert sorted(told) == ["", words, words, words]
    assert model.objects.count() == 1


def test_a_qualification_is_held_once(world):
    person = teacher(world)
    told = together(*[lambda: refused_or_done(lambda: qualify(world, person))] * 8)
    words = "这位教师已登记这个等级的这种资格，请修改原有的一条。"
    assert sorted(told) == ["", *[words] * 7]
    assert Qualification.objects.count() == 1


def test_teachers_changed_to_one_number_at_once(world):
    people = [teacher(world, number=number) for number in "甲乙丁戊己庚"]

    def renumber(person):
        return lambda: teachers.change_teacher(
            person, fields={"staff_number": "丙"}, by=world.contact, at=clock.now()
        )

    told = together(*[lambda person=person: refused_or_done(renumber(person)) for person in people])
    assert sorted(told) == ["", *["本校已有这个工号。"] * 5]


def test_a_place_set_twice_at_once_is_one(world):
    fields = {"county": None, "latitude": None, "longitude": None}
    together(*[lambda: coverage.set_place(fields=fields, by=world.contact, at=clock.now())] * 4)
    assert SchoolPlace.objects.count() == 1
