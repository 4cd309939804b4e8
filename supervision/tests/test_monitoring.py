"""Monitoring points: the proposal, the choosing and rotating, and who sees which."""

import datetime as dt
import random

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from core import clock
from core.models import Event, Notice
from core.tests.races import together
from supervision.models import MonitoringPoint, MonitoringTurn
from supervision.monitoring import ABOUT, Candidate, candidates, is_far, propose
from supervision.tests.feedback import charged, turn

LIST = "/monitoring/"


@st.composite
def schools(draw):
    many = draw(st.integers(0, 40))
    return [
        Candidate(
            n,
            f"{n:03d}",
            f"校{n}",
            draw(st.sampled_from("甲乙丙丁")),
            draw(st.sampled_from("中高")),
            draw(st.booleans()),
        )
        for n in range(many)
    ]


@given(schools(), st.integers(0))
def test_the_proposal_is_as_many_as_can_be_spread_and_new(found, seed):
    chosen = propose(found)
    assert len(chosen) == len(set(chosen)) == min(ABOUT, len(found))
    fresh = [each for each in found if not each.was_last]
    # Nobody of the last turn while another is left.
    assert sum(each.was_last for each in chosen) == max(0, len(chosen) - len(fresh))
    # Among the new ones no city has two more than another that still has some to give.
    if len(fresh) >= ABOUT:
        count = {city: sum(e.city == city for e in chosen) for city in "甲乙丙丁"}
        spare = {city for city in "甲乙丙丁" if sum(e.city == city for e in fresh) > count[city]}
        assert all(max(count.values()) - count[city] <= 1 for city in spare)
    shuffled = random.Random(seed).sample(found, len(found))
    assert propose(shuffled) == chosen


def test_candidates_are_the_schools_that_run_it_now_and_the_last_turn_is_marked(world):
    turn(world)
    world.other_programme.ended_at = clock.now()
    world.other_programme.save()
    third = world.add_school("第三所演示学校")
    found = {each.name: each.was_last for each in candidates(world.certificate)}
    assert found == {"太原演示职业学校": True, third.organization.name: False}


def test_a_new_turn_ends_the_one_before_on_the_eve(world):
    first = turn(world)
    world.at("2021-02-01T10:00:00+08:00")
    second = turn(world, [world.other_school_org.pk], reason="轮换")
    first.refresh_from_db()
    assert (first.ends_on, second.starts_on) == (dt.date(2021, 1, 31), dt.date(2021, 2, 1))
    assert list(MonitoringTurn.objects.standing(dt.date(2021, 1, 31))) == [first]
    assert list(MonitoringTurn.objects.standing(dt.date(2021, 2, 1))) == [second]
    assert Event.objects.get(action="monitoring_cut").changes == {"至": ["2021-05-17", "2021-01-31"]}
    assert Event.objects.filter(action="monitoring_chosen").latest("at").changes["院校"] == [
        "长治演示职业学校"
    ]
    told = Notice.objects.filter(key=f"monitoring:{second.pk}").values_list("recipient__username", flat=True)
    assert set(told) == {"other_contact", "evaluator_officer"}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"schools": [0]}, "不在开展"),
        ({"starts_on": dt.date(2020, 11, 17)}, "早于今天"),
        ({"ends_on": dt.date(2020, 11, 17)}, "早于开始"),
        ({"reason": " "}, "写明怎样"),
    ],
)
def test_what_makes_no_sense_is_refused(world, fields, said):
    with pytest.raises(ValidationError, match=said):
        turn(world, **fields)
    assert not MonitoringTurn.objects.exists()


def test_two_turns_do_not_begin_on_one_day_and_only_the_office_chooses(world):
    turn(world)
    with pytest.raises(ValidationError, match="晚于这一天"):
        turn(world, [world.other_school_org.pk])
    with pytest.raises(PermissionDenied, match="五\\(三\\)"):
        turn(world, by=world.coordinator)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_officers_at_once_choose_one_turn(world):
    with pytest.raises(ValidationError, match="晚于这一天"):
        together(lambda: turn(world), lambda: turn(world, by=world.office2))
    assert MonitoringTurn.objects.count() == 1


def test_each_sees_its_own(world, client_for):
    mine = turn(world)
    assert MonitoringPoint.objects.count() == 1
    address = f"/monitoring/{mine.pk}/"
    expected = {
        "office": 200,
        "finance": 200,
        "leading": 200,
        "auditor": 200,
        "evaluator_officer": 200,
        "contact": 200,
        "leader": 200,
        "city_officer": 200,
        "other_contact": 404,
        "other_city_officer": 404,
        "coordinator": 404,
        "expert": 404,
        "third_party": 404,
        "learner": 404,
    }
    for role, status in expected.items():
        assert client_for(getattr(world, role)).get(address).status_code == status, role
    charged(world)
    assert client_for(world.coordinator).get(address).status_code == 200


def test_a_school_and_a_city_see_no_other_school_of_the_turn(world, client_for):
    both = turn(world, [world.school_org.pk, world.other_school_org.pk])
    for role in ("contact", "city_officer"):
        shown = client_for(getattr(world, role)).get(f"/monitoring/{both.pk}/").content.decode()
        assert "太原演示职业学校" in shown
        assert "长治演示职业学校" not in shown, role
        [row] = client_for(getattr(world, role)).get(LIST).context["table"].rows
        assert row.record.count == 1
    assert (
        "长治演示职业学校"
        in client_for(world.evaluator_officer).get(f"/monitoring/{both.pk}/").content.decode()
    )


def test_the_office_edits_the_proposal_checks_it_and_chooses(world, client_for):
    client = client_for(world.office)
    assert client.post("/monitoring/new/", {"certificate": world.certificate.pk}).status_code == 302
    address = f"/monitoring/new/{world.certificate.pk}/"
    form = client.get(address).context["form"]
    assert set(form.initial["schools"]) == {world.school_org.pk, world.other_school_org.pk}
    answers = {
        "schools": [world.school_org.pk],
        "starts_on": "2020-12-01",
        "ends_on": "2021-05-31",
        "reason": "第一轮",
    }
    checked = client.post(address, answers).content.decode()
    assert "选定 1 所" in checked
    assert "10 所左右院校设立监测点" in checked
    assert "太原演示职业学校" in checked
    assert not MonitoringTurn.objects.exists()
    client.post(address, answers | {"step": "confirm"})
    point = MonitoringPoint.objects.get()
    assert (point.organization, point.is_proposed) == (world.school_org, True)
    assert (
        "上一轮也是监测点"
        in client.post(
            address, answers | {"starts_on": "2021-06-01", "ends_on": "2021-06-02"}
        ).content.decode()
    )
    for role in ("leading", "coordinator", "contact", "evaluator_officer"):
        for page in (address, "/monitoring/new/"):
            assert client_for(getattr(world, role)).get(page).status_code == 403, role


def test_what_is_impossible_is_told_at_once_before_the_check_page(world, client_for):
    client = client_for(world.office)
    address = f"/monitoring/new/{world.certificate.pk}/"
    dates = {"starts_on": "2020-11-17", "ends_on": "2020-11-01"}
    checked = client.post(address, dates)
    assert checked.context["form"].errors == {
        "schools": ["请至少选一所院校。"],
        "starts_on": ["开始日期不能早于今天。"],
        "ends_on": ["结束日期不能早于开始日期。"],
        "reason": ["请写明怎样选定、为何轮换。"],
    }
    missing = client.post(address, {}).content.decode()
    assert "请填写开始日期。" in missing
    assert "请填写结束日期。" in missing
    assert "请选择证书。" in client.post("/monitoring/new/", {"certificate": ""}).content.decode()


@pytest.mark.parametrize(
    ("chosen", "running", "far"),
    [
        (1, 20, True),
        (6, 20, True),
        (7, 20, False),
        (13, 20, False),
        (14, 20, True),
        (2, 2, False),
        (1, 2, True),
    ],
)
def test_a_number_far_from_ten_is_remarked(chosen, running, far):
    assert is_far(chosen, running) is far


def test_the_list_costs_the_same_for_one_row_and_three(world, client_for):
    client = client_for(world.office)

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert client.get(LIST).status_code == 200
        return len(captured)

    turn(world)
    queries()
    before = queries()
    for days in (10, 20):
        turn(world, starts_on=clock.today() + dt.timedelta(days=days))
    assert queries() == before <= 20
