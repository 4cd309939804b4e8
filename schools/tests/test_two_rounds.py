"""One certificate level in two rounds of a year: drafts in both, under review in one at a time."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core import clock
from core.models import Event
from core.tests.races import together
from core.workflow import NotNow
from schools import eligibility
from schools.models import AnnualPlan, ApplicationItem, RoundExtension
from schools.services import applications, reviews
from schools.tests.applying import complete, filled
from schools.tests.builders import make_application, make_item, make_round
from schools.tests.reviewing import new_level

State = ApplicationItem.State


@pytest.fixture
def level(world):
    return new_level(world)


@pytest.fixture
def drafts(world, level):
    """The same level in two open rounds of 2021, complete and not handed in; straight to the province."""
    return [_draft(make_application(make_round(year=2021), world.school), level) for _ in range(2)]


def _draft(application, level):
    item = complete(make_item(application, level, state="draft"))
    typed = filled(item, agreement=str(item.agreement_id))
    ApplicationItem.objects.filter(pk=item.pk).update(draft=typed, planned_new=0)
    return ApplicationItem.objects.get(pk=item.pk)


def send(world, item, at=None):
    at = at or clock.now()
    token = applications.token_of(applications.waiting_items(item.application, at))
    return applications.submit_application(application=item.application, token=token, by=world.contact, at=at)


def state(item):
    return ApplicationItem.objects.get(pk=item.pk).state


def lacking(item):
    [standing] = eligibility.standings([ApplicationItem.objects.get(pk=item.pk)], clock.now())
    return [problem.text for problem in standing.problems]


def test_what_another_round_has_not_decided_is_not_handed_in_again(world, drafts, client_for):
    first, second = drafts
    assert (lacking(first), lacking(second)) == ([], [])
    send(world, first)
    [reason] = lacking(second)
    assert f"本校在{first.application.round}中已提交这个证书等级，现在是“待审核”" in reason
    with pytest.raises(NotNow, match="不能同时在两个批次审核"):
        send(world, second)
    assert state(second) == State.DRAFT
    page = client_for(world.contact).get(reverse("applications:item", args=[second.pk]))
    assert reason in page.content.decode()
    assert lacking(first) == []


@pytest.mark.parametrize("outcome", ["item_approve", "item_reject", "item_withdraw"])
def test_what_is_decided_or_withdrawn_blocks_no_more(world, drafts, outcome):
    first, second = drafts
    send(world, first)
    if outcome == "item_withdraw":
        applications.withdraw_item(first, by=world.contact, at=clock.now())
    else:
        reviews.decide_many(
            action=outcome, items=[first.pk], by=world.office, at=clock.now(), comment="见附件"
        )
    world.at(clock.now() + dt.timedelta(minutes=1))
    assert lacking(second) == []
    send(world, second)
    assert state(second) == State.FIRST_REVIEWED


def test_what_was_returned_blocks_while_it_may_come_back(world, drafts):
    first, second = drafts
    send(world, first)
    reviews.decide_many(
        action="item_return", items=[first.pk], by=world.office, at=clock.now(), comment="人数偏多"
    )
    assert "“退回修改”" in lacking(second)[0]
    applications.withdraw_item(first, by=world.contact, at=clock.now())
    send(world, second)
    assert state(second) == State.FIRST_REVIEWED


def test_what_its_round_left_undecided_blocks_no_more_unless_it_is_extended(world, drafts):
    first, second = drafts
    send(world, first)
    closing = first.application.round.province_closes_at
    type(second.application.round).objects.filter(pk=second.application.round_id).update(
        **dict.fromkeys(
            ("school_closes_at", "city_closes_at", "province_closes_at"), closing + dt.timedelta(days=9)
        )
    )
    world.at(closing - dt.timedelta(microseconds=1))
    assert "还没有决定" in lacking(second)[0]
    world.at(closing)
    assert lacking(second) == []
    RoundExtension.objects.create(
        round=first.application.round,
        organization=world.school_org,
        **dict.fromkeys(
            ("school_closes_at", "city_closes_at", "province_closes_at"), closing + dt.timedelta(days=1)
        ),
        reason="补审",
        created_by=world.office,
        created_at=clock.now(),
    )
    assert "还没有决定" in lacking(second)[0]


def test_a_later_year_another_school_and_another_level_stand_for_themselves(world, drafts, level):
    first, _ = drafts
    send(world, first)
    next_year = _draft(make_application(make_round(year=2022), world.school), level)
    other_school = _draft(make_application(drafts[1].application.round, world.other_school), level)
    other_level = _draft(drafts[1].application, new_level(world, 2))
    assert [lacking(item) for item in (next_year, other_school, other_level)] == [[], [], []]


def test_the_check_takes_no_more_queries_for_three_than_for_one(world, drafts, client_for):
    first, second = drafts
    send(world, first)
    counts = []
    for number in (2, 4):
        if number == 4:
            more = [_draft(first.application, new_level(world, n)) for n in (3, 4)]
            for item in more:
                _draft(second.application, item.certificate_level)
            send(world, first)
        client = client_for(world.contact)
        page = reverse("applications:check", args=[second.application_id])
        client.get(page)
        with CaptureQueriesContext(connection) as queries:
            client.get(page)
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_handed_in_for_both_rounds_at_once_one_waits_and_is_refused(world, level):
    made = [_draft(make_application(make_round(year=2021), world.school), level) for _ in range(2)]

    def click(item):
        def work():
            try:
                return send(world, item).receipt
            except NotNow as refusal:
                return refusal.reasons

        return work

    results = together(*map(click, made))
    [refused] = [result for result in results if isinstance(result, list)]
    assert "不能同时在两个批次审核" in refused[0]
    assert sorted(map(state, made)) == [State.DRAFT, State.FIRST_REVIEWED]


# --- A plan that another round has approved


@pytest.fixture
def planned(world, level):
    """A draft application of the same year as an approved plan of 154 heads, 5 of them carried over."""
    first = make_application(make_round(year=2021, allows_carry_over=True), world.school)
    item = complete(make_item(first, level, planned_new=149, carried_over=5, is_renewal=True))
    programme = world.add_programme(world.school, level)
    AnnualPlan.objects.filter(programme=programme).update(year=2020, candidates=10)
    reviews.decide_many(action="item_approve", items=[item.pk], by=world.office, at=clock.now())
    world.at(clock.now() + dt.timedelta(minutes=1))
    return make_application(make_round(year=2021, allows_carry_over=True), world.school)


def test_what_another_round_has_approved_is_not_swept_in(world, planned, level, client_for):
    page = client_for(world.contact).post(reverse("applications:add-running", args=[planned.pk]), follow=True)
    assert "另有 1 个没有添加：2021 年计划已在别的批次批准" in page.content.decode()
    assert not planned.items.filter(certificate_level=level).exists()
    assert planned.items.filter(certificate_level=world.level).exists()


def test_added_by_hand_it_keeps_the_carried_heads_and_is_told_to_all(world, planned, level, client_for):
    [item] = applications.add_items(application=planned, levels=[level], by=world.contact, at=clock.now())
    assert item.draft == {"planned_new": "149", "carried_over": "5"}
    page = client_for(world.contact).get(reverse("applications:item", args=[item.pk])).content.decode()
    assert "2021 年计划现为 154 人（其中沿用 5）" in page
    ApplicationItem.objects.filter(pk=item.pk).update(draft={"planned_new": "154", "carried_over": ""})
    send(world, item)
    office = client_for(world.office)
    changed = "154 人（其中沿用上年 5 人），批准后改为 154 人（其中沿用上年 0 人）"
    assert changed in office.get(reverse("reviews:item", args=[item.pk])).content.decode()
    preview = office.post(reverse("reviews:decide"), {"action": "item_approve", "item": item.pk})
    told = "2021 年计划由 154 人（其中沿用上年 5 人）改为 154 人（其中沿用上年 0 人）"
    assert told in preview.content.decode()


def test_taken_back_the_record_tells_the_carried_heads_that_return(world, planned, level):
    [item] = applications.add_items(application=planned, levels=[level], by=world.contact, at=clock.now())
    ApplicationItem.objects.filter(pk=item.pk).update(draft={"planned_new": "154", "carried_over": ""})
    send(world, item)
    reviews.decide_many(action="item_approve", items=[item.pk], by=world.office, at=clock.now())
    world.at(clock.now() + dt.timedelta(minutes=1))
    reviews.decide_many(
        action="item_reconsider", items=[item.pk], by=world.office, at=clock.now(), comment="重复"
    )
    event = Event.objects.filter(action="plan_set", at=clock.now()).get()
    assert event.changes[f"{level} 2021年其中沿用上年"] == [0, 5]
