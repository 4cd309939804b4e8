"""What is wrong with an entry is told in the words of the form, not in the framework's."""

import pytest
from django.urls import reverse

from core import clock
from evaluators.services import trainers
from evaluators.tests.activity_rows import file, sign_up, teacher, trainer
from evaluators.tests.siting import condition
from evaluators.tests.test_activity_pages import typed

LATITUDE = "纬度请填 -90 到 90 的数，最多五位小数，如 37.87059。"
FEE = "请填写金额，最多两位小数，如 300.00；不收费的填 0。"


def errors(client, address, given):
    response = client.post(address, given)
    assert response.status_code == 422
    return response.context["form"].errors


@pytest.mark.parametrize("latitude", ["37.870591234", "97", "北纬"])
def test_a_sites_position_and_places(world, client_for, latitude):
    condition(world)
    address = reverse("sites:apply", args=[world.certificate.pk])
    found = errors(client_for(world.contact), address, {"latitude": latitude, "places": "-1"})
    assert (found["latitude"], found["places"]) == ([LATITUDE], ["请填写考位的个数，至少为 1。"])


def test_a_school_without_a_city_chooses_its_county(world, client_for):
    type(world.school_org).objects.filter(pk=world.school_org.pk).update(city=None)
    assert errors(client_for(world.contact), reverse("sites:place"), {})["county"] == ["请选择县（市、区）。"]


def test_the_least_number_of_places(world, client_for):
    given = {"certificate": world.certificate.pk, "text": "机房两间", "minimum_places": "0"}
    found = errors(client_for(world.evaluator_officer), reverse("sites:condition-new"), given)
    assert found == {"minimum_places": ["请填写 1 到 100000 的整数；没有要求的填 1。"]}


def test_the_rule_of_little_used_sites(world, client_for):
    found = errors(client_for(world.office), reverse("sites:rule"), {"candidates_per_place": "0.555"})
    assert found["candidates_per_place"] == ["请填写 0.01 到 9999.99 的数，最多两位小数，如 0.50。"]


def test_an_activitys_numbers(world, client_for):
    given = typed(world, fee="300.555", places="0")
    found = errors(client_for(world.evaluator_officer), reverse("activities:new"), given)
    assert found == {"fee": [FEE], "places": ["请填写 1 到 100000 的整数；不限的不填。"]}


def test_a_trainer_who_has_left_meanwhile(world, client_for):
    person = trainer(world)
    trainers.leave(person, left_on=clock.today(), by=world.evaluator_officer, at=clock.now())
    given = typed(world, trainers=[str(person.pk)])
    found = errors(client_for(world.evaluator_officer), reverse("activities:new"), given)
    assert found == {"trainers": ["所选的专家有的已退出团队，请重新选择。"]}


def test_a_teacher_whom_a_colleague_signed_up_meanwhile(world, client_for):
    activity, mine = file(world, schools=[world.school]), teacher(world)
    sign_up(activity, mine, by=world.contact)
    address = reverse("activities:sign-up", args=[activity.pk])
    found = errors(client_for(world.contact), address, {"teachers": [str(mine.pk)]})
    assert found == {"teachers": ["所选的教师有的已报名或已离校，请在列出的教师中重新选择。"]}


def test_a_level_that_the_school_does_not_run(world, client_for):
    elsewhere = world.certificate.levels.create(level=3)
    given = {"certificate_level": elsewhere.pk, "kind": "trainer", "obtained_on": "2020-11-01"}
    address = reverse("teachers:qualify", args=[teacher(world).pk])
    found = errors(client_for(world.contact), address, given)
    assert found == {"certificate_level": ["本校没有开展这个证书等级的试点，请在列出的等级中选择。"]}


def test_the_numbers_of_the_provinces_rule(world, client_for):
    given = {"effective_from": "2020-12-01", "students_per_trainer": "0", "fee_per_day": "0"}
    assert errors(client_for(world.office), reverse("teachers:rule"), given) == {
        "students_per_trainer": ["请填写 1 到 1000 的整数，如 80；不作要求的不填。"],
        "fee_per_day": ["请填写大于 0 的金额，最多两位小数，如 200.00；没有的不填。"],
    }
