"""The office opens Hubei's round on a phone and gives one school more time."""

import datetime as dt

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from schools.models import ApplicationRound, RoundExtension
from schools.tests.hubei import CITY, PROVINCE, SCHOOL, hubei, sh

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = (390, 844)


def fits(page):
    page.wait_for_load_state("load")
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("scripts", [True, False])
def test_open_a_round_and_extend_one_school(world, live_server, visit, scripts):
    world.at(sh("2021-05-13T09:00:00"))
    page = visit(world.office, PHONE, scripts)
    page.goto(live_server.url + reverse("rounds:list"))
    page.click("main >> text=发布申报批次")
    page.fill("#id_document", "鄂教职成办函〔2021〕7号")
    for name, text in [
        ("opens_at", "2021-05-14T00:00"),
        ("school_closes_at", "2021-05-25T00:00"),
        ("city_closes_at", "2021-05-28T00:00"),
        ("province_closes_at", "2021-06-01T00:00"),
    ]:
        page.fill(f"#id_{name}", text)
    page.click("text=套用山西口径")
    expect(page.locator("#id_document")).to_have_value("鄂教职成办函〔2021〕7号")
    expect(page.locator("#id_route_higher_vocational_province")).to_be_checked()
    page.click("text=套用湖北口径")
    expect(page.locator("#id_route_higher_vocational_province")).not_to_be_checked()
    expect(page.locator("#id_route_secondary_vocational_city")).to_be_checked()
    assert fits(page)
    page.click("main >> text=预览")
    expect(page.locator("main")).to_contain_text("5月24日（星期一）24:00")
    page.click("text=确认发布")
    expect(page.locator("main")).to_contain_text("2021年第1批试点申报")
    round = ApplicationRound.objects.get()
    assert round.closings == (SCHOOL, CITY, PROVINCE)
    assert fits(page)

    page.click("main >> text=2021年第1批试点申报")
    expect(page.locator("main")).to_contain_text("5月27日（星期四）24:00")
    assert fits(page)
    page.click("main >> text=延期")
    if scripts:
        page.fill("#id_organization-ts-control", "太原演示")
        page.click(".ts-dropdown .option >> text=太原演示职业学校")
    else:
        page.select_option("#id_organization", label="太原演示职业学校")
    page.fill("#id_school_closes_at", "2021-05-27T00:00")
    page.fill("#id_reason", "学校停电两天")
    page.click("main >> text=预览")
    expect(page.locator("main")).to_contain_text("只对太原演示职业学校有效")
    expect(page.locator("main")).to_contain_text("5月26日（星期三）24:00")
    assert fits(page)
    page.click("text=确认延期")
    expect(page.locator("main")).to_contain_text("学校停电两天")
    assert RoundExtension.objects.get().organization == world.school_org
    assert round.closings_of(world.school_org.pk).school == SCHOOL + dt.timedelta(days=2)
    assert round.closings_of(world.other_school_org.pk).school == SCHOOL

    page.goto(live_server.url + reverse("rounds:progress", args=[round.pk]))
    row = page.locator("tbody tr", has_text="太原演示职业学校")
    expect(row).to_contain_text("单独延期")
    assert fits(page)


def test_the_list_of_schools_stays_closed_once_one_is_chosen(world, live_server, visit):
    """However fast one types and clicks: a list that opens again takes the focus from what is filled in next."""
    round = hubei(world)
    page = visit(world.office)
    page.goto(live_server.url + reverse("rounds:extend", args=[round.pk]))
    page.clock.install()
    page.fill("#id_organization-ts-control", "太原演示")
    page.click(".ts-dropdown .option >> text=太原演示职业学校")
    page.click("#id_reason")
    page.clock.run_for(1000)
    expect(page.locator(".ts-dropdown")).to_be_hidden()
    expect(page.locator("#id_reason")).to_be_focused()
