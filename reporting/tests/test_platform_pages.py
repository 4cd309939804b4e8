"""The national platform from the reports' side: differences, the source shown, a week as a file."""

import datetime as dt
import io

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from core import clock
from core.imports.services import undo
from core.models import Event
from obligations.tests.lists import row, take_in
from reporting.differences import differing
from reporting.platform_file import LAYOUT_IS_OURS
from reporting.sweep import sweep
from reporting.tests.weekly import file


def found(world, user=None):
    return {o.organization: o.difference for o in differing(user or world.office)}


def test_without_a_list_nothing_differs(world):
    file(world)
    assert found(world) == {}


def test_each_kind_of_difference_is_listed(world):
    world.at("2020-11-20T17:00:00+08:00")
    file(world)
    world.at("2020-11-21T09:00:00+08:00")
    take_in(world.office, row(world.other_school), periods=[world.period])
    assert found(world) == {world.school_org: "here_only", world.other_school_org: "there_only"}
    world.at("2020-11-21T10:00:00+08:00")
    take_in(
        world.office,
        row(world.other_school),
        row(world.school, at="2020-11-20 18:00"),
        periods=[world.period],
    )
    assert found(world) == {world.school_org: "sides", world.other_school_org: "there_only"}
    world.at("2020-11-21T11:00:00+08:00")
    take_in(world.office, row(world.school, at="2020-11-20 18:00"), periods=[world.period])
    assert found(world) == {world.school_org: "sides", world.other_school_org: "gone"}


def test_filed_on_both_in_time_is_no_difference(world):
    file(world)
    world.at("2020-11-21T09:00:00+08:00")
    take_in(world.office, row(world.school, at="2020-11-18 12:00"), periods=[world.period])
    assert found(world) == {}


def test_a_report_that_came_after_the_list_is_no_difference(world):
    take_in(world.office, periods=[world.period])
    world.at("2020-11-19T09:00:00+08:00")
    file(world)
    assert found(world) == {}


def test_an_undone_list_says_nothing(world):
    file(world)
    world.at("2020-11-19T09:00:00+08:00")
    job = take_in(world.office, periods=[world.period])
    assert found(world) == {world.school_org: "here_only"}
    undo(job=job, by=world.office, at=clock.now())
    assert found(world) == {}


def test_a_bureau_sees_the_differences_of_its_schools(world, client_for):
    world.at("2020-11-21T09:00:00+08:00")
    take_in(world.office, row(world.school), row(world.other_school), periods=[world.period])
    address = reverse("reporting:differences")
    page = client_for(world.city_officer).get(address).content.decode()
    assert "太原演示职业学校" in page
    assert "长治演示职业学校" not in page
    for name in ("contact", "finance", "evaluator_officer"):
        assert client_for(getattr(world, name)).get(address).status_code == 403
    office = client_for(world.office)
    assert office.get(address, {"difference": "there_only"}).context["count"] == 2
    assert office.get(address, {"difference": "gone"}).context["count"] == 0
    export = office.post(address + "?difference=there_only")
    cells = list(load_workbook(io.BytesIO(export.content)).active.values)
    assert len(cells) == 3
    assert "仅国家平台有" in cells[1]


def test_the_list_of_differences_asks_no_more_for_more(world, client_for, django_assert_max_num_queries):
    world.at("2020-11-21T09:00:00+08:00")
    schools = [world.school, world.other_school]
    for count in (1, 2):
        take_in(world.office, *(row(s) for s in schools[:count]), periods=[world.period])
        world.at(clock.now() + dt.timedelta(hours=1))
        client = client_for(world.office)
        with django_assert_max_num_queries(14):
            client.get(reverse("reporting:differences"))


def test_the_report_and_the_history_show_the_source(world, client_for):
    world.at("2020-11-21T09:00:00+08:00")
    take_in(world.office, row(world.school), periods=[world.period])
    client = client_for(world.contact)
    page = client.get(reverse("reporting:report", args=[world.obligation.pk])).content.decode()
    assert "来源为国家平台" in page
    assert "2020年11月19日 17:30:00" in page
    page = client.get(reverse("reporting:history", args=[world.school_org.pk])).content.decode()
    assert "国家平台" in page


def test_an_excuse_from_the_list_breaks_the_streak(world):
    for key in ("2020-W48", "2020-W49"):
        world.add_week(key)
    sweep(world.at("2020-12-01T09:00:00+08:00"))
    take_in(world.office, row(world.school), periods=[world.period])
    sweep(world.at("2020-12-08T09:00:00+08:00"))
    assert not world.school_org.cases.exists()
    assert world.other_school_org.cases.count() == 1


# --- a week as a file


def sheets(response):
    book = load_workbook(io.BytesIO(response.content))
    return {sheet.title: [list(values) for values in sheet.values] for sheet in book}


def test_the_file_has_the_current_version_with_ids_as_text(world, client_for):
    world.level.platform_id = "0012345678901234567"
    world.level.save()
    file(world)
    file(world, token="t2", problems="=场地不足", training_hours="40.5")
    address = reverse("reporting:platform-file", args=[world.obligation.pk])
    response = client_for(world.contact).post(address)
    found = sheets(response)
    headings, line = found["试点项目数据"]
    assert dict(zip(headings, line, strict=True))["国家平台编号"] == "0012345678901234567"
    assert dict(zip(headings, line, strict=True))["培训学时（学时，本年累计）"] == 40.5
    week = dict(found["周报内容"][1:])
    assert week["说明"] == LAYOUT_IS_OURS
    assert (week["学校代码"], week["存在问题"]) == (world.school_org.code, "=场地不足")
    assert Event.objects.about(world.obligation).get(action="platform_file_exported").changes["版本"] == 2


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("contact", 200),
        ("office", 200),
        ("city_officer", 200),
        ("leader", 403),
        ("auditor", 403),
        ("other_contact", 404),
        ("other_city_officer", 404),
        ("evaluator_officer", 404),
    ],
)
def test_who_takes_the_file(world, client_for, name, status):
    file(world)
    address = reverse("reporting:platform-file", args=[world.obligation.pk])
    assert client_for(getattr(world, name)).post(address).status_code == status
    assert client_for(getattr(world, name)).get(address).status_code == 405


def test_no_report_no_file(world, client_for):
    address = reverse("reporting:platform-file", args=[world.obligation.pk])
    assert client_for(world.contact).post(address).status_code == 404
