"""An evaluator fills in 附件3 on a phone, the office accepts it; the paper is printed with its own layout."""

import os

import pytest
from playwright.sync_api import expect

from core.tests.test_attachments import png
from evaluators import filing_content as shape
from evaluators.models import EvaluatorFiling, EvaluatorFilingVersion
from evaluators.tests.filed import ADDRESS, ID_NUMBER, unfiled

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = (390, 844)


def looks(page, name):
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def fill(page):
    page.fill("#id_name", "负责人甲")
    page.select_option("#id_sex", "女")
    page.fill("#id_birth_month", "1985-03")
    page.fill("#id_phone", "13911112222")
    page.fill("#id_email", "jia@example.cn")
    page.fill("#id_id_number", ID_NUMBER)
    page.fill("#id_address", ADDRESS)
    page.fill("#id_introduction", "演示用的评价组织，承担本证书在本省的培训与考核。")
    for number in range(2):
        page.fill(f"#id_staff-{number}-name", f"工作人员{number + 1}")
        page.fill(f"#id_staff-{number}-phone", "13955556666")
        page.fill(f"#id_staff-{number}-duty", "考务")
    page.check("#id_promise")


@pytest.mark.parametrize("scripts", [True, False])
def test_an_evaluator_files_on_a_phone_and_the_office_accepts(world, live_server, visit, scripts):
    certificate = unfiled(world)
    page = visit(world.evaluator_officer, PHONE, scripts=scripts)
    page.goto(f"{live_server.url}/evaluator-filings/")
    page.click(f"text={certificate.name}")
    page.click("text=填写备案表")
    fill(page)
    if scripts:
        expect(page.locator("[data-saved]")).to_have_text("已自动保存 10:00:00")
        assert EvaluatorFiling.objects.get(pk=certificate.pk).draft["id_number"] == ID_NUMBER
        page.fill("#id_introduction", "改过")
        kept = page.evaluate("JSON.stringify(localStorage)")
        assert "改过" in kept
        assert ID_NUMBER not in kept
        assert ADDRESS not in kept
    for kind in shape.REQUIRED_FILES:
        file = {"name": f"{shape.FILES[kind]}.png", "mimeType": "image/png", "buffer": png()}
        page.set_input_files(f"#id_upload_{kind}", file)
    page.click("#files button[value=upload] >> nth=0")
    expect(page.locator("#files")).to_contain_text("培训考核计划方案.png")
    looks(page, f"edit-{scripts}")
    page.click(".savebar >> text=下一步：检查")
    expect(page.locator("h1")).to_have_text("检查评价组织备案")
    looks(page, f"check-{scripts}")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    page.click(".savebar button:has-text('提交')")
    version = EvaluatorFilingVersion.objects.get(filing=certificate.pk)
    expect(page.locator(".receipt-number")).to_have_text(version.receipt)

    office = visit(world.office)
    office.goto(f"{live_server.url}/evaluator-filings/")
    looks(office, f"list-{scripts}")
    office.click(f"text={certificate.name}")
    looks(office, f"detail-{scripts}")
    office.click("text=予以备案 >> nth=0")
    office.click("main button:has-text('予以备案')")
    expect(office.locator("h1")).to_contain_text("已备案")
    office.goto(f"{live_server.url}/evaluators/{world.evaluator.pk}/")
    looks(office, f"evaluator-{scripts}")

    page.goto(f"{live_server.url}/evaluator-filings/versions/{version.receipt}/")
    assert ID_NUMBER not in page.content()
    looks(page, f"version-{scripts}")
    page.fill("#id_reason", "打印盖章")
    page.click("text=显示完整的身份证号和现住址 >> nth=-1")
    expect(page.locator(".sheet")).to_contain_text(ID_NUMBER)
    page.emulate_media(media="print")
    assert page.locator(".places").is_hidden()
    paper = page.pdf(format="A4")
    assert paper.count(b"/Type /Page\n") == 1
    # Printed, a row of staff stays whole; an introduction longer than a page runs on.
    rows = page.locator(".sheet-table tr")
    broken = [row.evaluate("row => getComputedStyle(row).breakInside") for row in rows.all()]
    assert broken.count("auto") == 1
    assert set(broken) == {"auto", "avoid"}
    if folder := os.environ.get("SCREENSHOTS"):
        with open(f"{folder}/paper.pdf", "wb") as file:
            file.write(paper)
