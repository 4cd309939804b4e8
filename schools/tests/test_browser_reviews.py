"""The review in a real browser: the city recommends two and returns one, the office approves, the school runs it."""

import os

import pytest
from playwright.sync_api import expect

from schools.models import ApplicationItem, Programme
from schools.tests.reviewing import handed_in, hubei_round, new_level

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SIZES = [(1440, 900), (390, 844)]
SHOTS = os.environ.get("SHOTS", "")


def looks(page, name, size):
    """No page is wider than its window; a picture of it where SHOTS names a folder."""
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0], name
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}-{size[0]}.png", full_page=True)


def chosen(page, size, label, scripts):
    """On a phone all decisions but the first stand in a menu; without scripts it stands open."""
    if scripts and size[0] < 640:
        expect(page.locator(f"button:has-text('{label}')")).to_be_hidden()
        page.click(".decide-more summary")
    page.click(f"button:has-text('{label}')")


def names(level):
    return f"选择太原演示职业学校 {level}"


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("size", SIZES)
def test_from_the_citys_queue_to_the_programme(world, live_server, visit, size, scripts):
    world.at("2021-05-26T10:00:00+08:00")
    levels = [new_level(world, n) for n in range(3)]
    handed_in(hubei_round(), world.school, levels, reviewer=world.bureau)
    city, office = visit(world.city_officer, size, scripts), visit(world.office, size, scripts)

    city.goto(f"{live_server.url}/reviews/")
    looks(city, "queue", size)
    folded = scripts and size[0] < 640
    expect(city.locator(".filters")).to_be_visible(visible=not folded)
    if size[0] < 640:
        expect(city.locator(".fold summary")).to_have_text("筛选（2 项生效）")
        if scripts:
            assert city.locator(".decide-bar").bounding_box()["height"] < 60
    for level in levels[:2]:
        city.get_by_label(names(level)).check()
    if scripts:
        expect(city.locator("[data-ticked]")).to_have_text("已选 2 项")
    city.click("button:has-text('初审通过')")
    expect(city.locator("main")).to_contain_text("将对 1 所院校的 2 项办理“初审通过”")
    looks(city, "preview", size)
    city.click("button:has-text('初审通过 2 项')")
    expect(city.locator("main")).to_contain_text("已办理：初审通过 2 项")

    city.get_by_label(names(levels[2])).check()
    chosen(city, size, "初审退回修改", scripts)
    city.click("button:has-text('初审退回修改 1 项')")
    expect(city.locator(".error-summary")).to_contain_text("须写明理由")
    city.fill("#id_comment", "请补充实训设备清单")
    looks(city, "return", size)
    city.click("button:has-text('初审退回修改 1 项')")
    expect(city.locator("main")).to_contain_text("已办理：初审退回修改 1 项")

    office.goto(f"{live_server.url}/reviews/")
    office.click(f"a:has-text('{levels[0]}')")
    expect(office.locator("main")).to_contain_text("2020 年没有这个证书等级的计划，本次为新申报")
    looks(office, "item", size)
    office.click("a:has-text('太原演示职业学校') >> nth=0")
    looks(office, "application", size)
    office.goto(f"{live_server.url}/reviews/")
    office.check("input[name=everything]")
    office.click("button:has-text('批准') >> nth=0")
    expect(office.locator("main")).to_contain_text("开设试点项目；2021 年计划定为 40 人")
    looks(office, "approve", size)
    office.click("button:has-text('批准 2 项')")
    expect(office.locator("main")).to_contain_text("已办理：批准 2 项")

    office.goto(f"{live_server.url}/schools/{world.school.pk}/")
    for level in levels[:2]:
        expect(office.locator("main")).to_contain_text(str(level))
    round_ = ApplicationItem.objects.first().application.round_id
    office.goto(f"{live_server.url}/reviews/rounds/{round_}/decisions/")
    expect(office.locator("tbody tr:last-child")).to_contain_text("80")
    looks(office, "decisions", size)
    planned = Programme.objects.with_state(world.at("2021-05-26T10:01:00+08:00"), 2021).filter(state="active")
    assert set(planned) == set(Programme.objects.filter(origin__certificate_level__in=levels[:2]))
