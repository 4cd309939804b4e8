"""A school files on a phone, the office takes it on file, the sheet is printed; an expert gives an opinion."""

import pytest
from playwright.sync_api import expect

from core.tests.test_attachments import png
from schools.models import ExpertOpinion, SchoolFiling, SchoolFilingVersion
from schools.tests.test_filings import owe
from schools.tests.test_opinions import asked, item_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = (390, 844)


def fill(page):
    page.fill("#id_leader_name", "组长甲")
    page.fill("#id_leader_position", "校长")
    page.fill("#id_leader_phone", "0351-7654321")
    page.check("#id_is_head")
    page.fill("#id_department", "教务处")
    page.fill("#id_contact_name", "联系人乙")
    page.fill("#id_contact_mobile", "13933334444")
    page.fill("#id_contact_email", "b@example.cn")
    page.fill("#id_member-0-name", "成员丙")
    page.fill("#id_member-0-duty", "考核组织")
    page.fill("#id_mechanism", "每月例会，教务处牵头。")


def upload(page):
    page.set_input_files("#id_plan", {"name": "方案.png", "mimeType": "image/png", "buffer": png()})
    page.click("button:has-text('上传')")
    expect(page.locator(".files")).to_contain_text("方案.png")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_school_files_on_a_phone_and_the_office_takes_it_on_file(world, live_server, visit, scripts):
    owe(world)
    page = visit(world.contact, PHONE, scripts=scripts)
    page.goto(f"{live_server.url}/filings/mine/")
    fill(page)
    if scripts:
        expect(page.locator("[data-saved]")).to_have_text("已自动保存 10:00:00")
        assert SchoolFiling.objects.get().draft["department"] == "教务处"
    upload(page)
    expect(page.locator("#id_mechanism")).to_have_value("每月例会，教务处牵头。")
    page.click(".savebar >> text=下一步：检查")
    expect(page.locator("h1")).to_have_text("检查院校备案")
    page.click("button:has-text('提交')")
    version = SchoolFilingVersion.objects.get()
    expect(page.locator(".receipt-number")).to_have_text(version.receipt)
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]

    office = visit(world.office)
    office.goto(f"{live_server.url}/filings/")
    office.click("text=太原演示职业学校")
    office.click("text=予以备案")
    office.click("button:has-text('予以备案')")
    expect(office.locator("h1")).to_contain_text("已备案")

    page.goto(f"{live_server.url}/filings/versions/{version.receipt}/")
    expect(page.locator(".sheet")).to_contain_text("附件2原表未见")
    page.emulate_media(media="print")
    assert page.locator(".places").is_hidden()
    assert page.locator(".sheet-seal").is_visible()
    assert page.pdf(format="A4").count(b"/Type /Page\n") == 1


def test_an_expert_gives_an_opinion_on_a_phone(world, live_server, visit):
    opinion = asked(world, item_of(world, equipment="机房一间"))
    page = visit(world.expert, PHONE)
    page.goto(live_server.url)
    page.click(".places-folded summary")
    page.click(".places-folded >> text=待我提出的意见")
    page.click("tbody a")
    expect(page.locator("main")).to_contain_text("机房一间")
    page.check("text=修改后同意")
    page.fill("#id_text", "补充实训安排")
    page.click("text=提交意见")
    expect(page.locator("main")).to_contain_text("补充实训安排")
    opinion.refresh_from_db()
    assert (opinion.state, opinion.advice) == (ExpertOpinion.State.GIVEN, "condition")
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_the_office_asks_with_conflicts_shown(world, live_server, visit):
    free = world.add_user("expert", world.province, "expert2", name="专家丁")
    tied = world.add_user("expert", world.school_org, "expert3", name="专家戊")
    item = item_of(world)
    page = visit(world.office)
    page.goto(f"{live_server.url}/opinions/ask/?items={item.pk}")
    page.check("text=专家丁")
    page.check("text=专家戊")
    page.fill("#id_due_on", "2020-11-27")
    page.click("text=预览")
    expect(page.locator(".note-warning")).to_contain_text("专家戊")
    page.click("text=确认征求")
    expect(page.locator("table")).to_contain_text("专家丁")
    assert [row.expert for row in ExpertOpinion.objects.all()] == [free]
    assert tied.opinions.count() == 0
