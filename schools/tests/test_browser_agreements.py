"""One school registers a joint agreement with its file, the other confirms it: on a phone, in a real browser."""

import os

import pytest
from playwright.sync_api import expect

from certificates.models import CertificateLevel
from core.tests.test_attachments import pdf
from funding.tests.fees import DAY, cap
from schools.models import AgreementParty

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SHOTS = os.environ.get("SHOTS", "")


def looks(page, name, size):
    """No page is wider than its window; a picture of it where SHOTS names a folder."""
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0], name
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}-{size[0]}.png", full_page=True)


@pytest.mark.parametrize(("size", "scripts"), [((390, 844), True), ((1440, 900), False)])
def test_a_school_registers_and_the_other_confirms(world, live_server, visit, size, scripts):
    CertificateLevel.objects.filter(pk=world.level.pk).update(exam_form="computer")
    cap(world, "300", DAY)
    first, second = (visit(user, size, scripts) for user in (world.contact, world.other_contact))

    first.goto(f"{live_server.url}/agreements/missing/")
    expect(first.locator("main")).to_contain_text("没有登记过协议")
    looks(first, "missing", size)
    first.click("a:has-text('登记协议')")
    expect(first.locator("main")).to_contain_text("考核成本上限 300.00 元/人")
    first.fill("#id_fee", "300.01")
    first.fill("#id_signed_on", "2020-11-18")
    first.fill("#id_valid_until", "2021-11-17")
    if scripts:
        first.click("#id_others-ts-control")
        first.locator("#id_others-ts-control").press_sequentially("长治演示")
        first.click(".ts-dropdown [role=option]:has-text('长治演示职业学校')")
        first.locator("#id_others-ts-control").press("Escape")
    else:
        first.select_option("#id_others", label="长治演示职业学校")
    paper = {"name": "合作协议.pdf", "mimeType": "application/pdf", "buffer": pdf()}
    first.set_input_files("#id_files", paper)
    looks(first, "form", size)
    first.click("main button:has-text('登记')")
    expect(first.locator(".error-summary")).to_contain_text("高于考核成本上限 300.00 元/人")
    looks(first, "refused", size)
    first.fill("#id_fee", "300")
    first.set_input_files("#id_files", paper)
    first.click("main button:has-text('登记')")
    expect(first.locator("main")).to_contain_text("每个正在开展的试点项目都有生效的合作协议")
    first.goto(f"{live_server.url}/agreements/")
    looks(first, "list", size)
    first.click("main td a")
    expect(first.locator("main")).to_contain_text("本协议等于它")
    looks(first, "detail", size)

    second.goto(f"{live_server.url}/agreements/")
    expect(second.locator("main")).to_contain_text("1 份协议待院校确认")
    second.click("main td a")
    second.click("a:has-text('确认共同签署')")
    looks(second, "confirm", size)
    second.click("main button:has-text('确认共同签署')")
    expect(second.locator("main")).to_contain_text("协议对本校作数")
    assert AgreementParty.objects.bound(DAY).count() == 2
    second.goto(second.url)
    second.click("a:has-text('终止协议')")
    expect(second.locator("main")).to_contain_text("只终止本校的协议")
    looks(second, "end", size)
