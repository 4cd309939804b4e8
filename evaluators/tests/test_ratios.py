"""Trainers per student: 1:80 where the province asks for it."""

import datetime as dt
import io
import re

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from openpyxl import load_workbook

from core import clock
from evaluators.services import teachers
from evaluators.shares import ratios
from evaluators.tests.activity_rows import qualify, teacher
from schools.models import Programme
from schools.tests.builders import make_application, make_item, make_round

TODAY = dt.date(2020, 11, 18)
ONE = dt.timedelta(days=1)


def text(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def rule(world, students=80, day=TODAY):
    return teachers.set_rule(
        fields={"effective_from": day, "students_per_trainer": students}, by=world.office, at=clock.now()
    )


@pytest.mark.parametrize(("planned", "needed"), [(0, 0), (1, 1), (80, 1), (81, 2), (160, 2)])
def test_one_trainer_for_eighty_students(world, planned, needed):
    world.programme.plans.update(candidates=planned)
    assert not ratios(world.contact, TODAY)
    rule(world)
    [ratio] = ratios(world.contact, TODAY)
    assert (ratio.planned, ratio.needed, ratio.trainers, ratio.lacking) == (planned, needed, 0, needed)


def test_levels_of_a_certificate_count_together_and_each_teacher_once(world, client_for):
    higher = world.certificate.levels.create(level=3)
    world.add_programme(world.school, higher)
    rule(world)
    mine, examiner, gone = (teacher(world, number=f"T{n}") for n in range(3))
    qualify(world, mine)
    qualify(world, mine, certificate_level=higher)
    qualify(world, examiner, kind="examiner")
    qualify(world, gone)
    teachers.leave(gone, left_on=TODAY, by=world.contact, at=clock.now())
    [ratio] = ratios(world.contact, TODAY)
    assert (ratio.planned, ratio.needed, ratio.trainers, ratio.lacking) == (200, 3, 1, 2)
    page = client_for(world.contact).get(reverse("teachers:ratios"))
    assert "缺 2 人" in text(page)
    assert "每人计一次" in text(page)
    assert len(ratios(world.office, TODAY)) == 2
    assert len(ratios(world.city_officer, TODAY)) == 1


def test_ratios_are_searched_sorted_paged_and_exported(world, client_for):
    world.other_programme.plans.update(candidates=300)
    rule(world)
    qualify(world, teacher(world))
    qualify(world, teacher(world, number="T2"))
    client, address = client_for(world.office), reverse("teachers:ratios")

    def found(**query):
        return [row.record.school for row in client.get(address, query).context["table"].rows]

    # Those that lack most stand first.
    assert found() == [world.other_school, world.school]
    assert found(sort="lacking") == [world.school, world.other_school]
    assert found(q="太原") == found(lacking="no") == found(city=world.city.pk) == [world.school]
    assert found(lacking="yes") == [world.other_school]
    assert len(found(q=world.certificate.name)) == 2
    assert "1 项培训师不足" in text(client.get(address))
    exported = client.post(f"{address}?lacking=yes")
    [headings, row] = load_workbook(io.BytesIO(exported.content)).active.iter_rows(values_only=True)
    assert dict(zip(headings, row, strict=True)) == {
        "学校": "长治演示职业学校",
        "证书": world.certificate.name,
        "试点专业": "未登记",
        "本年拟考证人数": 300,
        "应有培训师": 4,
        "现有培训师": 0,
        "缺额": 4,
    }
    assert "city" not in client_for(world.contact).get(address).context["filter"].filters


def test_majors_are_those_of_the_approved_items_of_every_level(world, client_for):
    higher = world.add_programme(world.school, world.certificate.levels.create(level=3))
    application = make_application(make_round(), world.school)
    for programme, name in ((world.programme, "机电"), (higher, "软件")):
        item = make_item(application, programme.certificate_level, state="approved")
        item.majors.create(code="7101", name=name)
        Programme.objects.filter(pk=programme.pk).update(origin=item)
    rule(world)
    assert "机电、软件" in text(client_for(world.contact).get(reverse("teachers:ratios")))


def test_nothing_is_listed_where_the_province_does_not_ask(world, client_for):
    page = client_for(world.office).get(reverse("teachers:ratios"))
    assert (page.context["count"], page.context["filter"]) == (0, None)
    assert "本省未作要求。省里制定规则" in text(page)


def test_the_rule_is_dated_and_the_offices(world, client_for):
    with pytest.raises(PermissionDenied):
        teachers.set_rule(fields={"effective_from": TODAY}, by=world.contact, at=clock.now())
    with pytest.raises(ValidationError, match="不能早于今天"):
        rule(world, day=TODAY - ONE)
    coming = rule(world, day=TODAY + ONE)
    assert not ratios(world.office, TODAY)
    assert len(ratios(world.office, TODAY + ONE)) == 2
    client = client_for(world.office)
    assert client.post(reverse("teachers:rule-remove", args=[coming.pk])).status_code == 302
    begun = rule(world)
    client.post(reverse("teachers:rule-remove", args=[begun.pk]))
    with pytest.raises(ValidationError, match="已经生效"):
        teachers.remove_rule(begun, by=world.office, at=clock.now())
    rule(world, students=None, day=TODAY + ONE)
    assert not ratios(world.office, TODAY + ONE)
    statuses = [
        client_for(getattr(world, who)).get(reverse("teachers:ratios")).status_code
        for who in ("office", "contact", "city_officer", "evaluator_officer", "expert", "learner")
    ]
    assert statuses == [200, 200, 200, 403, 403, 403]
