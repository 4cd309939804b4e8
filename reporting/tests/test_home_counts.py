"""What waits beside reporting stands on the home, and leads to the list that holds just that."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils.html import escape

from certificates.models import Certificate, CertificateLevel, ExamForm
from certificates.tests.test_credit import filed as submit_proposal
from certificates.tests.test_credit import published
from core import clock
from evaluators.models import Activity, Charge, SignUp
from evaluators.services import charges, filings, sites
from evaluators.tests.activity_rows import HOUR, sign_up, teacher
from evaluators.tests.activity_rows import file as file_activity
from evaluators.tests.filed import submit as submit_filing
from evaluators.tests.filed import unfiled
from evaluators.tests.siting import applied
from funding.models import Allocation, FeeStandard
from reporting import home_counts
from reporting.tests.weekly import file
from schools.models import ApplicationItem, ExpertOpinion, PlatformApproval
from schools.tests.applying import agreement_for
from schools.tests.builders import make_application, make_item, make_round
from schools.tests.filed import addresses as filing_and_opinion
from schools.tests.published import addresses as objection


def level_of(world, name):
    certificate = Certificate.objects.create(name=f"{name}职业技能等级证书", owner=world.evaluator_org)
    return CertificateLevel.objects.create(certificate=certificate, level=1)


def figures(user):
    return {figure.label: figure.number for figure in home_counts.counts(user)}


def propose(world, **fields):
    return FeeStandard.objects.create(
        evaluator=world.evaluator_org,
        certificate_level=world.level,
        exam_form=ExamForm.COMPUTER,
        amount=Decimal("200"),
        effective_from=clock.today(),
        proposed_by=world.evaluator_officer,
        proposed_at=clock.now(),
        **fields,
    )


@pytest.fixture
def busy(world):
    """An item at each step, a filing, an objection, standards, an opinion, a plan unknown to the platform."""
    objection(world)
    filing_and_opinion(world)
    round_ = make_round(year=2021)
    application = make_application(round_, world.school, reviewer=world.bureau)
    make_item(application, level_of(world, "甲"), state=ApplicationItem.State.SUBMITTED)
    make_item(application, level_of(world, "乙"))
    propose(world)
    propose(world, state="returned", organization=world.school_org)
    PlatformApproval.objects.create(
        organization=world.school_org,
        certificate_level=world.level,
        year=2020,
        is_approved=True,
        state_words="通过",
        candidates=7,
        as_of=clock.today(),
        imported_at=clock.now(),
    )
    return world


EXPECTED = {
    "office": {
        "申报项目待审核": 2,
        "院校备案待审核": 1,
        "异议待答复": 1,
        "考核费用标准待备案": 1,
        "项目没有生效的协议": 2,
        "与国家平台不一致": 2,
    },
    "city_officer": {"申报项目待初审": 1, "项目没有生效的协议": 1, "与国家平台不一致": 1},
    "finance": {"考核费用标准待备案": 1},
    "evaluator_officer": {"考核费用标准退回修改": 1, "项目没有生效的协议": 2},
    "contact": {"项目没有生效的协议": 1},
    "leading": {},
    "expert": {},
    "learner": {},
}


def assert_leads_to_its_lists(user, client):
    """Each figure stands on the home and leads to a list of as many rows."""
    page = client.get("/").content.decode()
    for figure in home_counts.counts(user):
        assert escape(figure.url) in page
        listed = client.get(figure.url).context
        kinds = [count for _, _, count in listed.get("counts") or []]
        assert (sum(kinds) or listed["count"]) == figure.number, figure.label


@pytest.mark.parametrize("role", EXPECTED)
def test_each_role_is_told_what_waits_for_it_and_led_there(busy, client_for, role):
    user = getattr(busy, role)
    assert figures(user) == EXPECTED[role]
    assert_leads_to_its_lists(user, client_for(user))


def test_an_expert_is_told_of_opinions_and_nothing_else(busy, client_for):
    asked = ExpertOpinion.objects.get().expert
    assert [(f.label, f.number) for f in home_counts.counts(asked)] == [("意见待提出", 1)]
    page = client_for(asked).get("/").content.decode()
    assert "意见待提出" in page
    assert "目前没有分配给您的任务" not in page
    assert "目前没有分配给您的任务" in client_for(busy.expert).get("/").content.decode()


@pytest.fixture
def of_evaluators(world):
    """A filing handed in and one sent back, a proposal, an activity that has begun, a site at each school:
    one waits for the evaluator, one came back to the school. The coordinator has the evaluator in charge."""
    returned = unfiled(world)
    submit_filing(world, returned)
    filings.return_filing(returned.filing, comment="补", by=world.office, at=clock.now())
    submit_filing(world)
    submit_proposal(world, published(world))
    activity = file_activity(world, starts_at=clock.now() + HOUR, ends_at=clock.now() + 3 * HOUR)
    sign_up(activity, teacher(world), by=world.contact)
    file_activity(world, title="没有人报名", starts_at=clock.now() + HOUR, ends_at=clock.now() + 3 * HOUR)
    sites.send_back(applied(world), comment="补", by=world.evaluator_officer, at=clock.now())
    applied(world, by=world.other_contact)
    charges.give(evaluator=world.evaluator, coordinator=world.coordinator, by=world.office, at=clock.now())
    world.at(clock.now() + HOUR)
    return world


OF_EVALUATORS = {
    "office": {"评价组织备案待审核": 1, "学分记录建议待审核": 1},
    "coordinator": {"评价组织备案待审核": 1},
    "evaluator_officer": {"评价组织备案退回修改": 1, "活动待登记结果": 1, "考核站点待同意": 1},
    "contact": {"考点申报退回修改": 1},
    "other_contact": {},
    "leading": {},
    "finance": {},
    "city_officer": {},
}


@pytest.mark.parametrize("role", OF_EVALUATORS)
def test_what_waits_of_evaluators_leads_to_its_lists(of_evaluators, client_for, role):
    user, agreements = getattr(of_evaluators, role), "项目没有生效的协议"
    assert {label: n for label, n in figures(user).items() if label != agreements} == OF_EVALUATORS[role]
    assert_leads_to_its_lists(user, client_for(user))


def test_a_coordinator_is_told_only_of_those_in_charge(of_evaluators):
    charge = Charge.objects.get()
    charges.end(charge, by=of_evaluators.office, at=clock.now())
    assert figures(of_evaluators.coordinator) == {}


def test_an_activity_waits_from_its_beginning_until_the_last_result(of_evaluators):
    world, activity = of_evaluators, SignUp.objects.get().activity
    rows = Activity.objects.visible_to(world.evaluator_officer)
    assert not rows.awaiting_results(activity.starts_at - dt.timedelta(microseconds=1))
    assert list(rows.awaiting_results(activity.starts_at)) == [activity]
    SignUp.objects.update(attended=False)
    assert not rows.awaiting_results(activity.starts_at)


def test_agreements_that_end_or_wait_stand_on_the_homes_of_those_who_sign(world):
    today = clock.today()
    agreement_for(world.level, world.school, valid_until=today + dt.timedelta(days=60))
    agreement_for(world.level, world.school, world.other_school, confirmed=False)
    assert figures(world.contact) == {"协议 60 天内到期": 1, "协议待院校确认": 1}
    assert figures(world.other_contact) == {"项目没有生效的协议": 1, "协议待院校确认": 1}


def test_all_counts_are_one_query_however_much_waits(busy, django_assert_num_queries):
    for user in (busy.office, busy.city_officer, busy.contact, busy.evaluator_officer):
        with django_assert_num_queries(1):
            home_counts.counts(user)


def test_a_school_sees_the_open_round_with_the_time_left_and_what_came_back(world, client_for):
    def page(user):
        return " ".join(client_for(user).get("/").content.decode().split())

    round_ = make_round(year=2021)
    assert "开始申报" in page(world.contact)
    assert "不申报的无需办理" in page(world.leader)
    application = make_application(round_, world.school)
    make_item(application, level_of(world, "甲"), state=ApplicationItem.State.DRAFT)
    make_item(application, level_of(world, "乙"), state=ApplicationItem.State.RETURNED)
    shown = page(world.contact)
    assert str(round_) in shown
    assert "11月25日（星期三）10:00，<strong><time" in shown
    assert f"/applications/{application.pk}/" in shown
    assert "退回修改</span> 1 项" in shown
    world.at(round_.school_closes_at)
    assert str(round_) not in page(world.other_contact)


def test_allocated_money_stands_beside_what_was_reported_spent(world, client_for):
    assert home_counts.money(world.contact) is None
    for school, amount in [
        (world.school_org, "1000.50"),
        (world.school_org, "2000"),
        (world.other_school_org, "7"),
    ]:
        Allocation.objects.create(
            organization=school,
            year=2020,
            source="province",
            document=f"文〔2020〕{amount}号",
            amount=Decimal(amount),
            allocated_on=clock.today(),
            created_by=world.finance,
            created_at=clock.now(),
        )
    world.add_week("2020-W46")
    file(world, world.owed(world.school, "2020-W46"))
    file(world, token="t2", money_spent="20")
    told = home_counts.money(world.contact)
    assert told == (2020, Decimal("3000.50"), Decimal("1520.50"))
    page = " ".join(client_for(world.contact).get("/").content.decode().split())
    assert "专项资金</a> 3000.50 元；周报已报支出 1520.50 元" in page
    assert home_counts.money(world.other_contact).spent == 0
