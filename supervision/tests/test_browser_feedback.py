"""In a real browser at 390 px: a school files feedback, the office assigns and answers, the school sees it; a
calendar address is made, fetched and revoked."""

import os
import urllib.error
import urllib.request

import pytest
from playwright.sync_api import expect

from core.tests.test_attachments import png
from obligations.tests.calendar_file import parse
from supervision.models import Feedback
from supervision.tests.feedback import turn

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE, DESK = (390, 844), (1440, 900)
SHOTS = os.environ.get("SHOTS", "")


def looks(page, name, size=PHONE):
    """No page is wider than its window; a picture of it where SHOTS names a folder."""
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0], name
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}-{size[0]}.png", full_page=True)


def test_from_complaint_to_answer(world, live_server, visit):
    school, office = visit(world.contact, PHONE), visit(world.office, DESK)
    school.goto(f"{live_server.url}/feedback/")
    school.click("text=反馈问题")
    school.select_option("#id_about", f"c{world.certificate.pk}")
    school.check("input[name=ground][value=bundling]")
    school.fill("#id_text", "培训时要求购买指定品牌的实训软件，报价20万元。")
    school.set_input_files("#id_files", {"name": "报价.png", "mimeType": "image/png", "buffer": png()})
    looks(school, "feedback-new")
    school.click("text=提交反馈")
    expect(school.locator("main")).to_contain_text("12月2日（星期三）18:00")
    receipt = Feedback.objects.get().receipt
    expect(school.locator("main")).to_contain_text(receipt)
    looks(school, "feedback-filed")

    office.goto(f"{live_server.url}/deadlines/?kind=feedback")
    looks(office, "deadlines-office", DESK)
    office.click(f"text=答复反馈 {receipt}")
    office.click("main a:has-text('交办'), .page-actions a:has-text('交办')")
    office.select_option("#id_assignee", str(world.office2.pk))
    office.click("main button:has-text('交办')")
    expect(office.locator("main")).to_contain_text("经办人")
    office.click("a:has-text('答复')")
    office.fill("#id_answer", "已向评价组织核实，软件不是必须购买。")
    office.fill("#id_measures", "责令停止推销，限期书面说明。")
    office.click("main button:has-text('答复')")
    expect(office.locator("main")).to_contain_text("责令停止推销")
    looks(office, "feedback-answered", DESK)
    office.goto(f"{live_server.url}/feedback/counts/")
    looks(office, "feedback-counts", DESK)

    school.reload()
    expect(school.locator("main")).to_contain_text("责令停止推销")
    looks(school, "feedback-seen")


def fetched(address):
    with urllib.request.urlopen(address) as response:
        return response.read()


def test_a_calendar_address_is_made_fetched_and_revoked(world, live_server, visit):
    page = visit(world.contact, PHONE)
    page.goto(f"{live_server.url}/deadlines/")
    looks(page, "deadlines")
    page.click("text=订阅到日历")
    page.click("text=生成订阅地址")
    address = page.inner_text("#feed-address")
    looks(page, "calendar-address")
    assert [event["SUMMARY"] for event in parse(fetched(address))[1]] == ["2020年第47周周报"]
    page.click("text=停用地址")
    page.click("main button:has-text('停用')")
    expect(page.locator("main")).to_contain_text("还没有订阅地址")
    with pytest.raises(urllib.error.HTTPError) as refused:
        fetched(address)
    assert refused.value.code == 404
    refused.value.close()


def test_monitoring_points_are_proposed_checked_and_chosen(world, live_server, visit):
    page = visit(world.office, DESK)
    page.goto(f"{live_server.url}/monitoring/new/{world.certificate.pk}/")
    expect(page.locator("input[name=schools]:checked")).to_have_count(2)
    page.uncheck(f"input[name=schools][value='{world.other_school_org.pk}']")
    page.fill("#id_starts_on", "2020-12-01")
    page.fill("#id_ends_on", "2021-05-31")
    page.fill("#id_reason", "第一轮")
    looks(page, "monitoring-new", DESK)
    page.click("main button:has-text('预览')")
    expect(page.locator("main")).to_contain_text("选定 1 所")
    page.click("text=确认选定")
    expect(page.locator("table")).to_contain_text("演示运维")
    turn(world, [world.other_school_org.pk], starts_on=world.at("2021-01-01T10:00:00+08:00").date())
    school = visit(world.contact, PHONE)
    school.goto(f"{live_server.url}/monitoring/")
    looks(school, "monitoring")
