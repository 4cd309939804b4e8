"""A fee standard in a real browser: above the cap, mended, agreed by a school, filed, read by everybody."""

import os

import pytest
from playwright.sync_api import expect

from funding.models import CostElement, FeeStandard

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SIZES = [(1440, 900), (390, 844)]
SHOTS = os.environ.get("SHOTS", "")


def looks(page, name, size):
    """No page is wider than its window; a picture of it where SHOTS names a folder."""
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0], name
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}-{size[0]}.png", full_page=True)


def propose(page, world, amount):
    page.select_option("#id_certificate_level", str(world.level.pk), force=True)
    page.select_option("#id_exam_form", "computer")
    page.fill("#id_amount", amount)
    page.fill("#id_effective_from", "2020-11-18")
    page.fill("#id_basis", "按全省年考核 5 万人次测算")


@pytest.mark.parametrize(("size", "scripts"), [(SIZES[0], True), (SIZES[1], True), (SIZES[1], False)])
def test_from_refusal_to_the_public_list(world, live_server, visit, chromium, size, scripts):
    CostElement.objects.create(name="阅卷", rank=1)
    office, evaluator, school = (
        visit(user, size, scripts) for user in (world.office, world.evaluator_officer, world.contact)
    )
    fees = f"{live_server.url}/fees"

    office.goto(f"{fees}/caps/new/")
    office.select_option("#id_exam_form", "computer")
    office.fill("#id_amount", "300")
    office.fill("#id_effective_from", "2020-11-01")
    office.fill("#id_document", "演示文号〔2020〕3号")
    looks(office, "cap-form", size)
    office.click("main button:has-text('预览')")
    looks(office, "cap-check", size)
    office.click("text=确认保存")
    expect(office.locator("main")).to_contain_text("演示文号〔2020〕3号")
    looks(office, "caps", size)

    evaluator.goto(f"{fees}/standards/new/")
    propose(evaluator, world, "300.01")
    evaluator.fill("input[name^=cost_]", "120")
    looks(evaluator, "standard-form", size)
    evaluator.click("main button:has-text('预览')")
    expect(evaluator.locator("main")).to_contain_text("演示文号〔2020〕3号，2020年11月1日起执行")
    expect(evaluator.locator("#id_basis")).to_have_value("按全省年考核 5 万人次测算")
    looks(evaluator, "standard-refused", size)
    evaluator.fill("#id_amount", "300")
    evaluator.click("main button:has-text('预览')")
    expect(evaluator.locator("main")).to_contain_text("300.00 元/人（机考")
    looks(evaluator, "standard-check", size)
    evaluator.click("text=确认提出")
    expect(evaluator.locator("main")).to_contain_text("已同意的院校 0 所")
    found = FeeStandard.objects.get()
    address = f"{fees}/standards/{found.pk}/"

    office.goto(address)
    expect(office.locator("main")).to_contain_text("还没有试点院校同意")
    looks(office, "standard-waiting", size)

    school.goto(f"{fees}/standards/")
    looks(school, "standards", size)
    school.click("main a:has-text('演示运维')")
    school.click("text=同意这个标准")
    looks(school, "agree", size)
    school.click("text=本校同意")
    expect(school.locator("main")).to_contain_text("已同意的院校 1 所")

    office.goto(address)
    office.click("a:has-text('予以备案')")
    office.fill("#id_document", "演示备案〔2020〕6号")
    office.click("main button:has-text('预览')")
    looks(office, "file-check", size)
    office.click("main button:has-text('予以备案')")
    expect(office.locator("main")).to_contain_text("演示备案〔2020〕6号")
    looks(office, "standard-filed", size)
    for place in ("gaps", "rules", "rules/new"):
        office.goto(f"{fees}/{place}/")
        looks(office, place.replace("/", "-"), size)

    stranger = chromium.new_context(viewport={"width": size[0], "height": size[1]}).new_page()
    stranger.goto(f"{fees}/public/")
    expect(stranger.locator("main")).to_contain_text("演示备案〔2020〕6号")
    expect(stranger.locator("main")).to_contain_text("300.00")
    looks(stranger, "public", size)
    stranger.context.close()
