"""The page of deadlines: by day and by organisation, past and ahead, counted by kind; the day of entry."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from core import clock
from obligations import ics, periods, services
from obligations.calendar import entry_due
from obligations.models import CalendarDay, Obligation, ObligationKind

PAGE = "/deadlines/"


def owe(world, organization, kind="site_review", key="1", **fields):
    due = {"opens_at": clock.now(), "due_at": clock.now() + dt.timedelta(days=3), "title": "事项"}
    return services.owe(organization=organization, kind=kind, key=key, **(due | fields))


def rows(client, **query):
    table = client.get(PAGE, query).context["table"]
    return [row.record.pk for row in table.rows]


def headings(client, **query):
    text = client.get(PAGE, query).content.decode()
    return [part.split(">")[-1].strip() for part in _between(text)]


def _between(text):
    marker = 'scope="rowgroup">'
    return [piece.split("</th>")[0] for piece in text.split(marker)[1:]]


def test_by_date_each_day_stands_once_with_its_weekday_and_what_is_done_apart(world, client_for):
    done = owe(world, world.school_org, key="2", due_at=clock.now() + dt.timedelta(days=1))
    services.fulfil(done, received_at=clock.now())
    assert headings(client_for(world.office)) == ["11月20日（星期五）", "已结束 · 11月19日（星期四）"]


def test_by_organisation_each_stands_once(world, client_for):
    owe(world, world.school_org)
    owe(world, world.evaluator_org)
    client = client_for(world.office)
    assert headings(client, by="organization") == ["演示评价组织", "太原演示职业学校", "长治演示职业学校"]
    assert headings(client, by="organization", sort="due_at") == []
    # A school has but one: it is not offered.
    assert "by" not in client_for(world.contact).get(PAGE).context["filter"].filters


def test_what_closes_at_midnight_is_listed_and_found_under_the_day_before(world, client_for):
    row = owe(world, world.school_org, due_at=clock.at(dt.date(2020, 12, 1)))
    client = client_for(world.contact)
    assert "11月30日（星期一）" in headings(client)
    assert rows(client, due_from="2020-11-30", due_to="2020-11-30") == [row.pk]
    assert rows(client, due_from="2020-12-01") == []
    assert rows(client, due_to="2020-11-29") == [world.obligation.pk]


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "abc"])
def test_days_at_the_edge_of_the_calendar_are_refused_and_break_nothing(world, client_for, day):
    response = client_for(world.office).get(PAGE, {"due_from": day, "due_to": day})
    assert response.status_code == 200
    assert response.context["count"] == 0
    assert "due_from" in response.context["filter"].form.errors


def test_counts_by_kind_follow_the_other_filters_and_lead_to_theirs(world, client_for):
    owe(world, world.school_org, due_at=clock.now())
    client = client_for(world.office)
    kinds = client.get(PAGE, {"q": "太原"}).context["kinds"]
    assert [(k.label, k.count, k.overdue) for k in kinds] == [("周报", 1, 0), ("考核站点审核", 1, 1)]
    chosen = client.get(PAGE + kinds[1].query).context
    assert chosen["count"] == 1
    assert [(k.label, k.is_chosen) for k in chosen["kinds"]] == [("周报", False), ("考核站点审核", True)]
    assert client.get(PAGE + chosen["kinds"][1].query).context["count"] == 2


def test_what_is_owed_by_evaluators_and_authorities_is_listed_and_chosen_too(world, client_for):
    mine = owe(world, world.evaluator_org)
    theirs = owe(world, world.bureau)
    assert rows(client_for(world.evaluator_officer)) == [mine.pk]
    assert rows(client_for(world.office), organization=world.bureau.pk) == [theirs.pk]
    assert set(rows(client_for(world.city_officer))) == {theirs.pk, world.obligation.pk}
    assert mine.pk not in rows(client_for(world.contact))


def test_a_row_leads_to_its_page_for_those_who_may(world, client_for):
    owe(world, world.school_org, kind="school_filing", link="/school-filing/")
    owe(world, world.school_org, kind="agreement", link="/agreements/7/")
    own, office = (client_for(user).get(PAGE).content.decode() for user in (world.contact, world.office))
    assert 'href="/school-filing/"' in own
    assert 'href="/school-filing/"' not in office.split('class="table-wrap"')[1]
    assert 'href="/agreements/7/"' in own
    assert 'href="/agreements/7/"' in office


def test_periods_ahead_are_shown_as_not_begun_to_those_whom_they_concern(world, client_for):
    periods.make_periods("weekly_report", at=clock.now())
    ahead = client_for(world.office).get(PAGE).context["ahead"]
    assert [(str(row.period), row.owing) for row in ahead[:2]] == [
        ("2020年第48周周报", 2),
        ("2020年第49周周报", 2),
    ]
    assert client_for(world.city_officer).get(PAGE).context["ahead"][0].owing == 1
    page = client_for(world.contact).get(PAGE)
    assert "尚未开始" in page.content.decode()
    assert "现在看应报" not in page.content.decode()
    weekly = [
        row
        for row in client_for(world.evaluator_officer).get(PAGE).context["ahead"]
        if row.period.kind == "weekly_report"
    ]
    assert weekly == []
    assert client_for(world.office).get(PAGE, {"state": "overdue"}).context["ahead"] == []
    assert client_for(world.office).get(PAGE, {"kind": "feedback"}).context["ahead"] == []


def test_one_that_opens_later_says_so_and_is_found_by_it(world, client_for):
    later = owe(world, world.school_org, opens_at=clock.now() + dt.timedelta(hours=1))
    client = client_for(world.contact)
    assert rows(client, state="coming") == [later.pk]
    assert "尚未开始" in client.get(PAGE, {"state": "coming"}).content.decode()


def test_the_page_costs_the_same_however_much_is_owed_and_ahead(world, client_for):
    client = client_for(world.office)

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert client.get(PAGE, {"by": "organization"}).status_code == 200
        return len(captured)

    periods.make_periods("weekly_report", at=clock.now())
    queries()  # what a process reads once
    before = queries()
    world.add_school("第三所演示学校")
    world.add_week("2020-W46")
    for number, kind in enumerate(ObligationKind):
        owe(world, world.other_school_org, kind=kind, key=f"n{number}")
    assert queries() == before <= 20


# --- what a suspension does not stop


@pytest.mark.parametrize(
    "kind", ["agreement", "credit_proposal", "certificate_entry", "feedback", "school_filing", "site_review"]
)
def test_a_suspension_exempts_from_reports_and_from_no_other_clock(world, kind):
    row = owe(world, world.school_org, kind=kind)
    services.suspend(
        kind="emergency",
        organizations=[world.school_org],
        scope_label="太原演示职业学校",
        starts_at=clock.now(),
        ends_at=clock.now() + dt.timedelta(days=30),
        reason="疫情防控",
        by=world.office,
        at=clock.now(),
    )
    assert Obligation.objects.get(pk=row.pk).outcome == "pending"
    assert Obligation.objects.get(pk=world.obligation.pk).outcome == "exempt"


# --- entry of certificates within seven working days


@pytest.fixture
def holidays(db):
    """National Day 2020 and Spring Festival 2021, with the weekend days worked for them (国办发明电〔2019〕16号, 〔2020〕27号)."""
    free = [dt.date(2020, 10, day) for day in range(1, 9)] + [dt.date(2021, 2, day) for day in range(11, 18)]
    worked = [dt.date(2020, 9, 27), dt.date(2020, 10, 10), dt.date(2021, 2, 7), dt.date(2021, 2, 20)]
    CalendarDay.objects.bulk_create(
        [CalendarDay(day=day, kind="holiday", name="节") for day in free]
        + [CalendarDay(day=day, kind="workday", name="调休") for day in worked]
    )


@pytest.mark.parametrize(
    ("issued_on", "last_day"),
    [
        ("2020-11-02", "2020-11-11"),  # Monday → Wednesday of the next week
        ("2020-09-17", "2020-09-27"),  # over a Sunday that is worked: it is the seventh
        ("2020-09-21", "2020-09-29"),
        ("2020-09-25", "2020-10-12"),  # 27–30 September, 9, 10 (Saturday, worked) and 12 October
        ("2020-09-30", "2020-10-16"),
        ("2020-10-01", "2020-10-16"),
        ("2021-02-05", "2021-02-20"),  # 7 (Sunday, worked)–10, 18, 19, 20 (Saturday, worked)
        ("2021-02-10", "2021-02-25"),
        ("2021-02-14", "2021-02-25"),
    ],
)
def test_the_seventh_working_day_over_holidays_and_make_up_days(holidays, issued_on, last_day):
    due = entry_due(dt.date.fromisoformat(issued_on))
    assert due == clock.at(dt.date.fromisoformat(last_day) + dt.timedelta(days=1))
    assert clock.local(due - dt.timedelta(microseconds=1)).date().isoformat() == last_day


@given(st.dates(dt.date(2019, 1, 1), dt.date(2030, 12, 31)), st.integers(0, 400))
@pytest.mark.django_db
def test_without_holidays_it_is_nine_to_eleven_days_and_never_goes_back(day, later):
    """Seven working days hold one weekend, or two."""
    length = (entry_due(day) - clock.at(day)).days - 1
    assert 9 <= length <= 11
    assert entry_due(day) <= entry_due(day + dt.timedelta(days=later))


def test_only_reports_are_exempt_what_lapsed_is_not_to_be_done_any_more(world, client_for):
    lapsed = owe(world, world.school_org, kind="application", key="round-1-returned-v1", title="申报")
    Obligation.objects.filter(pk=lapsed.pk).update(outcome="exempt", exempt_reason="退回后到期未重新提交")
    client = client_for(world.contact)
    page = client.get(PAGE, {"kind": "application"}).content.decode()
    assert '不再办理</span><br><span class="quiet">退回后到期未重新提交' in page
    assert "免报</span>" not in page
    assert "申报（不再办理）" in ics.calendar(world.contact, clock.now()).decode().replace("\r\n ", "")
    Obligation.objects.filter(pk=world.obligation.pk).update(outcome="exempt", exempt_reason="防汛")
    assert rows(client, state="exempt") == [world.obligation.pk]
    assert rows(client, state="not_owed") == [lapsed.pk]
    assert '免报</span><br><span class="quiet">防汛' in client.get(PAGE).content.decode()
