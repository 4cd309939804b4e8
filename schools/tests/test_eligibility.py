"""Who may apply, until when, and what blocks an item: each with its clause, the same to form and approval."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certificates.models import Certificate, CertificateLevel, Major
from core import clock
from funding.models import FeeCap
from funding.tests import fees
from schools import content as shape
from schools import eligibility
from schools.grounds import Ground
from schools.levels import of_closed_batches
from schools.models import AgreementParty, AnnualPlan, ApplicationItem, ItemFile, Programme, RoundExtension
from schools.rules import problems_of
from schools.services import end_programme
from schools.standing import with_agreement
from schools.tests.applying import add_plan, agreement_for, complete, filled
from schools.tests.builders import make_application, make_item, make_round

MICROSECOND = dt.timedelta(microseconds=1)


@pytest.fixture
def level(world):
    """A certificate that no school of the world runs."""
    certificate = Certificate.objects.create(
        name="演示网络职业技能等级证书", owner=world.evaluator_org, batch="三"
    )
    return CertificateLevel.objects.create(certificate=certificate, level=2, exam_form="computer")


@pytest.fixture
def item(world, level):
    """A complete item."""
    application = make_application(make_round(document="演示〔2020〕1号"), world.school)
    return complete(make_item(application, level, state="draft"))


def fresh(item):
    return ApplicationItem.objects.get(pk=item.pk)


def obstacles(item):
    return eligibility.obstacles(fresh(item), clock.now())


def change(item, **fields):
    ApplicationItem.objects.filter(pk=item.pk).update(**fields)


def change_round(item, **fields):
    type(item.application.round).objects.filter(pk=item.application.round_id).update(**fields)


def test_what_an_approval_would_replace_is_told(world, item):
    programme = world.add_programme(world.school, item.certificate_level)
    year, total = item.application.round.year, fresh(item).planned_total

    def told(**plan):
        programme.plans.update(year=year, **plan)
        [standing] = eligibility.standings([fresh(item)], clock.now())
        [warning] = [warning.text for warning in standing.warnings if warning.field == "planned_new"]
        return warning

    assert told(candidates=154) == f"{year} 年计划现为 154 人，批准后改为 {total} 人。"
    assert told(candidates=total, carried_over=5) == (
        f"{year} 年计划现为 {total} 人（其中沿用上年 5 人），批准后改为 {total} 人（其中沿用上年 0 人）。"
    )
    assert "人数不变" in told(candidates=total, carried_over=0)


def test_nothing_stands_against_a_complete_item(item):
    assert obstacles(item) == []


@pytest.mark.parametrize(
    ("fields", "words", "clause"),
    [
        ({"planned_new": 0}, "至少 1 人", "四.4"),
        ({"trainers": 0}, "具备培训资格的教师", "三.4"),
        ({"equipment": ""}, "实训设备与场地", "晋教职成〔2020〕9号 三.2"),
        ({"justification": ""}, "论证意见", "三.2：逐一严格论证"),
        ({"is_voluntary": False}, "学生自愿", "三.2"),
        ({"is_no_condition": False}, "毕业条件", "三.5"),
        ({"carried_over": 1}, "不能沿用", "演示〔2020〕1号"),
    ],
)
def test_each_gap_is_named_with_its_clause(item, fields, words, clause):
    change(item, **fields)
    [reason] = obstacles(item)
    assert words in reason
    assert clause in reason


def test_no_agreement_no_pilot(item, level):
    change(item, agreement=None)
    AgreementParty.objects.all().delete()
    [reason] = obstacles(item)
    assert "试点合作协议" in reason
    assert "三.6：签署试点合作协议前，不得开展试点" in reason
    # What was handed in is judged as it was sent.
    agreement_for(level, item.application.school)
    assert obstacles(item) == []
    change(item, state="first_reviewed")
    assert obstacles(item) == [reason]


def test_majors_and_the_plan_of_this_very_certificate(item):
    item.majors.all().delete()
    ItemFile.objects.filter(item=item).update(removed_at=clock.now())
    majors, plan = obstacles(item)
    assert "至少填写一个对应专业" in majors
    assert "一证一方案" in plan
    add_plan(item)
    assert len(obstacles(item)) == 1


def test_the_form_says_what_the_approval_says(item):
    """The same facts typed and stored have the same obstacles."""
    change(item, trainers=0, is_voluntary=False)
    stored = obstacles(item)
    typed = filled(item, trainers="", is_voluntary="", agreement=str(item.agreement_id))
    change(item, draft=typed, trainers=9, is_voluntary=True)
    assert eligibility.missing(fresh(item), clock.now()) == stored


def test_what_cannot_be_read_is_told_once(item):
    change(item, draft=filled(item, planned_new="四十", agreement=str(item.agreement_id)))
    [reason] = eligibility.missing(fresh(item), clock.now())
    assert reason == "新增拟考证人数：请填写数字，没有请填 0。"


def test_a_minimum_names_its_document(item):
    change_round(item, minimum_candidates=41)
    [reason] = obstacles(item)
    assert "最少 41 人（演示〔2020〕1号）" in reason
    change_round(item, minimum_candidates=40)
    assert obstacles(item) == []


# --- Agreements


def test_another_schools_agreement_is_refused_and_stays_theirs(world, item, level):
    change(item, agreement=agreement_for(level, world.other_school))
    [reason] = obstacles(item)
    assert "本校不是所选协议的签约院校" in reason
    assert "三.6" in reason
    assert "长治" not in reason


def test_one_price_for_several_schools_once_each_has_said_yes(world, item, level):
    joint = agreement_for(level, world.other_school, world.school, confirmed=False)
    change(item, agreement=joint)
    assert "本校还没有确认" in obstacles(item)[0]
    joint.parties.filter(school=world.school).update(confirmed_at=clock.now(), confirmed_by=world.contact)
    assert obstacles(item) == []


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ({"signed_on": 0}, None),
        ({"signed_on": 1}, "还没有到"),
        ({"valid_until": 0}, None),
        ({"valid_until": -1}, "到期"),
        ({"ended_on": 0}, "终止"),
        ({"ended_on": 1}, None),
    ],
)
def test_an_agreement_holds_from_its_first_day_to_its_last(world, item, level, days, words):
    fields = {name: clock.today() + dt.timedelta(days=number) for name, number in days.items()}
    if "ended_on" in fields:
        fields["ended_by"] = world.contact
    change(item, agreement=agreement_for(level, world.school, **fields))
    found = obstacles(item)
    assert (found == []) if words is None else (words in found[0])


def test_an_agreement_for_another_level_or_without_its_text(world, item, level):
    change(item, agreement=agreement_for(world.level, world.school))
    assert "不是“演示网络（中级）”的" in obstacles(item)[0]
    change(item, agreement=agreement_for(level, world.school, with_file=False))
    assert "签字盖章的文本" in obstacles(item)[0]


def test_the_fee_is_held_against_the_cap_of_today(world, item, level):
    cap = {
        "exam_form": "computer",
        "document": "演示上限1号",
        "created_by": world.office,
        "created_at": clock.now(),
    }
    FeeCap.objects.create(amount="200.00", effective_from=clock.today(), **cap)
    assert obstacles(item) == []
    FeeCap.objects.create(amount="199.99", effective_from=clock.today() + dt.timedelta(days=1), **cap)
    assert obstacles(item) == []
    [reason] = eligibility.obstacles(fresh(item), clock.now() + dt.timedelta(days=1))
    assert reason.startswith("协议签署时符合当时上限，但协议费用 200.00 元高于现行考核成本上限 199.99 元/人")
    assert "演示上限1号" in reason
    assert "请与评价组织重新协商" in reason


def test_the_agreement_itself_stays_in_force_for_the_programme_that_runs_on_it(world, item, level):
    programme = world.add_programme(world.school, level)
    FeeCap.objects.create(
        exam_form="computer",
        amount="199.99",
        effective_from=clock.today(),
        document="演示上限1号",
        created_by=world.office,
        created_at=clock.now(),
    )
    assert obstacles(item)
    running = with_agreement(Programme.objects.filter(pk=programme.pk), clock.today()).get()
    assert running.has_agreement
    change(item, is_renewal=True)
    assert obstacles(item) == []


# --- Certificates of earlier batches, renewals, carry-over


def test_earlier_batches_are_closed_to_schools_that_never_ran_them(world, item, level):
    change_round(item, closed_batches=["三"])
    [reason] = obstacles(item)
    assert "第三批证书，本批次不再新增这一批证书的试点单位" in reason
    other_level = CertificateLevel.objects.create(certificate=level.certificate, level=1)
    programme = world.add_programme(world.school, other_level)
    assert obstacles(item) == []
    end_programme(programme=programme, reason="不再开展", by=world.office, at=clock.now())
    assert obstacles(item) == []


@pytest.mark.parametrize("batch", ["三", ""])
@pytest.mark.parametrize("closed", [["三"], ["一"], []])
@pytest.mark.parametrize("is_same_level", [True, False])
@pytest.mark.parametrize("run", ["never", "now", "once", "elsewhere"])
def test_what_is_offered_to_add_is_what_may_be_handed_in(
    world, item, level, batch, closed, is_same_level, run
):
    """The list asks the database (`of_closed_batches`), the check asks the item's ground (RULES)."""
    change_round(item, closed_batches=closed)
    Certificate.objects.filter(pk=level.certificate_id).update(batch=batch)
    ran = level if is_same_level else CertificateLevel.objects.create(certificate=level.certificate, level=1)
    if run != "never":
        programme = world.add_programme(world.other_school if run == "elsewhere" else world.school, ran)
        ended_at = clock.now() - dt.timedelta(days=1) if run == "once" else None
        Programme.objects.filter(pk=programme.pk).update(ended_at=ended_at)
    application = fresh(item).application
    listed = CertificateLevel.objects.filter(of_closed_batches(application), pk=level.pk).exists()
    blocked = [reason for reason in obstacles(item) if "不再新增这一批证书的试点单位" in reason]
    is_closed = batch in closed and run not in {"now", "once"}
    assert (listed, len(blocked)) == (is_closed, int(is_closed))


def test_a_renewal_says_how_many_and_nothing_else(world):
    application = make_application(make_round(year=2021, allows_carry_over=True), world.school)
    renewal = make_item(application, world.level, state="draft", is_renewal=True, planned_new=0)
    [reason] = obstacles(renewal)
    assert "至少 1 人" in reason
    change(renewal, planned_new=10, carried_over=100)
    assert obstacles(renewal) == []
    [standing] = eligibility.standings([fresh(renewal)], clock.now())
    assert "没有登记有效的试点合作协议" in standing.warnings[0].text
    agreement_for(world.level, world.school)
    [standing] = eligibility.standings([fresh(renewal)], clock.now())
    assert ["不影响提交" in warning.text for warning in standing.warnings] == [True]
    CertificateLevel.objects.filter(pk=world.level.pk).update(exam_form="computer")
    fees.cap(world, "9999")
    [standing] = eligibility.standings([fresh(renewal)], clock.now())
    assert standing.warnings == []


def test_a_renewal_of_what_has_ended_is_stopped(world):
    application = make_application(make_round(year=2021), world.school)
    renewal = make_item(application, world.level, state="draft", is_renewal=True)
    end_programme(programme=world.programme, reason="不再开展", by=world.office, at=clock.now())
    world.at(clock.now() + MICROSECOND)
    assert "已经结束" in obstacles(renewal)[0]


@settings(max_examples=40)
@given(new=st.integers(0, 300), carried=st.integers(0, 300), least=st.integers(1, 300))
def test_total_and_carry_over(world, new, carried, least):
    """What is carried over counts in the total and never exceeds last year's plan (100)."""
    facts = shape.Facts(planned_new=new, carried_over=carried)
    item = ApplicationItem(is_renewal=True)
    item.application = make_unsaved(world, least)
    item.certificate_level = world.level
    ground = Ground(clock.now(), last_plan=100, is_running=True)
    found = {problem.field for problem in problems_of(item, facts, ground)}
    assert ("planned_new" in found) == (new + carried < least)
    assert ("carried_over" in found) == (carried > 100)


def make_unsaved(world, least):
    from schools.models import Application, ApplicationRound

    round = ApplicationRound(
        year=2021, number=1, allows_carry_over=True, minimum_candidates=least, kinds=[world.school.kind]
    )
    return Application(round=round, school=world.school)


def test_nothing_to_carry_over_without_a_plan_of_last_year(world):
    AnnualPlan.objects.all().delete()
    application = make_application(make_round(year=2021, allows_carry_over=True), world.school)
    renewal = make_item(application, world.level, state="draft", is_renewal=True, carried_over=1)
    assert "没有 2020 年计划" in obstacles(renewal)[0]


# --- Majors


def test_majors_are_read_from_lines_and_held_against_the_catalogue(world, item):
    Major.objects.create(code="710202", name="计算机网络技术", level="中职", catalogue="2021年")
    change_round(item, catalogue="2021年")
    text = "７１０２０２　计算机网络技术\n710202\n\n710299，虚拟现实应用\n没有代码"
    change(item, draft=filled(item, majors=text, agreement=str(item.agreement_id)))
    [standing] = eligibility.standings([fresh(item)], clock.now())
    assert [str(line) for line in standing.facts.majors] == [
        "710202 计算机网络技术",
        "710202",
        "710299 虚拟现实应用",
    ]
    assert [problem.text for problem in standing.problems] == [
        "对应专业“没有代码”：请每行写一个专业，先写 4 至 8 位代码，再写名称。"
    ]
    [warning] = [warning for warning in standing.warnings if warning.field == "majors"]
    assert "710299 虚拟现实应用”不在2021年中" in warning.text


# --- The door and the time


def test_a_school_of_another_kind_and_a_technical_school_stay_outside(world, item):
    round = item.application.round
    assert eligibility.door(round, world.school, clock.now()) == []
    round.kinds = ["higher_vocational"]
    [reason] = eligibility.door(round, world.school, clock.now())
    assert "面向高等职业学校，贵校登记的办学类型是“中等职业学校”" in reason
    world.school_org.name = "太原演示技工学校"
    [reason] = eligibility.door(round, world.school, clock.now())
    assert "鄂教职成办函〔2021〕7号 二；晋教职成〔2020〕9号 三.1" in reason


def test_the_door_opens_and_closes_half_open(world, item):
    round, school = item.application.round, world.school

    def door(at):
        return eligibility.door(round, school, at)

    assert "开始申报，现在还不能填写" in door(round.opens_at - MICROSECOND)[0]
    assert door(round.opens_at) == []
    assert door(round.school_closes_at - MICROSECOND) == []
    assert "截止（演示〔2020〕1号）" in door(round.school_closes_at)[0]


def test_a_named_extension_is_for_that_school_alone(world, item):
    round = item.application.round
    closing = round.school_closes_at
    RoundExtension.objects.create(
        round=round,
        organization=world.school_org,
        school_closes_at=closing + dt.timedelta(days=1),
        city_closes_at=round.city_closes_at,
        province_closes_at=round.province_closes_at,
        reason="停电",
        created_by=world.office,
        created_at=clock.now(),
    )
    assert eligibility.door(round, world.school, closing) == []
    assert eligibility.door(round, world.other_school, closing) != []
    assert eligibility.missing(fresh(item), closing) == []
    assert eligibility.missing(fresh(item), closing + dt.timedelta(days=1)) != []


@pytest.mark.parametrize(("returned_from", "step"), [("submitted", "city"), ("first_reviewed", "province")])
def test_a_returned_item_may_be_mended_until_the_step_that_returned_it_closes(item, returned_from, step):
    change(item, state="returned", returned_from=returned_from)
    item = fresh(item)
    until = getattr(eligibility.closings(item), step)
    assert eligibility.closed(item, until - MICROSECOND) == []
    assert "退回后的修改已于" in eligibility.closed(item, until)[0]


def test_many_items_take_no_more_queries_than_one(world, item, django_assert_max_num_queries):
    levels = [item.certificate_level]
    for number in range(3):
        certificate = Certificate.objects.create(name=f"证书{number}", owner=world.evaluator_org)
        levels.append(CertificateLevel.objects.create(certificate=certificate, level=1))
    items = [complete(make_item(item.application, level, state="submitted")) for level in levels[1:]]

    def count(pks):
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        rows = list(ApplicationItem.objects.filter(pk__in=pks))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            eligibility.load(rows, clock.now())
            assert [eligibility.obstacles(row, clock.now()) for row in rows] == [[]] * len(rows)
        return len(queries)

    assert count([item.pk]) == count([item.pk, *(one.pk for one in items)])


def test_a_programme_of_another_school_does_not_open_a_batch(world, item, level):
    change_round(item, closed_batches=["三"])
    Programme.objects.create(
        school=world.other_school, certificate_level=level, started_at=clock.now() - dt.timedelta(days=9)
    )
    assert len(obstacles(item)) == 1


def test_without_a_cap_the_fee_is_accepted_and_said_to_be_listed(item):
    def told():
        [standing] = eligibility.standings([fresh(item)], clock.now())
        return standing.problems, [p.text for p in standing.warnings if p.field == "agreement"]

    problems, [warning] = told()
    assert problems == []
    assert "未设上限" in warning
    assert "教职成厅函〔2019〕19号 三(二)" in warning
    FeeCap.objects.create(
        exam_form="computer",
        amount=300,
        effective_from=clock.today(),
        document="演示〔2020〕2号",
        created_by=item.application.started_by,
        created_at=clock.now(),
    )
    assert told() == ([], [])
