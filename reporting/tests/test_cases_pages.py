"""Pages of cases, which the sweep flags."""

import datetime as dt

import pytest

from core import clock
from core.models import Event
from obligations import services
from reporting.sweep import sweep
from reporting.tests.weekly import file
from supervision import services as supervision
from supervision.models import Case

URL = "/cases/"


@pytest.fixture
def case(world):
    for key in ["2020-W44", "2020-W45", "2020-W46"]:
        world.add_week(key)
        services.fulfil(
            world.owed(world.other_school, key), received_at=world.owed(world.other_school, key).opens_at
        )
    sweep(clock.now())
    return Case.objects.get()


def test_a_case_shows_its_frozen_evidence_and_what_stands_before_a_notice(world, case, client_for):
    page = client_for(world.office).get(f"{URL}{case.pk}/").content.decode()
    assert page.count('data-label="周期"') == 3
    assert "教职成厅函〔2019〕19号 五(四)" in page
    assert "触发不等于处理" in page
    assert "仍须人工确认" not in page
    services.excuse(
        world.owed(world.school, "2020-W45"), reason="国家平台已填报", by=world.office, at=clock.now()
    )
    after = client_for(world.office).get(f"{URL}{case.pk}/").content.decode()
    assert "国家平台已填报" in after


def test_a_streak_over_an_exempt_week_needs_confirmation(world, case, client_for):
    world.add_week("2020-W43")
    sweep(clock.now())
    services.excuse(world.owed(world.school, "2020-W45"), reason="停电", by=world.office, at=clock.now())
    assert case.evidence.count() == 4
    assert "仍须人工确认" in client_for(world.office).get(f"{URL}{case.pk}/").content.decode()


def test_who_sees_cases(world, case, client_for):
    for user in [world.office, world.leading, world.auditor, world.city_officer, world.contact, world.leader]:
        assert case.organization.name in client_for(user).get(URL).content.decode()
        assert client_for(user).get(f"{URL}{case.pk}/").status_code == 200
    for user in [world.other_city_officer, world.other_contact]:
        assert "共 <strong>0</strong> 条" in client_for(user).get(URL).content.decode()
        assert client_for(user).get(f"{URL}{case.pk}/").status_code == 404
    for user in [world.finance, world.evaluator_officer, world.expert, world.learner]:
        assert client_for(user).get(URL).status_code == 403
        assert client_for(user).get(f"{URL}{case.pk}/").status_code == 404


def test_filters_and_queries(world, case, client_for, django_assert_num_queries):
    client = client_for(world.office)
    assert (
        case.organization.name
        in client.get(URL, {"state": "flagged", "city": world.bureau.pk}).content.decode()
    )
    assert "没有符合条件" in client.get(URL, {"state": "decided"}).content.decode()
    client.get(URL)
    with django_assert_num_queries(7):
        client.get(URL)
    for name in ["甲", "乙"]:
        Case.objects.create(
            organization=world.add_school(f"{name}演示学校").organization,
            ground=case.ground,
            flagged_at=clock.now(),
        )
    with django_assert_num_queries(7):
        client.get(URL)


def test_the_search_finds_cases_within_scope(world, case, client_for):
    url = f"{URL}{case.pk}/"
    for user, found in [(world.office, True), (world.city_officer, True), (world.other_city_officer, False)]:
        assert (url in client_for(user).get("/search/", {"q": "太原"}).content.decode()) == found


def test_the_students_page_shows_the_newest_reports_figures(world, case, client_for):
    file(world)
    page = client_for(world.office).get(f"{URL}{case.pk}/students/").content.decode()
    assert "在训人数 40" in page
    assert "发证人数 10" in page
    assert client_for(world.contact).get(f"{URL}{case.pk}/students/").status_code == 403


def test_the_sweep_ends_a_term_at_its_instant_and_counts_nothing_of_it(world, case):
    supervision.investigate(case, by=world.office, at=clock.now())
    supervision.certify_platform(case, reason="无填报", by=world.office, at=clock.now())
    due_at = supervision.notify(case, by=world.office, at=clock.now()).answer_term.due_at
    sweep(world.at(due_at - dt.timedelta(seconds=1)))
    assert Case.objects.get().state == "notified"
    counts = sweep(world.at(due_at))
    assert Case.objects.get().state == "lapsed"
    assert len(counts.as_dict()) == 9
    sweep(due_at)
    assert Event.objects.filter(action="case_lapse").count() == 1
