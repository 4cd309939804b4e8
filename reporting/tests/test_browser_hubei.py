"""Hubei's calendar of 2021 in a real browser, from the office's opening to the school's weekly form."""

import datetime as dt
import os

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from core import clock
from reporting.tests.spring import begin, four
from schools.models import ApplicationRound, Programme
from schools.tests.hubei import CITY, OPENS, PROVINCE, SCHOOL, sh

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WIDE, PHONE = (1440, 900), (390, 844)
SECOND = dt.timedelta(seconds=1)
SHOTS = os.environ.get("SHOTS", "")


class Journey:
    """Each step in a window of its own: weeks lie between them, and sessions end."""

    def __init__(self, world, live_server, visit):
        self.world, self.server, self.visit = world, live_server, visit

    def open(self, user, name, *args, at=None):
        if at:
            self.world.at(at)
        officers = {"office", "city_bureau"}
        page = self.visit(user, WIDE if user.role in officers else PHONE)
        page.goto(self.server.url + reverse(name, args=args))
        return page

    def looks(self, page, name):
        """No page is wider than its window; a picture of it where SHOTS names a folder."""
        page.wait_for_load_state("networkidle")
        width = page.viewport_size["width"]
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/hubei-{name}-{width}.png", full_page=True)

    def says(self, page, *words):
        for text in words:
            expect(page.locator("main")).to_contain_text(text)


@pytest.fixture
def journey(world, live_server, visit):
    four(world)
    return Journey(world, live_server, visit)


def test_from_the_office_opening_to_the_weekly_form(journey):
    world = journey.world
    round = open_round(journey)
    world.at(OPENS)
    college, school, late, silent = (begin(world, round, one) for one in world.people)
    hand_in(journey, college, at=SCHOOL - dt.timedelta(hours=9))
    hand_in(journey, school, at=SCHOOL - SECOND)
    refused(journey, late, silent)
    extended(journey, round)
    hand_in(journey, late, at=SCHOOL + dt.timedelta(days=1))
    still = journey.open(world.silent_contact, "applications:detail", silent.pk)
    journey.says(still, "5月24日（星期一）24:00截止")
    reviewed(journey, college, school)
    published(journey, round)
    in_the_weekly_form(journey)


def open_round(journey):
    """The day before: the calendar typed, checked, confirmed."""
    page = journey.open(journey.world.office, "rounds:list", at=sh("2021-05-13T09:00:00"))
    page.click("main >> text=发布申报批次")
    page.fill("#id_document", "鄂教职成办函〔2021〕7号")
    for name, text in [
        ("opens_at", "2021-05-14T00:00"),
        ("school_closes_at", "2021-05-25T00:00"),
        ("city_closes_at", "2021-05-28T00:00"),
        ("province_closes_at", "2021-06-01T00:00"),
    ]:
        page.fill(f"#id_{name}", text)
    page.click("text=套用湖北口径")
    page.click("main >> text=预览")
    spans = ("5月24日（星期一）24:00", "5月27日（星期四）24:00", "5月31日（星期一）24:00")
    journey.says(page, *spans)
    journey.looks(page, "round")
    page.click("text=确认发布")
    journey.says(page, "2021年第1批试点申报")
    return ApplicationRound.objects.get()


def hand_in(journey, application, *, at):
    user = journey.world.people[application.school]
    page = journey.open(user, "applications:detail", application.pk, at=at)
    page.click("text=下一步：检查并提交")
    page.click("button:has-text('提交')")
    expect(page.locator(".receipt-number")).to_be_visible()
    journey.looks(page, f"receipt-{user.username}")


def refused(journey, late, silent):
    """Both had the check before them a second too long."""
    for application in (late, silent):
        user = journey.world.people[application.school]
        page = journey.open(user, "applications:check", application.pk, at=SCHOOL - SECOND)
        journey.world.at(SCHOOL)
        page.click("button:has-text('提交')")
        journey.says(page, "5月24日（星期一）24:00截止（鄂教职成办函〔2021〕7号）", "请联系省推进办")
        journey.looks(page, f"refused-{user.username}")


def extended(journey, round):
    page = journey.open(journey.world.office, "rounds:extend", round.pk, at=SCHOOL + dt.timedelta(hours=9))
    page.fill("#id_organization-ts-control", "长治演示")
    page.click(".ts-dropdown .option >> text=长治演示职业学校")
    page.fill("#id_school_closes_at", "2021-05-27T00:00")
    page.fill("#id_reason", "学校停电两天")
    page.click("main >> text=预览")
    journey.says(page, "只对长治演示职业学校有效", "5月26日（星期三）24:00")
    journey.looks(page, "extension")
    page.click("text=确认延期")
    journey.says(page, "学校停电两天")


def reviewed(journey, college, school):
    """The college goes straight to the province; the secondary school not before its city has spoken."""
    world = journey.world
    early = journey.open(world.office, "reviews:queue")
    early.goto(early.url + "?state=submitted")
    early.check(f"input[name=item][value='{school.items.get().pk}']")
    early.click(".decide-acts button:text-is('批准')")
    journey.says(early, "须先经太原市教育局初审，不能越过（晋教职成〔2020〕9号 三.1")
    journey.looks(early, "passed-over")
    straight = journey.open(world.office, "reviews:item", college.items.get().pk)
    journey.says(straight, "直接报省级审核")
    city = journey.open(world.city_officer, "reviews:queue", at=CITY - SECOND)
    expect(city.locator("main")).not_to_contain_text("山西演示职业学院")
    decide(journey, city, "初审通过", 1)
    office = journey.open(world.office, "reviews:queue", at=PROVINCE - SECOND)
    journey.says(office, "山西演示职业学院", "太原演示职业学校")
    journey.looks(office, "queue")
    decide(journey, office, "批准", 2)


def decide(journey, page, label, count):
    page.check("input[name=everything]")
    page.click(f".decide-acts button:text-is('{label}')")
    page.click(f"button:has-text('{label} {count} 项')")
    journey.says(page, f"已办理：{label} {count} 项")


def published(journey, round):
    """公示 for a week, no objection, 公布; the late school's item was not reviewed and stays out."""
    office = journey.world.office
    page = journey.open(office, "publications:propose", round.pk, at=sh("2021-06-01T09:00:00"))
    page.fill("#id_starts_on", "2021-06-01")
    page.fill("#id_ends_on", "2021-06-07")
    page.check("#id_despite_waiting")
    page.click("main button:has-text('预览')")
    journey.says(page, "2 所院校，2 个试点项目")
    journey.looks(page, "proposed")
    page.click("button:has-text('确认公示')")
    journey.says(page, "公示至6月7日（星期一）（含当日），期满后才能公布")
    page = journey.open(office, "publications:publish", round.pk, at=sh("2021-06-08T00:00:00"))
    page.check("#id_despite_waiting")
    page.click("main button:has-text('预览')")
    page.click("button:has-text('确认公布')")
    journey.says(page, "名单已公布")
    journey.looks(page, "published")


def in_the_weekly_form(journey):
    """One month for the filing; the programme with its plan in the next week's report."""
    world = journey.world
    world.at("2021-06-16T09:00:00+08:00")
    world.add_week("2021-W24")
    for school in (world.college, world.school):
        user = world.people[school]
        home = journey.open(user, "home")
        todo = home.locator(".tasks li", has_text="院校备案")
        expect(todo).to_contain_text("7月8日（星期四）24:00")
        journey.looks(home, f"home-{user.username}")
        programme = Programme.objects.get(school=school, certificate_level=world.level)
        page = journey.open(user, "reporting:edit", world.owed(school, "2021-W24").pk)
        expect(page.locator(f"#id_p{programme.pk}-in_training")).to_be_visible()
        journey.says(page, str(programme))
        journey.looks(page, f"weekly-{user.username}")
    assert clock.now() == sh("2021-06-16T09:00:00")
