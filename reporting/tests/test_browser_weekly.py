"""The contact's Friday in a real browser: fill, lose the session, sign in, go on, send, receipt, correct."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from core import clock
from reporting.models import ReportVersion, WeeklyReport
from reporting.services import save_draft
from reporting.tests.weekly import file, typed

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SIZES = [(1440, 900), (390, 844)]
PASSWORD = "pilot-pass-2020"


def address(live_server, name, obligation):
    return live_server.url + reverse(f"reporting:{name}", args=[obligation.pk])


def figure(world, name):
    return f"#id_p{world.programme.pk}-{name}"


def sign_in(page, username):
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")


@pytest.mark.parametrize("size", SIZES)
def test_fill_lose_the_session_go_on_send_and_correct(world, live_server, visit, size):
    world.add_week("2020-W46")
    file(world, world.owed(world.school, "2020-W46"))
    page = visit(world.contact, size)
    page.goto(address(live_server, "edit", world.obligation))
    page.fill(figure(world, "in_training"), "46")
    expect(page.locator("[data-change]").first).to_have_text("+6")
    page.fill("#id_work_done", "考前辅导")
    expect(page.locator("[data-saved]")).to_have_text("已自动保存 10:00:00")
    assert WeeklyReport.objects.get(pk=world.obligation.pk).draft["work_done"] == "考前辅导"

    page.context.clear_cookies()
    page.fill("#id_problems", "会话失效后写的")
    expect(page.locator(".weekly-alert")).to_contain_text("登录已失效")
    with page.context.expect_page() as opened:
        page.click("text=在新窗口登录")
    sign_in(opened.value, "contact")
    opened.value.wait_for_load_state()
    opened.value.close()
    page.bring_to_front()
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(page.locator("[data-saved]")).to_contain_text("已自动保存")
    expect(page.locator(".weekly-alert")).to_be_hidden()
    assert WeeklyReport.objects.get(pk=world.obligation.pk).draft["problems"] == "会话失效后写的"

    page.click("text=下一步：检查")
    expect(page.locator("h1")).to_contain_text("检查")
    expect(page.locator(".told")).to_contain_text("+6")
    page.click("button:has-text('提交')")
    version = ReportVersion.objects.get(report=world.obligation.pk)
    expect(page.locator(".receipt-number")).to_have_text(version.receipt)

    page.goto(address(live_server, "edit", world.obligation))
    page.fill(figure(world, "in_training"), "45")
    page.click("text=下一步：检查")
    page.click("button:has-text('提交')")
    expect(page.locator(".receipt")).to_contain_text("第2版")
    page.goto(address(live_server, "report", world.obligation))
    expect(page.locator("del")).to_have_text("46")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


@pytest.mark.parametrize("size", SIZES)
def test_without_scripts_fill_in_and_send(world, live_server, visit, size):
    page = visit(world.contact, size, scripts=False)
    page.goto(address(live_server, "edit", world.obligation))
    for name in ("in_training", "training_hours", "registered", "examined", "passed", "certified"):
        page.fill(figure(world, name), "１０")
    page.fill(figure(world, "passed"), "12")
    page.fill("#id_work_done", "不用脚本也能报")
    page.click("text=保存草稿")
    expect(page.locator(".messages")).to_contain_text("草稿已保存")
    page.click("text=下一步：检查")
    expect(page.locator(".error-summary")).to_contain_text("合格人数多于参考人数")
    page.fill(figure(world, "explanation"), "含去年参考的 2 人")
    page.click("text=下一步：检查")
    page.click("button:has-text('提交')")
    expect(page.locator(".receipt-number")).to_have_text(ReportVersion.objects.get().receipt)


def test_without_scripts_what_was_typed_survives_signing_in(world, live_server, visit):
    page = visit(world.contact, scripts=False)
    page.goto(address(live_server, "edit", world.obligation))
    page.fill("#id_problems", "还没有保存")
    page.context.clear_cookies(name="sessionid")
    page.click("text=保存草稿")
    sign_in(page, "contact")
    expect(page.locator("#id_problems")).to_have_value("还没有保存")


def test_closed_by_mistake_the_page_restores_what_the_server_never_got(world, live_server, visit):
    page = visit(world.contact)
    page.goto(address(live_server, "edit", world.obligation))
    page.route("**/draft/", lambda route: route.fulfill(status=503, body="down"))
    page.fill("#id_problems", "没有存上的")
    page.goto(live_server.url + reverse("core:help"))
    page.unroute("**/draft/")
    page.goto(address(live_server, "edit", world.obligation))
    expect(page.locator("#id_problems")).to_have_value("没有存上的")
    expect(page.locator("[data-saved]")).to_contain_text("已自动保存")


def test_a_second_editor_chooses_between_both_versions(world, live_server, visit):
    page = visit(world.contact)
    page.goto(address(live_server, "edit", world.obligation))
    save_draft(
        obligation=world.obligation,
        typed=typed(world, problems="另一处写的"),
        revision=0,
        by=world.contact,
        at=clock.now(),
    )
    page.fill("#id_problems", "这里写的")
    expect(page.locator(".weekly-alert")).to_contain_text("在别处也修改了这份草稿")
    page.click("text=比较两份并选择")
    expect(page.locator("main")).to_contain_text("另一处写的")
    page.click("text=全部用已保存的")
    expect(page.locator("#id_problems")).to_have_value("另一处写的")
    expect(page.locator(".weekly-alert")).to_be_hidden()


def test_the_zero_tick_hides_the_figures(world, live_server, visit):
    page = visit(world.contact)
    page.goto(address(live_server, "edit", world.obligation))
    page.check("#id_is_zero")
    expect(page.locator("#figures")).to_be_hidden()
    page.click("text=下一步：检查")
    expect(page.locator("main")).to_contain_text("零报告")
