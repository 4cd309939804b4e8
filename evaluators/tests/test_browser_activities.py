"""An evaluator files an activity, a school signs a teacher up on a phone, the evaluator records the result, and
the teacher's qualification stands: in a real browser."""

import os

import pytest
from playwright.sync_api import expect

from core import clock
from core.tests.test_attachments import pdf
from evaluators.models import Activity, Qualification
from evaluators.tests.activity_rows import resource, teacher, trainer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SHOTS = os.environ.get("SHOTS", "")
WIDE, PHONE = (1440, 900), (390, 844)


def looks(page, name, size):
    """No page is wider than its window; a picture of it where SHOTS names a folder."""
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0], name
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}-{size[0]}.png", full_page=True)


def pick(page, field, typed, option, scripts):
    if not scripts:
        page.select_option(f"#id_{field}", label=option)
        return
    page.click(f"#id_{field}-ts-control")
    page.locator(f"#id_{field}-ts-control").press_sequentially(typed)
    page.click(f".ts-dropdown [role=option]:has-text('{option}')")
    page.locator(f"#id_{field}-ts-control").press("Escape")


@pytest.mark.parametrize("scripts", [True, False])
def test_from_filing_to_qualification(world, live_server, visit, scripts):
    trainer(world)
    trainer(world, name="院校专家", kind="school")
    teacher(world, name="王老师", number="0012")
    officer = visit(world.evaluator_officer, WIDE, scripts)
    officer.goto(f"{live_server.url}/activities/")
    officer.click("main a:has-text('备案活动') >> nth=0")
    officer.select_option("#id_kind", "training")
    officer.fill("#id_title", "演示运维师资培训")
    officer.fill("#id_plan", "第一天标准解读，第二天实操。")
    paper = {"name": "活动方案.pdf", "mimeType": "application/pdf", "buffer": pdf()}
    officer.set_input_files("#id_files", paper)
    officer.fill("#id_starts_at", "2020-11-18T10:10")
    officer.fill("#id_ends_at", "2020-11-18T17:00")
    officer.fill("#id_place", "太原演示职业学校实训楼")
    officer.select_option("#id_city", label="太原市")
    officer.fill("#id_places", "1")
    pick(officer, "trainers", "演示专家", "演示专家（行业企业：演示企业）", scripts)
    officer.check("#id_extra_fee_1")
    officer.click("main button:has-text('备案')")
    expect(officer.locator(".error-summary")).to_contain_text("不得另立名目额外收取")
    looks(officer, "activity-refused", WIDE)
    officer.check("#id_extra_fee_0")
    officer.set_input_files("#id_files", paper)
    officer.click("main button:has-text('备案')")
    expect(officer.locator("main")).to_contain_text("1 人中行业企业 1 人，占 100.0%")
    looks(officer, "activity", WIDE)
    activity = Activity.objects.get()

    school = visit(world.contact, PHONE, scripts)
    school.goto(f"{live_server.url}/activities/")
    looks(school, "activities", PHONE)
    school.click("main td a:has-text('演示运维师资培训')")
    looks(school, "activity", PHONE)
    school.click("a:has-text('为本校教师报名')")
    school.check("text=王老师（0012）")
    looks(school, "sign-up", PHONE)
    school.click("main button:has-text('报名')")
    expect(school.locator("main")).to_contain_text("本校报名（1 人）")
    school.goto(f"{live_server.url}/activities/calendar/")
    expect(school.locator(".activity-days")).to_contain_text("演示运维师资培训")
    expect(school.locator(".activity-month")).to_be_hidden()
    looks(school, "calendar", PHONE)

    world.at(activity.starts_at)
    officer.goto(f"{live_server.url}/activities/{activity.pk}/")
    officer.click("a:has-text('登记到会和结果')")
    row = activity.sign_ups.get()
    officer.select_option("#id_rest", "yes")
    officer.select_option("#id_kind", "trainer")
    officer.select_option("#id_certificate_level", label=str(world.level))
    officer.fill(f"#id_result-{row.pk}", "合格")
    officer.check(f"#id_qualifies-{row.pk}")
    officer.fill(f"#id_number-{row.pk}", "演示2020001")
    looks(officer, "results", WIDE)
    officer.click("main button:has-text('保存')")
    expect(officer.locator("main")).to_contain_text("已登记 1 人")
    assert Qualification.objects.get().obtained_on == clock.today()

    school.goto(f"{live_server.url}/teachers/")
    expect(school.locator("main")).to_contain_text("培训资格")
    looks(school, "teachers", PHONE)
    school.click("main td a:has-text('王老师')")
    expect(school.locator("main")).to_contain_text("演示2020001")
    looks(school, "teacher", PHONE)


def test_the_calendar_by_keyboard_and_the_other_pages_at_both_widths(world, live_server, visit):
    from evaluators.services import teachers
    from evaluators.tests.activity_rows import file

    file(world, trainers=[trainer(world)])
    trainer(world, name="院校专家", kind="school")
    trainer(world, name="院校专家二", kind="school")
    resource(world, updated_on=clock.today().replace(year=2019, month=1))
    teacher(world)
    teachers.set_rule(
        fields={"effective_from": clock.today(), "students_per_trainer": 80, "document": "演示文号"},
        by=world.office,
        at=clock.now(),
    )
    for size in (WIDE, PHONE):
        officer, office = visit(world.evaluator_officer, size), visit(world.office, size)
        office.goto(f"{live_server.url}/activities/calendar/")
        looks(office, "calendar", size)
        link = office.locator("a:has-text('演示运维师资培训')").locator("visible=true").first
        link.focus()
        office.keyboard.press("Enter")
        expect(office.locator("h1")).to_contain_text("演示运维师资培训")
        office.goto(f"{live_server.url}/teachers/ratios/")
        looks(office, "ratios", size)
        office.goto(f"{live_server.url}/resources/{world.level.pk}/")
        looks(office, "resource", size)
        officer.goto(f"{live_server.url}/trainers/")
        looks(officer, "trainers", size)
        officer.goto(f"{live_server.url}/resources/")
        looks(officer, "resources", size)
        officer.goto(f"{live_server.url}/activities/new/")
        looks(officer, "activity-form", size)


def test_the_list_shows_state_and_filing_without_scrolling(world, live_server, visit):
    from evaluators.tests.activity_rows import file

    name = "新能源装备技术职业技能等级标准宣贯暨第一期师资培训活动（线下）"
    file(world, title=name, place="山西演示职业技术学院图书馆二层报告厅", fee=600, fee_basis="晋演示1号")
    for who in (world.evaluator_officer, world.office):
        for size in (WIDE, PHONE):
            page = visit(who, size)
            page.goto(f"{live_server.url}/activities/")
            looks(page, f"list-{who.username}", size)
            frame = page.locator(".table-wrap")
            assert frame.evaluate("frame => frame.scrollWidth <= frame.clientWidth"), (who, size)
            expect(frame).to_contain_text("提前备案")
            assert (page.locator("td[data-label=培训评价组织]").count() == 0) is (who != world.office)


def test_taking_a_sign_up_back_asks_first(world, live_server, visit):
    from evaluators.tests.activity_rows import file, sign_up

    activity = file(world)
    sign_up(activity, teacher(world, name="王老师"), by=world.contact)
    page, asked = visit(world.contact, PHONE), []
    page.goto(f"{live_server.url}/activities/{activity.pk}/")
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.click("button:has-text('取消报名')")
    assert "取消王老师的报名？" in asked[0]
    assert activity.sign_ups.active().exists()
    page.once("dialog", lambda dialog: dialog.accept())
    page.click("button:has-text('取消报名')")
    expect(page.locator("main")).to_contain_text("本校报名（0 人）")
    assert not activity.sign_ups.active().exists()
