"""The evaluator publishes, a school applies on a phone, the evaluator agrees, the office files: the gap is gone;
ending it shows what falls to zero."""

import os

import pytest
from playwright.sync_api import expect

from core.tests.test_attachments import png
from evaluators.models import ExamSite
from evaluators.tests.siting import standing

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SHOTS = os.environ.get("SHOTS", "")
PHONE, DESK = (390, 844), (1440, 900)


def looks(page, name):
    """No page is wider than its window; a picture of it where SHOTS names a folder."""
    page.wait_for_load_state("networkidle")
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}-{width}.png", full_page=True)


@pytest.mark.parametrize("scripts", [True, False])
def test_from_a_condition_to_a_site_and_its_end(world, live_server, visit, scripts):
    evaluator, office = visit(world.evaluator_officer, DESK, scripts), visit(world.office, DESK, scripts)
    phone = visit(world.contact, PHONE, scripts)
    url = live_server.url

    office.goto(f"{url}/sites/coverage/")
    expect(office.locator("main")).to_contain_text("2 个缺口")

    evaluator.goto(f"{url}/sites/conditions/")
    evaluator.click(".page-actions a:has-text('公布条件')")
    evaluator.select_option("#id_certificate", label=str(world.certificate))
    evaluator.fill("#id_text", "机房不少于两间，每间考位不少于二十个\n监控覆盖全部考位，录像保存三个月")
    evaluator.fill("#id_minimum_places", "40")
    looks(evaluator, "condition-form")
    evaluator.click("main button:has-text('公布')")
    expect(evaluator.locator("main")).to_contain_text("已公布")
    looks(evaluator, "condition")

    phone.goto(f"{url}/sites/nearest/")
    expect(phone.locator("main")).to_contain_text("缺考点")
    looks(phone, "nearest")
    phone.click("main td a:has-text('申报')")
    phone.fill("#id_name", "太原演示考点")
    phone.fill("#id_address", "演示路1号实训楼三层")
    phone.fill("#id_places", "39")
    phone.fill("#id_equipment", "机房三间，计算机一百二十台")
    phone.fill("#id_item_0", "三间，每间四十个")
    phone.fill("#id_item_1", "已全部覆盖")
    looks(phone, "apply")
    phone.click("main button:has-text('提交申报')")
    expect(phone.locator(".error-summary")).to_contain_text("不少于 40 个")
    expect(phone.locator("#id_item_1")).to_have_value("已全部覆盖")
    phone.fill("#id_places", "120")
    phone.set_input_files("#id_files", {"name": "机房.png", "mimeType": "image/png", "buffer": png()})
    phone.click("main button:has-text('提交申报')")
    expect(phone.locator("main")).to_contain_text("待演示评价组织办理")
    looks(phone, "site")
    site = ExamSite.objects.get()

    evaluator.goto(f"{url}/sites/{site.pk}/")
    looks(evaluator, "site")
    evaluator.click("main a:has-text('同意设站')")
    evaluator.click("main button:has-text('同意设站')")
    expect(evaluator.locator("main")).to_contain_text("待山西省推进办办理")

    office.goto(f"{url}/sites/{site.pk}/")
    office.click("main a:has-text('予以备案')")
    looks(office, "file")
    office.click("main button:has-text('予以备案')")
    expect(office.locator("main")).to_contain_text("已备案")
    office.goto(f"{url}/sites/coverage/")
    expect(office.locator("main")).to_contain_text("1 个缺口")
    looks(office, "coverage")
    office.goto(f"{url}/sites/coverage/gaps/")
    expect(office.locator("main table")).not_to_contain_text("太原市")
    looks(office, "gaps")

    phone.goto(f"{url}/sites/public/")
    expect(phone.locator("main")).to_contain_text("演示路1号实训楼三层")
    looks(phone, "public")

    office.goto(f"{url}/sites/{site.pk}/")
    office.click("main a:has-text('撤销站点')")
    expect(office.locator("main")).to_contain_text("撤销后归零")
    expect(office.locator("main")).to_contain_text("开设院校 1 所")
    looks(office, "end")
    office.fill("#id_comment", "学校搬迁")
    office.click("main button:has-text('撤销站点')")
    expect(office.locator("main")).to_contain_text("起撤销：学校搬迁")
    office.goto(f"{url}/sites/coverage/")
    expect(office.locator("main")).to_contain_text("2 个缺口")


def test_the_coverage_is_a_list_on_a_phone(world, live_server, visit):
    standing(world)
    page = visit(world.office, PHONE)
    for address in ("coverage", "coverage/gaps", "side-by-side", "conditions", ""):
        page.goto(f"{live_server.url}/sites/{address}{'/' if address else ''}")
        looks(page, f"phone-{address.replace('/', '-') or 'list'}")
    page.goto(f"{live_server.url}/sites/coverage/")
    expect(page.locator(".coverage thead")).not_to_be_in_viewport()
    expect(page.locator(".coverage td.gap").first).to_be_visible()
