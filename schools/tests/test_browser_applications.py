"""A contact's application on a phone: twelve certificate levels and thirty files, lost sessions, two tabs."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from certificates.models import Certificate, CertificateLevel, Major
from core import clock
from core.tests.test_attachments import pdf
from schools.models import ApplicationItem, ApplicationVersion, ItemFile, RoundRoute
from schools.services import applications as services
from schools.services import filling_in
from schools.tests.applying import agreement_for, filled, plan
from schools.tests.builders import make_round

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = (390, 844)
PASSWORD = "pilot-pass-2020"


@pytest.fixture
def application(world):
    round = make_round(year=2021, catalogue="2021年")
    RoundRoute.objects.create(round=round, kind=world.school.kind, authority="city", through_city=True)
    Major.objects.create(code="710202", name="计算机网络技术", level="中职", catalogue="2021年")
    return services.start_application(round=round, school=world.school, by=world.contact, at=clock.now())


def new_levels(world, number):
    certificates = [
        Certificate.objects.create(name=f"演示第{n}号职业技能等级证书", owner=world.evaluator_org)
        for n in range(1, number + 1)
    ]
    return [CertificateLevel.objects.create(certificate=one, level=2) for one in certificates]


def add(world, application, levels):
    services.add_items(application=application, levels=levels, by=world.contact, at=clock.now())
    return list(application.items.order_by("pk"))


def go(page, live_server, name, *args):
    page.goto(live_server.url + reverse(f"applications:{name}", args=args))


def file(name):
    return {"name": name, "mimeType": "application/pdf", "buffer": pdf()}


def fits(page):
    # Before its styles are there a page may be wider.
    page.wait_for_load_state("load")
    return page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def fill_by_hand(page, agreement):
    page.fill("#id_planned_new", "40")
    page.fill("#majors-picker-ts-control", "网络")
    page.click(".ts-dropdown .option:has-text('710202')")
    page.fill("#id_trainers", "2")
    page.fill("#id_equipment", "实训室两间")
    page.fill("#id_justification", "专业对口")
    page.check("#id_is_voluntary")
    page.check("#id_is_no_condition")
    page.select_option("#id_agreement", str(agreement.pk))
    page.set_input_files("#id_plan", file("方案.pdf"))
    expect(page.locator("[data-files]")).to_contain_text("方案.pdf")


def test_twelve_levels_and_thirty_files_on_a_phone(world, live_server, visit, application):
    levels = new_levels(world, 12)
    agreements = {level.pk: agreement_for(level, world.school) for level in levels}
    page = visit(world.contact, PHONE)
    go(page, live_server, "list")
    page.click("text=继续填写")
    for number in (1, 2):
        page.fill("input[role=combobox]", f"第{number}号")
        page.click(f".ts-dropdown .option:has-text('第{number}号')")
    page.click("text=添加所选")
    expect(page.locator(".item-card")).to_have_count(2)
    for item in add(world, application, levels[2:])[2:]:
        typed = filled(item, agreement=str(agreements[item.certificate_level_id].pk))
        filling_in.save_item_draft(item=item, typed=typed, revision=0, by=world.contact, at=clock.now())
        for kind in ("plan", "equipment"):
            filling_in.attach_item_file(
                item=item, upload=plan(f"{kind}.pdf"), kind=kind, by=world.contact, at=clock.now()
            )
    by_hand = list(application.items.order_by("pk")[:2])
    for item in by_hand:
        go(page, live_server, "detail", application.pk)
        page.click(f".item-card a:has-text('填写') >> nth={by_hand.index(item)}")
        expect(page.locator("[data-missing]")).to_contain_text("还缺 8 项")
        fill_by_hand(page, agreements[item.certificate_level_id])
        page.set_input_files("#id_equipment_files", [file(f"设备{n}.pdf") for n in range(1, 5)])
        expect(page.locator("[data-files] li")).to_have_count(5)
        expect(page.locator("[data-missing]")).to_contain_text("可以提交")
        assert fits(page)
        page.click("text=保存并返回")
    assert ItemFile.objects.filter(removed_at=None).count() == 30
    expect(page.locator(".progress-count")).to_contain_text("待提交 12 项，其中 12 项已填完整")
    assert fits(page)
    page.click("text=下一步：检查并提交")
    assert fits(page)
    page.dblclick("button:has-text('提交')")
    expect(page.locator(".receipt-number")).to_be_visible()
    version = ApplicationVersion.objects.get()
    expect(page.locator(".receipt-number")).to_have_text(version.receipt)
    assert len(version.content["items"]) == 12
    assert sum(len(item["files"]) for item in version.content["items"]) == 30


def test_without_scripts_one_item_is_filled_and_sent(world, live_server, visit, application):
    [level] = new_levels(world, 1)
    agreement = agreement_for(level, world.school)
    page = visit(world.contact, PHONE, scripts=False)
    go(page, live_server, "detail", application.pk)
    page.select_option("#id_levels", str(level.pk))
    page.click("text=添加所选")
    page.fill("#id_majors", "710202 计算机网络技术\n710299 虚拟现实应用")
    for name, text in filled(ApplicationItem.objects.get(), agreement=str(agreement.pk)).items():
        if name in ("planned_new", "trainers", "equipment", "justification"):
            page.fill(f"#id_{name}", text)
    page.check("#id_is_voluntary")
    page.check("#id_is_no_condition")
    page.select_option("#id_agreement", str(agreement.pk))
    page.set_input_files("#id_plan", {"name": "方案.pdf", "mimeType": "application/pdf", "buffer": b"text"})
    page.click("text=保存草稿")
    expect(page.locator(".error-summary")).to_contain_text("内容不是 pdf 文件")
    page.set_input_files("#id_plan", file("方案.pdf"))
    page.click("text=保存草稿")
    expect(page.locator("[data-missing]")).to_contain_text("可以提交")
    expect(page.locator("[data-missing]")).to_contain_text("710299 虚拟现实应用”不在2021年中")
    page.click("text=保存并返回")
    page.click("text=下一步：检查并提交")
    page.click("button:has-text('提交')")
    expect(page.locator(".receipt-number")).to_be_visible()
    expect(page.locator(".receipt-number")).to_have_text(ApplicationVersion.objects.get().receipt)


def test_a_lost_session_loses_nothing_and_a_second_tab_is_noticed(world, live_server, visit, application):
    [item] = add(world, application, new_levels(world, 1))
    page = visit(world.contact, PHONE)
    go(page, live_server, "item", item.pk)
    page.context.clear_cookies()
    page.fill("#id_equipment", "会话失效后写的")
    expect(page.locator("[data-draft-alert]")).to_contain_text("登录已失效")
    with page.context.expect_page() as opened:
        page.click("text=在新窗口登录")
    opened.value.fill("input[name=username]", "contact")
    opened.value.fill("input[name=password]", PASSWORD)
    opened.value.press("input[name=password]", "Enter")
    opened.value.wait_for_load_state()
    opened.value.close()
    page.bring_to_front()
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(page.locator("[data-saved]")).to_contain_text("已自动保存")
    item.refresh_from_db()
    assert item.draft["equipment"] == "会话失效后写的"

    filling_in.save_item_draft(
        item=item,
        typed=item.draft | {"equipment": "另一处写的"},
        revision=item.draft_revision,
        by=world.contact,
        at=clock.now(),
    )
    page.fill("#id_trainers", "3")
    expect(page.locator("[data-draft-alert]")).to_contain_text("在别处也修改了")
    page.click("text=比较两份并选择")
    expect(page.locator("main")).to_contain_text("另一处写的")
    page.click("text=全部用已保存的")
    expect(page.locator("#id_equipment")).to_have_value("另一处写的")


def test_majors_and_files_put_in_and_taken_off(world, live_server, visit, application):
    [item] = add(world, application, new_levels(world, 1))
    page = visit(world.contact)
    go(page, live_server, "item", item.pk)
    page.fill("#majors-picker-ts-control", "710299 虚拟现实应用")
    page.press("#majors-picker-ts-control", "Enter")
    expect(page.locator("#id_majors")).to_have_value("710299 虚拟现实应用")
    page.set_input_files("#id_other", [file("一.pdf"), {**file("二.pdf"), "buffer": b"text"}])
    expect(page.locator("[data-upload]")).to_contain_text("“二.pdf”：内容不是 pdf 文件")
    expect(page.locator("[data-files] li")).to_have_count(1)
    page.click("[data-remove]")
    expect(page.locator("[data-files]")).to_contain_text("还没有上传文件")
    expect(page.locator("[data-missing]")).to_contain_text("710299 虚拟现实应用”不在2021年中")
