"""On a phone: an evaluator files October's report, a school its half-year summary."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from reporting.models import SummaryVersion
from reporting.tests.summing import half_of, month_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = (390, 844)


def fits(page):
    # Before its styles are there a page may be wider.
    page.wait_for_load_state("load")
    return page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_an_evaluator_files_octobers_report(world, live_server, visit):
    owed = month_of(world)
    page = visit(world.evaluator_officer, PHONE)
    page.goto(live_server.url)
    page.click("text=填写月报")
    row = f"#id_r{world.certificate.pk}"
    for name, text in {"exams": "２", "said_examined": "30", "issued": "25", "fees": "6000"}.items():
        page.fill(f"{row}-{name}", text)
    page.fill("#id_problems", "场地紧张")
    expect(page.locator("[data-saved]")).to_contain_text("已自动保存")
    assert fits(page)
    page.click(".savebar .btn-primary")
    expect(page.locator(".error-summary")).to_contain_text("考核人数 30，院校周报本月新增参考 0")
    page.fill(f"{row}-explanation", "院校尚未录入")
    page.click(".savebar .btn-primary")
    expect(page.locator("h1")).to_contain_text("检查2020年10月月报")
    assert fits(page)
    page.click("button:has-text('提交')")
    expect(page.locator(".receipt-number")).to_have_text(SummaryVersion.objects.get(report=owed.pk).receipt)
    assert fits(page)


def test_a_school_files_its_half_year_summary_without_scripts(world, live_server, visit):
    owed = half_of(world)
    page = visit(world.contact, PHONE, scripts=False)
    page.goto(live_server.url + reverse("summaries:edit", args=[owed.pk]))
    page.fill("#id_progress", "完成三批培训")
    page.click(".savebar .btn-primary")
    page.click("button:has-text('提交')")
    expect(page.locator(".receipt-number")).to_have_text(SummaryVersion.objects.get(report=owed.pk).receipt)
    page.goto(live_server.url + reverse("summaries:detail", args=[owed.pk]))
    expect(page.locator(".paper")).to_contain_text("完成三批培训")
    assert fits(page)


def test_a_long_paper_is_printed_from_the_top_of_the_first_page(world, live_server, visit):
    owed = half_of(world)
    page = visit(world.contact)
    page.goto(live_server.url + reverse("summaries:edit", args=[owed.pk]))
    page.fill("#id_progress", "完成三批培训\n" * 60)
    page.click(".savebar .btn-primary")
    page.click("button:has-text('提交')")
    page.goto(live_server.url + reverse("summaries:detail", args=[owed.pk]))
    page.emulate_media(media="print")
    # What stands above it in a demonstration.
    page.evaluate("document.querySelector('.paper').insertAdjacentHTML('beforebegin', '<p>上面</p>')")
    assert page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") == 2


@pytest.mark.parametrize("answer", ["late", "failed", "never"])
def test_a_button_pressed_during_the_autosave_waits_for_it_and_meets_no_conflict(
    world, live_server, visit, answer
):
    owed = half_of(world)
    page, held, sent = visit(world.contact), [], []
    page.clock.install()
    page.goto(live_server.url + reverse("summaries:edit", args=[owed.pk]))
    page.on(
        "request", lambda r: sent.append(r.url) if r.method == "POST" and "/draft/" not in r.url else None
    )
    page.route("**/draft/", lambda route: held.append((route, route.fetch() if answer == "late" else None)))
    page.fill("#id_progress", "完成三批培训")
    page.clock.run_for(3000)
    while not held:
        page.wait_for_timeout(50)
    page.fill("#id_progress", "完成三批培训，第四批在训")
    page.dblclick(".savebar .btn-primary")
    expect(page.locator("[data-saved]")).to_have_text("正在保存，请稍候")
    assert not sent
    [(route, response)] = held
    if answer == "late":
        route.fulfill(response=response)
    elif answer == "failed":
        route.abort()
    else:
        page.clock.run_for(10_000)
    expect(page.locator("h1")).to_contain_text("检查")
    expect(page.locator("main")).to_contain_text("完成三批培训，第四批在训")
    assert len(sent) == 1


def test_a_second_tab_is_told_to_who_presses_during_the_autosave(world, live_server, visit):
    owed = half_of(world)
    page, held = visit(world.contact), []
    address = live_server.url + reverse("summaries:edit", args=[owed.pk])
    page.goto(address)
    other = page.context.new_page()
    other.goto(address)
    other.fill("#id_progress", "另一个窗口写的")
    expect(other.locator("[data-saved]")).to_contain_text("已自动保存")
    page.route("**/draft/", lambda route: held.append((route, route.fetch())))
    page.fill("#id_progress", "这个窗口写的")
    while not held:
        page.wait_for_timeout(50)
    page.click(".savebar .btn-primary")
    [(route, response)] = held
    route.fulfill(response=response)
    expect(page.locator("h1")).to_contain_text("两份草稿不一致")
    expect(page.locator("main")).to_contain_text("另一个窗口写的")
