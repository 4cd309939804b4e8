"""The weekly report lists exactly the active programmes; what was typed of one that fell asleep is kept."""

import datetime as dt
import re

import pytest
from django.urls import reverse

from certificates.models import CertificateLevel
from core import clock
from reporting import content as shape
from reporting.models import ReportVersion, WeeklyReport
from reporting.services import save_draft
from reporting.sheet import sheet_for
from reporting.tests.weekly import file, typed
from schools.models import AnnualPlan
from schools.services import end_programme


def edit(client, obligation):
    return client.get(reverse("reporting:edit", args=[obligation.pk])).content.decode()


def second_programme(world, *years):
    level = CertificateLevel.objects.create(certificate=world.certificate, level=3)
    programme = world.add_programme(world.school, level)
    programme.plans.all().delete()
    for year in years:
        AnnualPlan.objects.create(programme=programme, year=year, candidates=10)
    return programme


def listed(obligation):
    sheet = sheet_for(obligation)
    return sorted(map(int, sheet.names)), [p.pk for p in sheet.dormant]


def test_without_a_plan_for_the_year_a_programme_is_not_listed_but_said(world, client_for):
    asleep = second_programme(world, 2019, 2021)
    assert listed(world.obligation) == ([world.programme.pk], [asleep.pk])
    shown = edit(client_for(world.contact), world.obligation)
    assert f"p{world.programme.pk}-in_training" in shown
    assert f"p{asleep.pk}-in_training" not in shown
    assert "休眠，本期不填" in shown
    assert f"/programmes/{asleep.pk}/" in shown
    assert "申报本年度计划" in shown


def test_a_plan_set_in_the_week_brings_its_programme_into_the_report(world, client_for):
    asleep = second_programme(world)
    client = client_for(world.contact)
    client.post(reverse("reporting:edit", args=[world.obligation.pk]), typed(world) | {"action": "check"})
    AnnualPlan.objects.create(programme=asleep, year=2020, candidates=10)
    assert listed(world.obligation) == ([world.programme.pk, asleep.pk], [])
    check = reverse("reporting:check", args=[world.obligation.pk])
    response = client.get(check, follow=True)
    assert response.redirect_chain
    assert "请填写，没有请填 0" in response.content.decode()
    assert not ReportVersion.objects.exists()


# The week of the label 2020-W53 goes from 28 December 2020 to 3 January 2021.


@pytest.mark.parametrize(("week", "year"), [("2020-W52", 2020), ("2020-W53", 2020), ("2021-W01", 2021)])
def test_the_year_is_that_of_the_weeks_label(world, week, year):
    later = second_programme(world, 2021)
    world.at("2020-12-31T23:59:59.999999+08:00")
    world.add_week("2020-W52")
    world.at("2021-01-08T12:00:00+08:00")
    for key in ("2020-W53", "2021-W01"):
        world.add_week(key)
    active, asleep = (world.programme, later) if year == 2020 else (later, world.programme)
    assert listed(world.owed(world.school, week)) == ([active.pk], [asleep.pk])


def test_an_ended_programme_stays_in_the_week_that_it_ended_in(world):
    world.add_week("2020-W48")
    end_programme(programme=world.programme, reason="停办", by=world.office, at=clock.now())
    assert listed(world.obligation) == ([world.programme.pk], [])
    assert listed(world.owed(world.school, "2020-W48")) == ([], [])
    world.programme.ended_at = world.obligation.opens_at
    world.programme.save()
    assert listed(world.obligation) == ([], [])
    world.programme.ended_at += dt.timedelta(microseconds=1)
    world.programme.save()
    assert listed(world.obligation) == ([world.programme.pk], [])


def test_a_draft_keeps_what_was_typed_of_a_programme_that_fell_asleep(world, client_for):
    other = second_programme(world, 2020)
    client = client_for(world.contact)
    mine = typed(world) | {shape.field_name(other.pk, figure.name): "7" for figure in shape.FIGURES}
    save_draft(obligation=world.obligation, typed=mine, revision=0, by=world.contact, at=clock.now())
    other.plans.all().delete()
    shown = edit(client, world.obligation)
    assert "草稿中仍留有" in shown
    assert "在训人数 7" in shown
    autosaved = client.post(
        reverse("reporting:draft", args=[world.obligation.pk]),
        typed(world, in_training="41") | {"revision": 1},
    )
    assert autosaved.json()["revision"] == 2
    draft = WeeklyReport.objects.get(pk=world.obligation.pk).draft
    assert draft[shape.field_name(world.programme.pk, "in_training")] == "41"
    assert draft[shape.field_name(other.pk, "in_training")] == "7"
    check = client.get(reverse("reporting:check", args=[world.obligation.pk])).content.decode()
    assert "不随本次报送" in check
    AnnualPlan.objects.create(programme=other, year=2020, candidates=10)
    back = edit(client, world.obligation)
    field = shape.field_name(other.pk, "in_training")
    assert re.search(rf'name="{field}"[^>]*value="7"|value="7"[^>]*name="{field}"', back)
    assert "休眠，本期不填" not in back


def test_a_report_sent_without_a_sleeping_programme_holds_the_active_ones_alone(world):
    other = second_programme(world)
    version = file(world)
    assert list(version.content["programmes"]) == [str(world.programme.pk)]
    assert version.figures.count() == 1
    assert not other.figures.exists()


def test_a_programme_that_wakes_up_begins_with_last_times_figures(world):
    world.add_week("2020-W46")
    file(world, world.owed(world.school, "2020-W46"))
    plan = world.programme.plans.get()
    plan.delete()
    blank = {name: "" for name in shape.field_names([])}
    save_draft(obligation=world.obligation, typed=blank, revision=0, by=world.contact, at=clock.now())
    AnnualPlan.objects.create(programme=world.programme, year=2020, candidates=10)
    report = WeeklyReport.objects.get(pk=world.obligation.pk)
    start = sheet_for(world.obligation).start(report)
    assert start[shape.field_name(world.programme.pk, "in_training")] == "40"


def test_the_homes_say_what_sleeps(world, client_for):
    world.programme.plans.all().delete()
    assert "没有本年度计划，周报不填" in client_for(world.contact).get("/").content.decode()
    office = client_for(world.office).get("/").content.decode()
    assert "<b>1</b>休眠项目" in office
    assert "<b>1</b>休眠项目" not in client_for(world.other_city_officer).get("/").content.decode()
    assert "（休眠 1）" in client_for(world.evaluator_officer).get("/").content.decode()
    assert "2021年度计划" not in office
    world.at("2020-12-01T00:00:00+08:00")
    assert "还没有2021年度计划" in client_for(world.contact).get("/").content.decode()
    assert "<b>2</b>项目还没有2021年度计划" in client_for(world.office).get("/").content.decode()
