"""In a real browser: 公示, a stranger's objection by phone, the answer, 公布, and the school's new duty."""

import datetime as dt
import os
import re

import pytest
from playwright.sync_api import expect

from schools.models import ApplicationItem, Objection
from schools.tests.builders import make_application, make_item, make_round

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WIDE, PHONE = (1440, 900), (390, 844)
SHOTS = os.environ.get("SHOTS", "")
State = ApplicationItem.State


def looks(page, name):
    """No page is wider than its window; a picture of it where SHOTS names a folder."""
    page.wait_for_load_state("networkidle")
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}-{width}.png", full_page=True)


@pytest.fixture
def stranger(chromium):
    """A window that is signed in as nobody; scripts as asked for."""
    contexts = []

    def open_one(scripts):
        contexts.append(
            chromium.new_context(
                viewport={"width": PHONE[0], "height": PHONE[1]}, locale="zh-CN", java_script_enabled=scripts
            )
        )
        return contexts[-1].new_page()

    yield open_one
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_from_the_decision_to_the_schools_new_duty(world, live_server, visit, stranger, scripts):
    round_ = make_round()
    make_item(make_application(round_, world.school), world.level, state=State.APPROVED)
    make_item(make_application(round_, world.other_school), world.level, state=State.APPROVED)

    office = visit(world.office, WIDE, scripts)
    office.goto(f"{live_server.url}/publications/")
    looks(office, "manage")
    office.click(f"text={round_}")
    office.click("a:has-text('公示结果')")
    office.fill("#id_starts_on", "2020-11-18")
    office.fill("#id_ends_on", "2020-11-24")
    office.fill("#id_text", "根据审核结果，现将试点院校和证书名单予以公示。")
    looks(office, "propose")
    office.click("main button:has-text('预览')")
    expect(office.locator("main")).to_contain_text("2 所院校，2 个试点项目")
    looks(office, "preview")
    office.click("button:has-text('确认公示')")
    expect(office.locator("main")).to_contain_text("公示至11月24日（星期二）（含当日）")
    looks(office, "round")

    public = stranger(scripts)
    public.goto(f"{live_server.url}/lists/")
    looks(public, "lists")
    public.click(f"text={round_}结果公示")
    expect(public.locator("main")).to_contain_text("太原演示职业学校")
    looks(public, "list")
    public.click("main a:has-text('提出异议')")
    public.select_option("#id_school", world.school_org.code, force=True)
    public.fill("#id_text", "该校没有实训场地。")
    public.fill("#id_name", "某某学会")
    public.fill("#id_contact", "13812345678")
    looks(public, "object")
    public.click("button:has-text('提交异议')")
    receipt = public.locator(".receipt-number").inner_text()
    assert re.fullmatch(r"YY20201118-[0-9A-Z]{6}", receipt)
    looks(public, "objected")

    office.goto(f"{live_server.url}/publications/objections/?state=open")
    looks(office, "objections")
    office.click(f"text={receipt}")
    expect(office.locator("main")).not_to_contain_text("13812345678")
    looks(office, "objection")
    office.click("a:has-text('答复')")
    office.check("text=异议不成立")
    office.fill("#id_answer", "已实地核实，场地具备。")
    office.click("main button:has-text('答复异议')")
    expect(office.locator("main")).to_contain_text("已实地核实")
    assert Objection.objects.get().state == "rejected"

    public.click("text=查询办理情况")
    public.fill("#id_receipt", receipt)
    public.fill("#id_contact", "13812345678")
    public.click("main button:has-text('查询')")
    expect(public.locator("main")).to_contain_text("已实地核实，场地具备。")
    looks(public, "follow")

    world.at(dt.datetime.fromisoformat("2020-11-25T00:00:00+08:00"))
    office = visit(world.office, PHONE, scripts)
    office.goto(f"{live_server.url}/publications/rounds/{round_.pk}/")
    looks(office, "round-over")
    office.click("a:has-text('公布结果')")
    office.click("main button:has-text('预览')")
    looks(office, "preview-final")
    office.click("button:has-text('确认公布')")
    expect(office.locator("main")).to_contain_text("名单已公布")
    looks(office, "round-done")

    school = visit(world.contact, PHONE, scripts)
    school.goto(live_server.url)
    todo = school.locator(".tasks li", has_text="院校备案")
    expect(todo).to_contain_text("12月25日（星期五）24:00")
    expect(todo.locator("a:has-text('去办理')")).to_have_attribute("href", re.compile("filings"))
    looks(school, "duty")

    public.goto(f"{live_server.url}/lists/")
    public.click(f"h3 a:text-is('{round_}结果名单')")
    looks(public, "final")
