"""Decisions on applications: who, when, what they bring about, how they are undone, one like a thousand."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import PilotMembership
from accounts.services import end_membership, join_pilot
from core import clock
from core.api_workflow import steps
from core.models import Event, Notice
from core.workflow import NotNow
from obligations.models import Obligation
from schools.models import AnnualPlan, ApplicationItem, Programme, ResultList, RoundExtension
from schools.services import reviews
from schools.tests.reviewing import handed_in, hubei_round, new_level
from schools.workflow import review

MICROSECOND = dt.timedelta(microseconds=1)
CITY_CLOSES = "2021-05-28T00:00:00+08:00"
PROVINCE_CLOSES = "2021-06-01T00:00:00+08:00"


@pytest.fixture
def at(world):
    return world.at("2021-05-26T10:00:00+08:00")


@pytest.fixture
def round(at):
    return hubei_round()


@pytest.fixture
def level(world):
    return new_level(world)


@pytest.fixture
def item(world, round, level):
    """Of a secondary school: waits for its city."""
    return handed_in(round, world.school, [level], reviewer=world.bureau)[0]


@pytest.fixture
def direct(world, round, level):
    """Of a college: waits for the province."""
    return handed_in(round, world.school, [level])[0]


def run(action, item, by, **data):
    return review.run(action, item, by=by, at=clock.now(), **data)


def state_of(item):
    return ApplicationItem.objects.get(pk=item.pk).state


def running(school, level):
    return Programme.objects.filter(school=school, certificate_level=level, ended_at=None)


def later(world, minutes=5):
    return world.at(clock.now() + dt.timedelta(minutes=minutes))


# --- Whose turn, and until when


def test_the_city_recommends_and_the_province_approves(world, item, level):
    run("item_recommend", item, world.city_officer, comment="同意推荐")
    assert (state_of(item), ApplicationItem.objects.get().review_comment) == ("first_reviewed", "同意推荐")
    decided = run("item_approve", item, world.office)
    assert (decided.state, decided.decided_by, decided.decided_at) == ("approved", world.office, clock.now())
    programme = running(world.school, level).get()
    plan = programme.plans.get()
    assert (programme.started_at, programme.origin) == (clock.now(), item)
    assert (plan.year, plan.candidates, plan.carried_over, plan.source) == (2021, 40, 0, item)
    steps = Event.objects.about(item).exclude(to_state="")
    assert list(steps.values_list("action", "from_state", "to_state")) == [
        ("item_recommend", "submitted", "first_reviewed"),
        ("item_approve", "first_reviewed", "approved"),
    ]


@pytest.mark.parametrize("action", ["item_recommend", "item_return_first", "item_reject_first"])
def test_the_city_decides_until_its_closing(world, item, action):
    world.at(dt.datetime.fromisoformat(CITY_CLOSES))
    with pytest.raises(NotNow, match="市级初审已于5月27日（星期四）24:00截止"):
        run(action, item, world.city_officer, comment="材料不全")
    world.at(dt.datetime.fromisoformat(CITY_CLOSES) - MICROSECOND)
    run(action, item, world.city_officer, comment="材料不全")
    assert state_of(item) != "submitted"


@pytest.mark.parametrize("action", ["item_approve", "item_return", "item_reject"])
def test_the_province_decides_until_its_closing(world, direct, action):
    world.at(dt.datetime.fromisoformat(PROVINCE_CLOSES))
    with pytest.raises(NotNow, match="省级审核已于5月31日（星期一）24:00截止"):
        run(action, direct, world.office, comment="条件不足")
    world.at(dt.datetime.fromisoformat(PROVINCE_CLOSES) - MICROSECOND)
    run(action, direct, world.office, comment="条件不足")
    assert state_of(direct) != "first_reviewed"


def test_an_extension_of_one_school_reopens_its_review_and_no_other(world, round, item, level):
    other = handed_in(round, world.other_school, [level], reviewer=world.other_bureau)[0]
    RoundExtension.objects.create(
        round=round,
        organization=world.school_org,
        school_closes_at=round.school_closes_at,
        city_closes_at=round.city_closes_at + dt.timedelta(days=1),
        province_closes_at=round.province_closes_at,
        reason="停电",
        created_by=world.office,
        created_at=clock.now(),
    )
    world.at(dt.datetime.fromisoformat(CITY_CLOSES))
    run("item_recommend", item, world.city_officer)
    with pytest.raises(NotNow, match="已于"):
        run("item_recommend", other, world.other_city_officer)


def test_a_college_is_not_for_the_city_to_review(world, direct):
    with pytest.raises(PermissionDenied, match=r"不经市级初审（鄂教职成办函〔2021〕7号 四\.2"):
        run("item_recommend", direct, world.city_officer)


@pytest.mark.parametrize("action", ["item_approve", "item_return", "item_reject"])
def test_a_secondary_school_cannot_skip_its_city(world, item, action):
    with pytest.raises(
        PermissionDenied, match=r"须先经太原市教育局初审，不能越过（晋教职成〔2020〕9号 三\.1"
    ):
        run(action, item, world.office, comment="条件不足")
    assert state_of(item) == "submitted"


def test_another_city_does_not_review(world, item):
    with pytest.raises(PermissionDenied, match=r"由太原市教育局初审（晋教职成〔2020〕9号 三\.1"):
        run("item_recommend", item, world.other_city_officer)


@pytest.mark.parametrize("who", ["city_officer", "finance", "leading", "auditor", "expert", "contact"])
def test_only_the_office_approves(world, direct, who):
    with pytest.raises(PermissionDenied, match=r"由省推进办审核（晋教职成〔2020〕9号 三\.1"):
        run("item_approve", direct, getattr(world, who))


def test_what_is_decided_is_not_decided_again(world, direct):
    run("item_approve", direct, world.office)
    with pytest.raises(NotNow, match="现在是“已批准”，只有在“待审核”时才能“批准”"):
        run("item_approve", direct, world.office2)
    assert Programme.objects.filter(origin=direct).count() == 1


@pytest.mark.parametrize("action", ["item_return", "item_reject", "item_reconsider", "item_reconsider_first"])
def test_a_refusal_needs_its_reason(world, direct, action):
    with pytest.raises(ValidationError, match="须写明理由"):
        run(action, direct, world.office, comment="  ")


def test_what_the_submitted_facts_lack_stops_the_approval_with_its_clause(world, direct):
    ApplicationItem.objects.update(agreement=None)
    with pytest.raises(NotNow, match=r"鄂教职成办函〔2021〕7号 三\.6"):
        run("item_approve", direct, world.office)


def test_a_returned_item_knows_from_where(world, item):
    run("item_return_first", item, world.city_officer, comment="请补方案")
    item.refresh_from_db()
    assert (item.state, item.returned_from, item.decided_at) == ("returned", "submitted", None)


# --- What an approval brings about


def test_a_school_outside_joins_the_pilot_from_the_approval(world, direct):
    world.school.organization.memberships.update(left_at=clock.now() - dt.timedelta(days=30))
    run("item_approve", direct, world.office)
    assert (
        PilotMembership.objects.as_of(clock.now()).get(organization=world.school_org).joined_at == clock.now()
    )


def test_who_was_put_out_of_the_pilot_is_not_brought_back_by_what_was_pending(world, round, item, level):
    """Only an application begun afterwards does (MOE 五(四))."""
    run("item_recommend", item, world.city_officer)
    later(world)
    end_membership(organization=world.school_org, at=clock.now(), by=world.office, reason="取消试点资格")
    later(world)
    refusal = r"已于2021年5月26日退出试点（教职成厅函〔2019〕19号 五\(四\)"
    with pytest.raises(NotNow, match=refusal):
        reviews.decide_many(action="item_approve", items=[item.pk], by=world.office, at=clock.now())
    rows = ApplicationItem.objects.filter(pk=item.pk)
    [line] = reviews.preview(action="item_approve", items=rows, by=world.office, at=clock.now())
    assert "退出试点" in "".join(line.reasons)
    assert "item_approve" not in open_steps(item, world.office)
    [afterwards] = handed_in(hubei_round(number=2), world.school, [level])
    run("item_approve", afterwards, world.office)
    assert world.school_org.memberships.filter(joined_at=clock.now(), left_at=None).exists()


def test_who_is_put_out_while_an_approval_waits_for_the_school_is_not_approved(world, direct):
    """The request came in a moment before."""
    at = clock.now()
    world.at(at + dt.timedelta(seconds=2))
    end_membership(organization=world.school_org, at=clock.now(), by=world.office, reason="取消试点资格")
    with pytest.raises(NotNow, match="退出试点"):
        reviews.decide_many(action="item_approve", items=[direct.pk], by=world.office, at=at)


def test_who_was_brought_back_by_a_reversal_may_be_approved(world, direct):
    end_membership(organization=world.school_org, at=clock.now(), by=world.office, reason="取消试点资格")
    later(world)
    join_pilot(organization=world.school_org, at=clock.now(), by=world.office)
    run("item_approve", direct, world.office)
    assert state_of(direct) == "approved"


def test_a_renewal_gets_its_plan_and_no_second_programme(world, round):
    item = handed_in(round, world.school, [world.level], is_renewal=True, planned_new=60)[0]
    run("item_approve", item, world.office)
    programme = running(world.school, world.level).get()
    assert programme == world.programme
    assert dict(programme.plans.values_list("year", "candidates")) == {2020: 100, 2021: 60}
    assert PilotMembership.objects.filter(organization=world.school_org).count() == 1


def test_approving_again_what_runs_changes_its_plan(world, direct, level):
    programme = world.add_programme(world.school, level)
    AnnualPlan.objects.create(programme=programme, year=2021, candidates=15, carried_over=5)
    run("item_approve", direct, world.office)
    plan = programme.plans.get(year=2021)
    assert (plan.candidates, plan.carried_over, plan.source) == (40, 0, direct)


# --- Undoing


def test_reconsidering_takes_everything_back(world, direct, level):
    world.school.organization.memberships.update(left_at=clock.now() - dt.timedelta(days=30))
    run("item_approve", direct, world.office)
    later(world)
    run("item_reconsider", direct, world.office2, comment="名额核减")
    direct.refresh_from_db()
    assert (direct.state, direct.decided_by, direct.decided_at) == ("first_reviewed", None, None)
    assert not running(world.school, level).exists()
    assert Programme.objects.get(origin=direct).ended_at == clock.now()
    assert not AnnualPlan.objects.filter(source=direct).exists()
    assert not PilotMembership.objects.as_of(clock.now()).filter(organization=world.school_org).exists()
    steps = Event.objects.about(direct).exclude(to_state="")
    actions = list(steps.values_list("action", flat=True))
    assert actions == ["item_approve", "item_reconsider"]
    later(world)
    run("item_approve", direct, world.office)
    assert running(world.school, level).get().origin == direct


def test_reconsidering_brings_the_former_plan_back(world, direct, level):
    programme = world.add_programme(world.school, level)
    AnnualPlan.objects.create(programme=programme, year=2021, candidates=15, carried_over=5)
    run("item_approve", direct, world.office)
    later(world)
    run("item_reconsider", direct, world.office, comment="名额核减")
    plan = programme.plans.get(year=2021)
    assert (plan.candidates, plan.carried_over, plan.source) == (15, 5, None)
    assert running(world.school, level).get() == programme


def test_a_school_with_another_programme_stays_in_the_pilot(world, round):
    world.school.organization.memberships.update(left_at=clock.now() - dt.timedelta(days=30))
    Programme.objects.filter(school=world.school).delete()
    items = handed_in(round, world.school, [new_level(world, n) for n in (1, 2)])
    run("item_approve", items[0], world.office)
    later(world)
    run("item_approve", items[1], world.office)
    later(world)
    members = PilotMembership.objects.filter(organization=world.school_org, left_at=None)
    run("item_reconsider", items[0], world.office, comment="重复")
    assert members.count() == 1
    later(world)
    run("item_reconsider", items[1], world.office, comment="重复")
    assert members.count() == 0


def test_a_school_that_was_in_the_pilot_before_stays_in_it(world, direct, level):
    run("item_approve", direct, world.office)
    later(world)
    run("item_reconsider", direct, world.office, comment="名额核减")
    assert not running(world.school, level).exists()
    assert PilotMembership.objects.get(organization=world.school_org).left_at is None


def test_after_the_final_list_nothing_is_reconsidered(world, direct, round):
    run("item_approve", direct, world.office)
    ResultList.objects.create(
        round=round,
        kind="final",
        title="公布",
        rows=[{"item": direct.pk}],
        published_by=world.office,
        published_at=clock.now(),
    )
    later(world)
    with pytest.raises(NotNow, match="结果已经公布"):
        run("item_reconsider", direct, world.office, comment="名额核减")


@pytest.mark.parametrize("who", ["office", "city_officer"])
def test_what_the_city_rejected_goes_back_to_the_city(world, item, who):
    """Never past it to the province (SX 三.1)."""
    reviews.duties.reviewed([item.application], at=clock.now())
    run("item_reject_first", item, world.city_officer, comment="条件不足")
    assert open_steps(item, world.office) == ["item_reconsider_first"]
    with pytest.raises(NotNow, match=r"太原市教育局初审没有推荐，省里不能越过（晋教职成〔2020〕9号 三\.1"):
        run("item_reconsider", item, world.office, comment="复核")
    run("item_reconsider_first", item, getattr(world, who), comment="复核")
    item.refresh_from_db()
    assert (item.state, item.returned_from, item.decided_by) == ("submitted", "", None)
    duty = Obligation.objects.get(organization=world.bureau, kind="first_review")
    assert (duty.outcome, duty.received_at) == ("pending", None)
    assert not Obligation.objects.filter(kind="approval").exists()
    with pytest.raises(PermissionDenied, match="不能越过"):
        run("item_approve", item, world.office)
    run("item_recommend", item, world.city_officer)
    assert state_of(item) == "first_reviewed"


def test_what_the_province_rejected_goes_back_to_the_province(world, item):
    run("item_recommend", item, world.city_officer)
    run("item_reject", item, world.office, comment="条件不足")
    assert open_steps(item, world.office) == ["item_reconsider"]
    with pytest.raises(NotNow, match="由省推进办“撤回审核意见”"):
        run("item_reconsider_first", item, world.city_officer, comment="复核")
    run("item_reconsider", item, world.office, comment="复核")
    assert state_of(item) == "first_reviewed"


def test_the_city_takes_up_again_until_its_closing_and_nobody_elses(world, item):
    run("item_reject_first", item, world.city_officer, comment="条件不足")
    for who in (world.other_city_officer, world.contact, world.auditor):
        with pytest.raises(PermissionDenied, match="由太原市教育局初审"):
            run("item_reconsider_first", item, who, comment="复核")
    world.at(dt.datetime.fromisoformat(CITY_CLOSES))
    for who in (world.city_officer, world.office):
        with pytest.raises(NotNow, match="市级初审已于5月27日（星期四）24:00截止"):
            run("item_reconsider_first", item, who, comment="复核")


def open_steps(item, user):
    item.refresh_from_db()
    offers = review.offers(item, user, clock.now())
    offered = [offer.transition.action for offer in offers if offer.open]
    told = steps(review, item, user=user, at=clock.now())
    assert offered == [step["action"] for step in told if step["open"]]
    return offered


def test_what_no_final_list_has_is_still_reconsidered(world, direct, round):
    other = handed_in(round, world.other_school, [new_level(world, 2)])[0]
    for item in (direct, other):
        run("item_approve", item, world.office)
    ResultList.objects.create(
        round=round,
        kind="final",
        title="公布",
        rows=[{"item": other.pk}],
        published_by=world.office,
        published_at=clock.now(),
    )
    later(world)
    run("item_reconsider", direct, world.office, comment="异议成立")
    assert state_of(direct) == "first_reviewed"


def test_a_dozen_are_reconsidered_with_as_many_queries_as_one(world, round):
    def queries(school, count, first):
        levels = [new_level(world, first + n) for n in range(count)]
        keys = [item.pk for item in handed_in(round, school, levels)]
        reviews.decide_many(action="item_approve", items=keys, by=world.office, at=clock.now())
        later(world)
        with CaptureQueriesContext(connection) as found:
            reviews.decide_many(
                action="item_reconsider", items=keys, by=world.office, at=clock.now(), comment="核减"
            )
        return len(found)

    queries(world.add_school("热身职业学校"), 1, 100)
    one = queries(world.school, 1, 200)
    assert queries(world.other_school, 12, 300) == one


# --- Many at once


def test_many_at_once_are_all_or_nothing(world, round):
    items = handed_in(round, world.school, [new_level(world, n) for n in range(3)])
    ApplicationItem.objects.filter(pk=items[1].pk).update(state="withdrawn")
    with pytest.raises(NotNow, match=r"演示网络1.*现在是“已撤回”"):
        reviews.decide_many(
            action="item_approve", items=[i.pk for i in items], by=world.office, at=clock.now()
        )
    assert [state_of(i) for i in items] == ["first_reviewed", "withdrawn", "first_reviewed"]
    assert not Programme.objects.filter(origin__in=items).exists()


def test_many_at_once_do_what_one_by_one_does(world, round):
    levels = [new_level(world, n) for n in range(3)]
    together = handed_in(round, world.school, levels)
    single = handed_in(round, world.other_school, levels)
    reviews.decide_many(
        action="item_approve", items=[i.pk for i in together], by=world.office, at=clock.now()
    )
    for item in single:
        with_perform(item, world.office)

    def told(items):
        columns = ("action", "actor", "at", "from_state", "to_state", "target_label", "changes", "reason")
        events = Event.objects.filter(action="item_approve", target_id__in=[str(i.pk) for i in items])
        return list(events.order_by("target_label").values_list(*columns))

    def written(items):
        rows = ApplicationItem.objects.filter(pk__in=[i.pk for i in items]).order_by("certificate_level")
        return list(rows.values_list("state", "decided_at", "decided_by", "review_comment"))

    assert told(together) == told(single)
    assert written(together) == written(single)


def with_perform(item, by):
    with transaction.atomic():
        review.perform(
            "item_approve",
            item,
            by=by,
            at=clock.now(),
            values={"decided_at": clock.now(), "decided_by": by, "review_comment": ""},
        )


@pytest.mark.parametrize("action", ["item_approve", "item_return", "item_reject"])
def test_a_dozen_take_as_many_queries_as_one(world, round, action):
    def queries(school, count, first):
        levels = [new_level(world, first + n) for n in range(count)]
        keys = [i.pk for i in handed_in(round, school, levels)]
        with CaptureQueriesContext(connection) as found:
            reviews.decide_many(action=action, items=keys, by=world.office, at=clock.now(), comment="见附件")
        return len(found)

    queries(world.add_school("热身职业学校"), 1, 100)
    one = queries(world.school, 1, 200)
    assert queries(world.other_school, 12, 300) == one


def test_contacts_are_told_once_for_an_application(world, round):
    items = handed_in(round, world.school, [new_level(world, n) for n in range(4)])
    reviews.decide_many(
        action="item_reject", items=[i.pk for i in items], by=world.office, at=clock.now(), comment="超规模"
    )
    notice = Notice.objects.get(recipient=world.contact)
    assert "4 项“不予批准”" in notice.text
    assert "超规模" in notice.text
    assert str(items[0].application_id) in notice.link


def test_what_the_reviewer_owed_is_fulfilled(world, item):
    reviews.duties.reviewed([item.application], at=clock.now())
    duty = Obligation.objects.get(organization=world.bureau, kind="first_review")
    assert duty.outcome == "pending"
    run("item_recommend", item, world.city_officer)
    duty.refresh_from_db()
    assert duty.outcome == "on_time"
