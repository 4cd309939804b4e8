"""The roster: what a row means, all or nothing, twice the same, and back again."""

import datetime as dt
import io
import threading
import time

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from accounts.models import Organization, OrganizationAlias, PilotMembership
from accounts.services import end_membership
from certificates.models import Certificate, CertificateLevel
from core import clock
from core.imports import services as imports
from core.imports.resource import NotApplied
from core.imports.template import build_template
from core.models import Event
from core.tests.races import together
from obligations.models import Obligation
from schools import resources, services
from schools.models import AnnualPlan, Programme, School
from schools.tests.rosters import GOOD, HEADINGS, check, row, take_in, workbook


def messages(outcome):
    return [(error.row, error.heading, error.message) for error in outcome.errors]


def only_message(by, *rows):
    found = messages(check(by, *rows))
    assert len(found) == 1, found
    return found[0]


def counts():
    return [m.objects.count() for m in (Organization, School, Programme, AnnualPlan, OrganizationAlias)]


def test_a_new_school_with_its_programme_and_plan(world):
    job = take_in(world.office, GOOD)
    assert (job.state, job.result["stage"], job.result["new"]) == ("done", "applied", 1)
    school = School.objects.get(organization__code="4214000001")
    assert school.organization.name == "新建演示职业学校"
    assert school.organization.pinyin.startswith("xjys")
    assert school.organization.supervisor == world.bureau
    assert school.contact_mobile == "13800000000"
    assert [a.name for a in school.organization.aliases.all()] == ["新建职校"]
    assert AnnualPlan.objects.get(programme__school=school).candidates == 120
    assert Event.objects.about(school.organization).filter(action="programme_started").exists()
    assert "13800000000" not in str(list(Event.objects.values_list("changes", flat=True)))


def test_a_new_school_owes_from_the_next_period(world):
    take_in(world.office, GOOD)
    organization = Organization.objects.get(code="4214000001")
    assert not organization.obligations.exists()
    world.at("2020-11-25T10:00:00+08:00")
    world.add_week("2020-W48")
    assert Obligation.objects.filter(organization=organization, key="2020-W48").exists()


def test_the_same_file_twice_changes_nothing_and_says_so(world, client_for):
    take_in(world.office, GOOD)
    before, events = counts(), Event.objects.filter(action="school_changed").count()
    job = take_in(world.office, GOOD)
    assert (job.result["stage"], job.result["same"], job.result["news"]) == ("checked", 1, 0)
    assert counts() == before
    assert Event.objects.filter(action="school_changed").count() == events
    page = client_for(world.office).get(f"/jobs/{job.pk}/").content.decode()
    assert "没有需要导入的内容" in page


def test_all_or_nothing(world):
    before = counts()
    job = take_in(world.office, GOOD, row(学校代码="4214000002", 学校名称="又一所", 拟考证人数=-1))
    assert job.result["stage"] == "checked"
    assert job.result["error_count"] == 1
    assert counts() == before


def test_one_school_on_several_rows(world):
    CertificateLevel.objects.create(certificate=world.certificate, level=1)
    job = take_in(
        world.office,
        GOOD,
        row(证书等级="初级", 拟考证人数=30, 别名=None),
        row(年度=2021, 拟考证人数=150),
    )
    school = School.objects.get(organization__code="4214000001")
    assert job.result["new"] == 3
    assert school.programmes.count() == 2
    assert sorted(AnnualPlan.objects.filter(programme__school=school).values_list("year", "candidates")) == [
        (2020, 30),
        (2020, 120),
        (2021, 150),
    ]


def test_changed_facts_and_plan(world):
    take_in(world.office, GOOD)
    changed = row(学校名称="新建演示技术学校", 拟考证人数=200, 联系人手机="13900000000", 是否牵头院校="是")
    job = take_in(world.office, changed)
    assert (job.result["new"], job.result["update"]) == (0, 1)
    school = School.objects.get(organization__code="4214000001")
    assert (str(school), school.is_lead, school.contact_mobile) == ("新建演示技术学校", True, "13900000000")
    assert school.organization.aliases.filter(name="新建演示职业学校").exists()
    event = Event.objects.about(school.organization).get(action="school_changed")
    assert event.changes["名称"] == ["新建演示职业学校", "新建演示技术学校"]
    assert "13900000000" not in str(event.changes)


def test_blank_cells_clear_nothing(world):
    take_in(world.office, GOOD)
    job = take_in(world.office, row(联系人姓名=None, 联系人手机=" ", 别名=None, 是否牵头院校=None))
    assert not job.result["news"]


def test_an_alias_is_no_new_name(world):
    take_in(world.office, GOOD)
    assert check(world.office, row(学校名称="新建职校")).same == 1


def test_an_alias_that_is_a_code_finds_the_school(world):
    OrganizationAlias.objects.create(organization=world.school_org, name="12345")
    facts = {"学校代码": "12345", "学校名称": str(world.school), "别名": None, "联系人手机": None}
    outcome = check(world.office, row(**facts, 联系人姓名=None, 联系人邮箱=None, 拟考证人数=100))
    assert (outcome.same, messages(outcome)) == (1, [])


def test_a_college_of_the_reference_data_gets_its_profile(world):
    Organization.objects.create(
        kind="school", name="演示大学", code="4114099999", city=world.city, supervisor=world.province
    )
    take_in(
        world.office, row(学校代码="4114099999", 学校名称="演示大学", 办学类型="应用型本科", 主管部门="省")
    )
    school = School.objects.get(organization__code="4114099999")
    assert school.kind == "applied_bachelor"
    assert school.organization.memberships.count() == 1


def test_a_name_under_another_code(world):
    number, heading, message = only_message(world.office, row(学校名称=str(world.school)))
    assert (number, heading) == (2, "学校代码")
    assert world.school_org.code in message


def test_one_name_with_two_codes_in_the_file(world):
    found = only_message(world.office, GOOD, row(学校代码="4214000009"))
    assert found[0] == 3
    assert "第2行" in found[2]


def test_contradicting_rows_are_both_named(world):
    CertificateLevel.objects.create(certificate=world.certificate, level=1)
    number, heading, message = only_message(world.office, GOOD, row(证书等级="初级", 办学类型="高等职业学校"))
    assert (number, heading) == (3, "办学类型")
    assert "第2行" in message
    assert "中等职业学校" in message


def test_repeated_row(world):
    number, heading, message = only_message(world.office, GOOD, GOOD)
    assert (number, heading) == (3, "")
    assert "第2行重复" in message


@pytest.mark.parametrize(
    ("changes", "heading", "words"),
    [
        ({"办学类型": "技工学校"}, "办学类型", "不含技工学校"),
        ({"学校名称": "某某技工学校"}, "学校名称", "晋教职成〔2020〕9号 三.1"),
        ({"办学类型": "小学"}, "办学类型", "请从这些中选一个"),
        ({"所在市": "北京市"}, "所在市", "没有“北京市”这个市"),
        ({"主管部门": "某厅"}, "主管部门", "省属的写“省”"),
        ({"拟考证人数": -5}, "拟考证人数", "负数"),
        ({"拟考证人数": 12.5}, "拟考证人数", "不是整数"),
        ({"年度": 2050}, "年度", "2050 年太远"),
        ({"年度": 1999}, "年度", "超出范围"),
        ({"年度": None}, "年度", "就要填年度"),
        ({"拟考证人数": None}, "拟考证人数", "就要填拟考证人数"),
        ({"证书名称": "没有的证书"}, "证书名称", "证书目录里没有"),
        ({"证书等级": "高级"}, "证书等级", "目录中有：中级"),
        ({"证书等级": None}, "证书等级", "就要填证书等级"),
        ({"证书等级": "五级"}, "证书等级", "初级、中级、高级"),
        ({"培训评价组织": "别的组织"}, "培训评价组织", "名下没有这个证书"),
        ({"学校代码": 1.2345678901234567e17}, "学校代码", "已丢失"),
        ({"学校代码": None}, "学校代码", "必填"),
        ({"学校名称": "  "}, "学校名称", "必填"),
        ({"联系人手机": "123"}, "联系人手机", "11 位手机号"),
        ({"联系人邮箱": "甲"}, "联系人邮箱", "不是电子邮箱"),
        ({"学校名称": dt.date(2020, 1, 1)}, "学校名称", "日期"),
    ],
)
def test_refused_cells(world, changes, heading, words):
    found = only_message(world.office, row(**changes))
    assert found[:2] == (2, heading)
    assert words in found[2]


def test_every_error_of_every_row_at_once(world):
    outcome = check(
        world.office,
        row(办学类型="小学", 所在市="北京市"),
        row(拟考证人数=-1, 学校代码="4214000002", 学校名称="乙"),
    )
    assert [(e.row, e.heading) for e in outcome.errors] == [(2, "办学类型"), (2, "所在市"), (3, "拟考证人数")]


def test_a_name_shared_by_two_owners_asks_for_the_owner(world):
    other = Organization.objects.create(kind="evaluator", name="另一演示组织", code="E2")
    twin = Certificate.objects.create(name=world.certificate.name, owner=other)
    CertificateLevel.objects.create(certificate=twin, level=2)
    assert "请填写培训评价组织" in only_message(world.office, GOOD)[2]
    OrganizationAlias.objects.create(organization=other, name="另一")
    assert not messages(check(world.office, row(培训评价组织="另一")))


def test_undo_takes_everything_back(world):
    before = counts()
    job = take_in(world.office, GOOD)
    imports.undo(job=job, by=world.office, at=clock.now())
    assert counts() == before
    job.refresh_from_db()
    assert job.result["stage"] == "undone"
    imports.undo(job=job, by=world.office, at=clock.now())
    assert take_in(world.office, GOOD).result["stage"] == "applied"


def test_undo_gives_old_values_back(world):
    take_in(world.office, GOOD)
    changed = row(
        学校名称="改名后", 拟考证人数=200, 联系人手机="13900000000", 所在市="长治市", 主管部门="长治"
    )
    job = take_in(world.office, changed)
    imports.undo(job=job, by=world.office, at=clock.now())
    school = School.objects.get(organization__code="4214000001")
    assert (str(school), school.contact_mobile) == ("新建演示职业学校", "13800000000")
    assert (school.organization.city, school.organization.supervisor) == (world.city, world.bureau)
    assert AnnualPlan.objects.get(programme__school=school).candidates == 120
    assert [a.name for a in school.organization.aliases.all()] == ["新建职校"]


def used_by_account(world, school):
    world.add_user("school_contact", school.organization, "newcomer")


def used_by_obligation(world, school):
    world.at("2020-11-25T10:00:00+08:00")
    world.add_week("2020-W48")


def changed_plan(world, school):
    programme = school.programmes.get()
    services.set_annual_plan(programme=programme, year=2020, candidates=7, by=world.office, at=clock.now())


def ended_programme(world, school):
    at = world.at("2020-11-19T10:00:00+08:00")
    services.end_programme(programme=school.programmes.get(), reason="停办", by=world.office, at=at)


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (used_by_account, "账号"),
        (used_by_obligation, "报送任务"),
        (changed_plan, "导入后又改过"),
        (ended_programme, "导入后已结束"),
    ],
)
def test_no_undo_of_what_is_used(world, use, words):
    job = take_in(world.office, GOOD)
    use(world, School.objects.get(organization__code="4214000001"))
    before = counts()
    with pytest.raises(imports.CannotUndo, match=words):
        imports.undo(job=job, by=world.office, at=clock.now())
    assert counts() == before


def test_two_thousand_rows(world, django_assert_max_num_queries):
    rows = [
        row(学校代码=f"42150{n:05d}", 学校名称=f"演示学校{n:05d}", 别名=f"校{n:05d}") for n in range(2000)
    ]
    content = workbook(*rows)
    sheet = resources.RosterResource(by=world.office, at=clock.now())
    with django_assert_max_num_queries(300):
        assert sheet.check(content, "名册.xlsx").new == 2000
        assert sheet.apply(content, "名册.xlsx").new == 2000
    assert AnnualPlan.objects.filter(candidates=120).count() == 2000


def test_template_comes_back_empty_and_filled(world):
    template = build_template(resources.RosterResource, resources.options())
    book = load_workbook(io.BytesIO(template))
    assert [cell.value for cell in book["院校名册"][1]] == HEADINGS
    assert book["院校名册"]["A2"].number_format == "@"
    for number, heading in enumerate(HEADINGS, 1):
        book["院校名册"].cell(2, number).value = GOOD.get(heading.rstrip("*"))
    buffer = io.BytesIO()
    book.save(buffer)
    outcome = resources.RosterResource(by=world.office, at=clock.now()).check(buffer.getvalue(), "名册.xlsx")
    assert (outcome.new, messages(outcome)) == (1, [])


def test_only_the_office_registers(world):
    with pytest.raises(Exception, match="推进办"):
        services.register_school(
            facts=services.SchoolFacts("1", {"name": "甲"}), by=world.city_officer, at=clock.now()
        )


def test_by_hand_never_twice(world):
    with pytest.raises(ValidationError, match="已登记"):
        services.register_school(
            facts=services.SchoolFacts(world.school_org.code, {"name": "甲"}), by=world.office, at=clock.now()
        )


CELL = st.one_of(
    st.none(),
    st.sampled_from([*GOOD.values(), "技工学校", "省", "高级", "=1", "\t", "4214000001"]),
    st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.dates(dt.date(1950, 1, 1), dt.date(2100, 1, 1)),
)


@settings(max_examples=40)
@given(rows=st.lists(st.lists(CELL, min_size=len(HEADINGS), max_size=len(HEADINGS)), min_size=1, max_size=4))
def test_no_garbage_is_more_than_a_reported_error(world, rows):
    """Through the file and back: refused whole, or each row an outcome or an error."""
    named = [dict(zip((h.rstrip("*") for h in HEADINGS), cells, strict=True)) for cells in rows]
    try:
        outcome = check(world.office, *named)
    except imports.FileRefused:
        return
    filled = [cells for cells in rows if any(str(value or "").strip() for value in cells)]
    assert outcome.rows <= len(rows)
    assert outcome.rows >= min(1, len(filled))


def test_a_roster_brings_no_school_back_that_has_left(world):
    given = row(学校代码=world.school_org.code, 学校名称=world.school_org.name, 办学类型="中等职业学校")
    sheet = resources.RosterResource(by=world.office, at=clock.now())
    assert sheet.check(workbook(given), "名册.xlsx").errors == []
    end_membership(organization=world.school_org, at=clock.now(), by=world.office, reason="试点资格已取消")
    with pytest.raises(NotApplied) as refused:
        sheet.apply(workbook(given), "名册.xlsx")
    for outcome in (refused.value.outcome, check(world.office, given)):
        assert [(heading, "退出试点" in said) for _, heading, said in messages(outcome)] == [
            ("学校代码", True)
        ]
    assert not PilotMembership.objects.as_of(clock.now()).filter(organization=world.school_org).exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_school_that_leaves_while_the_roster_is_written_stays_out(world):
    code, name = world.school_org.code, world.school_org.name
    third = CertificateLevel.objects.create(certificate=world.certificate, level=3)
    given = workbook(row(学校代码=code, 学校名称=name, 证书名称=world.certificate.name, 证书等级="高级"))
    held, at = threading.Event(), clock.now()
    world.at(at + dt.timedelta(seconds=1))

    def leave():
        with transaction.atomic():
            end_membership(organization=world.school_org, at=clock.now(), by=world.office, reason="撤并")
            held.set()
            time.sleep(0.6)

    def take():
        held.wait(timeout=20)
        with pytest.raises(NotApplied):
            resources.RosterResource(by=world.office, at=at).apply(given, "名册.xlsx")

    together(leave, take)
    assert not Programme.objects.filter(school=world.school, certificate_level=third).exists()
    assert not PilotMembership.objects.as_of(clock.now()).filter(organization=world.school_org).exists()
