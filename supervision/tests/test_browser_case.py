"""The procedure in a real browser: the proposer puts it to the school, the school answers, another decides."""

import os

import pytest
from playwright.sync_api import expect

from core.tests.test_attachments import png
from supervision.models import Case, CaseDecision, CaseDocument, Statement
from supervision.tests import cases

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SIZES = [(1440, 900), (390, 844)]
SHOTS = os.environ.get("SHOTS", "")


def looks(page, name, size):
    """No page is wider than its window; a picture of it where SHOTS names a folder."""
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0], name
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}-{size[0]}.png", full_page=True)


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("size", SIZES)
def test_from_flag_to_revocation_and_reversal(world, live_server, visit, size, scripts):
    case = cases.flagged(world)
    url = f"{live_server.url}/cases/{case.pk}/"
    proposer, decider = (visit(user, size, scripts) for user in (world.office, world.office2))
    school = visit(world.contact, size, scripts)

    decider.goto(f"{url}act/case_revoke/")
    expect(decider.locator("main")).to_contain_text("只有在“已陈述申辩、逾期未陈述、整改逾期”时才能")
    looks(decider, "skip", size)

    proposer.goto(url)
    proposer.click("a:has-text('开始调查核实')")
    proposer.click("main button:has-text('开始调查核实')")
    expect(proposer.locator("main")).to_contain_text("还没有导入国家平台")
    looks(proposer, "blocked", size)
    proposer.click("a:has-text('核实国家平台没有填报')")
    proposer.fill("#id_reason", "11月18日登录国家平台逐周查询，均无填报")
    proposer.click("text=登记核实结果")
    proposer.click("a:has-text('发出告知书')")
    looks(proposer, "notify", size)
    proposer.click("main button:has-text('发出告知书')")
    expect(proposer.locator("main")).to_contain_text("推进办告〔2020〕1号")

    school.goto(live_server.url)
    school.click("a:has-text('去办理')")
    expect(school.locator("main")).to_contain_text("11月27日（星期五）18:00")
    school.fill("#id_text", "连续三周停电，网络中断。已在恢复供电后全部补报，请予考虑。")
    school.set_input_files("#id_files", {"name": "停电证明.png", "mimeType": "image/png", "buffer": png()})
    looks(school, "statement", size)
    school.click("text=保存并核对")
    expect(school.locator("main")).to_contain_text("停电证明.png")
    looks(school, "check", size)
    school.click("text=确认提交")
    expect(school.locator(".receipt-number")).to_have_text(Statement.objects.get().receipt)
    looks(school, "receipt", size)

    proposer.goto(url)
    expect(proposer.locator("main")).to_contain_text("提出处理意见的人不作决定")
    looks(proposer, "proposer", size)

    decider.goto(url)
    expect(decider.locator("main")).to_contain_text("连续三周停电")
    expect(decider.locator("main")).to_contain_text("还有 1 个试点项目没有写")
    looks(decider, "decider", size)
    decider.click(".acts a:has-text('学生安置')")
    decider.fill("textarea", "40 名在训学生转入邻校，年内完成考核")
    looks(decider, "students", size)
    decider.click("text=保存安置办法")
    decider.click("a:has-text('取消试点资格')")
    decider.fill("#id_reasons", "停电只有一天，其余时间可以填报；三周均未补报")
    decider.check("#id_checked")
    looks(decider, "revoke", size)
    decider.click("main button:has-text('取消试点资格')")
    expect(decider.locator("h1")).to_contain_text("取消试点资格")
    assert CaseDecision.objects.get().decided_by == world.office2
    assert CaseDocument.objects.count() == 3

    school.goto(url)
    expect(school.locator("main")).to_contain_text("推进办决〔2020〕1号")
    looks(school, "decided", size)
    with school.expect_download() as download:
        school.click("td[data-label='原件'] a >> nth=1")
    assert download.value.suggested_filename == "推进办决〔2020〕1号决定书.docx"
    school.goto(f"{url}record/")
    looks(school, "record", size)

    decider.goto(f"{live_server.url}/cases/follow-ups/?done=0")
    looks(decider, "follow-ups", size)
    decider.click("a.btn:has-text('办结') >> nth=0")
    decider.fill("#id_note", "已办")
    decider.click("main button:has-text('办结')")
    decider.click("a:has-text('复核：撤销原决定')")
    decider.fill("#id_reasons", "复核查明属实")
    decider.check("#id_checked")
    decider.click("main button:has-text('复核：撤销原决定')")
    expect(decider.locator("h1")).to_contain_text("撤销原决定")
    assert Case.objects.get().current_decision.kind == "reversed"
    assert world.school_org.memberships.filter(left_at=None).exists()


@pytest.mark.parametrize("size", SIZES)
def test_a_case_is_opened_by_hand(world, live_server, visit, size):
    page = visit(world.office, size)
    page.goto(f"{live_server.url}/cases/")
    page.click("a:has-text('登记案件')")
    page.select_option("#id_school", value=str(world.school_org.pk), force=True)
    page.check("text=强制或变相强制学生参加培训或考核的")
    page.fill("#id_facts", "2020年10月要求全体学生报名")
    page.set_input_files("#id_files", {"name": "通知.png", "mimeType": "image/png", "buffer": png()})
    looks(page, "open", size)
    page.click("main button:has-text('登记')")
    expect(page.locator("h1")).to_contain_text(world.school_org.name)
    looks(page, "opened", size)
