"""Deadlines, rules and the calendar, as each role and as a stranger."""

import datetime as dt
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from core.models import Event
from obligations import periods
from obligations.models import CalendarDay, CalendarYear, Obligation, ObligationKind, Period, Policy

READERS = [
    "office",
    "finance",
    "coordinator",
    "leading",
    "expert",
    "auditor",
    "city_officer",
    "contact",
    "leader",
]
PAGES = ["deadlines", "policies", "calendar", "suspensions", "outages"]


@pytest.mark.parametrize("name", PAGES)
def test_strangers_are_sent_to_sign_in(world, client, name):
    assert client.get(reverse(f"obligations:{name}")).status_code == 302


@pytest.mark.parametrize("name", ["policies", "calendar", "outages"])
def test_rules_are_read_by_all_but_learners(world, client_for, name):
    address = reverse(f"obligations:{name}")
    for role in READERS:
        assert client_for(getattr(world, role)).get(address).status_code == 200, role
    assert client_for(world.learner).get(address).status_code == 403


@pytest.mark.parametrize(
    ("name", "args"),
    [("policy-create", []), ("calendar-day", []), ("calendar-publish", [2027]), ("outage-create", [])],
)
def test_only_the_office_changes_rules(world, client_for, name, args):
    address = reverse(f"obligations:{name}", args=args)
    assert client_for(world.office).get(address).status_code == 200
    for role in [*READERS[1:], "learner", "evaluator_officer"]:
        client = client_for(getattr(world, role))
        assert client.get(address).status_code == 403, role
        assert client.post(address, {}).status_code == 403, role


# --- deadlines


def test_deadlines_show_the_day_the_hour_and_what_is_left(world, client_for):
    page = client_for(world.contact).get(reverse("obligations:deadlines")).content.decode()
    assert "2020年第47周周报" in page
    assert "11月20日（星期五）18:00" in page
    assert "还剩 2天8小时" in page
    assert reverse("reporting:edit", args=[world.obligation.pk]) in page


def test_each_sees_the_deadlines_of_its_scope(world, client_for):
    address = reverse("obligations:deadlines")

    def seen(user):
        return set(client_for(user).get(address).context["table"].data.data.values_list("pk", flat=True))

    both = {world.obligation.pk, world.other_obligation.pk}
    assert seen(world.office) == seen(world.auditor) == both
    assert seen(world.city_officer) == seen(world.contact) == seen(world.leader) == {world.obligation.pk}
    assert seen(world.other_contact) == {world.other_obligation.pk}
    assert seen(world.evaluator_officer) == set()
    for outsider in (world.finance, world.expert, world.learner):
        assert client_for(outsider).get(address).status_code == 403


def test_pending_come_first_the_soonest_on_top(world, client_for):
    week46 = world.add_week("2020-W46")
    Obligation.objects.filter(period=week46).update(outcome="on_time", received_at=week46.opens_at)
    late = world.add_week("2020-W45")
    table = client_for(world.contact).get(reverse("obligations:deadlines")).context["table"]
    assert [row.record.key for row in table.rows] == [late.key, "2020-W47", "2020-W46"]


def test_filters_narrow_and_stay_in_scope(world, client_for):
    world.add_week("2020-W46")
    client, address = client_for(world.office), reverse("obligations:deadlines")

    def keys(client=client, **query):
        table = client.get(address, query).context["table"]
        return {(row.record.organization_id, row.record.key) for row in table.rows}

    mine, other = world.school_org.pk, world.other_school_org.pk
    assert keys(state="overdue") == {(mine, "2020-W46"), (other, "2020-W46")}
    assert keys(q="长治", state="todo") == {(other, "2020-W46"), (other, "2020-W47")}
    assert keys(city=world.bureau.pk) == {(mine, "2020-W46"), (mine, "2020-W47")}
    assert keys(organization=other, kind="weekly_report") == {(other, "2020-W46"), (other, "2020-W47")}
    assert keys(kind="correction") == keys(state="exempt") == set()
    officer = client_for(world.city_officer)
    # Another city's school is no choice of this one's filter, and leads to nothing.
    assert keys(officer, organization=other) == set()


def test_the_states_of_missed_ones_are_told_apart(world, client_for):
    rows = Obligation.objects.filter(pk=world.obligation.pk)
    at = world.period.closes_at
    rows.update(outcome="missed", closed_at=at)
    client, address = client_for(world.office), reverse("obligations:deadlines")

    def state_of():
        return [
            s for s in ("missed", "filled", "excused") if client.get(address, {"state": s}).context["count"]
        ]

    assert state_of() == ["missed"]
    rows.update(filled_at=at)
    assert state_of() == ["filled"]
    rows.update(excused_at=at, excused_by=world.office)
    assert state_of() == ["excused"]


def test_deadlines_cost_the_same_for_one_row_and_three(world, client_for):
    client, address = client_for(world.office), reverse("obligations:deadlines")

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        return len(captured)

    queries()  # what a process reads once
    before = queries()
    world.add_week("2020-W46")
    world.add_school("第三所演示学校")
    world.add_week("2020-W45")
    assert queries() == before <= 20


def test_the_export_holds_what_is_filtered(world, client_for):
    response = client_for(world.office).post(reverse("obligations:deadlines") + "?q=长治")
    assert response["Content-Type"].startswith("application/vnd.openxmlformats")
    assert Event.objects.get(action="list_exported").changes["行数"] == 1
    rows = list(load_workbook(io.BytesIO(response.content)).active.values)
    assert rows[0] == ("机构", "事项", "截止", "时间", "状态")
    assert rows[1] == ("长治演示职业学校", "2020年第47周周报", "2020-11-20 18:00", "还剩 2天8小时", "待报")


# --- rules

MONDAY = "2020-11-30"
ANSWERS = {
    "effective_from": MONDAY,
    "period_weeks": "2",
    "due_weekday": "4",
    "due_time": "17:00",
    "close_after_hours": "48",
    "on_holiday": "move",
    "reminder_hours": "24，48、 2",
    "flag_weeks": "3",
    "correction_working_days": "5",
    "dispute_working_days": "5",
    "note": "试行",
}


@pytest.fixture
def ahead(world):
    """The weeks ahead of the world's, unopened."""
    periods.make_periods("weekly_report", at=world.at("2020-11-18T10:00:00+08:00"))
    return Period.objects.unopened()


def test_a_rule_is_previewed_then_saved(world, ahead, client_for):
    client, address = client_for(world.office), reverse("obligations:policy-create")
    response = client.post(address, ANSWERS)
    assert Policy.objects.count() == 1
    assert [period.label for period in response.context["periods"]][:2] == [
        "2020年第49–50周",
        "2020年第51–52周",
    ]
    assert len(response.context["periods"]) == 8
    page = response.content.decode()
    assert "12月10日（星期四）17:00" in page
    assert "48、24、2" in page
    assert "2021年节假日安排待公布" in page

    assert client.post(address, ANSWERS | {"step": "confirm"}).status_code == 302
    policy = Policy.objects.get(effective_from=MONDAY)
    assert policy.reminder_hours == [48, 24, 2]
    assert (policy.kind, policy.created_by) == (ObligationKind.WEEKLY_REPORT, world.office)
    assert ahead.filter(policy=policy).first().key == "2020-W49"
    assert Event.objects.filter(action="policy_set", actor=world.office).exists()


def test_the_same_rule_sent_twice_is_saved_once(world, ahead, client_for):
    client, address = client_for(world.office), reverse("obligations:policy-create")
    client.post(address, ANSWERS | {"step": "confirm"})
    again = client.post(address, ANSWERS | {"step": "confirm"})
    assert "这一天已有一版规则生效" in again.content.decode()
    assert Policy.objects.filter(effective_from=MONDAY).count() == 1


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("effective_from", "2020-12-01", "是星期二"),
        ("effective_from", "2020-11-16", "已经开始填报"),
        ("effective_from", "不是日期", "有效"),
        ("reminder_hours", "48,二", "整数小时"),
        ("reminder_hours", "9,8,7,6,5,4,3", "最多提醒 6 次"),
        ("reminder_hours", "-1", "整数小时"),
        ("period_weeks", "5", "4"),
        ("close_after_hours", "0", "1"),
        ("due_weekday", "8", "8"),
    ],
)
def test_a_bad_answer_is_refused_and_all_that_was_typed_is_kept(world, ahead, client_for, field, value, said):
    response = client_for(world.office).post(reverse("obligations:policy-create"), ANSWERS | {field: value})
    form = response.context["form"]
    assert said in str(form.errors[field])
    page = response.content.decode()
    assert 'value="试行"' in page
    if field != "due_weekday":
        assert f'value="{value}"' in page
    assert Policy.objects.count() == 1


def test_back_from_the_answers_to_the_form_keeps_them(world, ahead, client_for):
    response = client_for(world.office).post(reverse("obligations:policy-create"), ANSWERS | {"step": "edit"})
    assert 'value="试行"' in response.content.decode()
    assert not response.context["form"].errors
    assert Policy.objects.count() == 1


def test_a_future_rule_is_changed_or_withdrawn_and_one_in_force_is_not(world, ahead, client_for):
    client = client_for(world.office)
    client.post(reverse("obligations:policy-create"), ANSWERS | {"step": "confirm"})
    future = Policy.objects.get(effective_from=MONDAY)
    edit = reverse("obligations:policy-update", args=[future.pk])
    assert "48, 24, 2" in client.get(edit).content.decode()
    client.post(edit, ANSWERS | {"effective_from": "2020-12-07", "step": "confirm"})
    changed = Policy.objects.latest("effective_from")
    assert (Policy.objects.count(), changed.effective_from) == (2, dt.date(2020, 12, 7))

    remove = reverse("obligations:policy-remove", args=[changed.pk])
    assert client.get(remove).status_code == 200
    client.post(remove)
    assert list(Policy.objects.all()) == [world.policy]
    assert not ahead.exclude(policy=world.policy).exists()
    for name in ("policy-update", "policy-remove"):
        address = reverse(f"obligations:{name}", args=[world.policy.pk])
        assert client.post(address, ANSWERS | {"step": "confirm"}).status_code == 403
        assert client_for(world.contact).post(address).status_code == 403


def test_the_rules_page_marks_what_is_in_force_and_calls_nothing_official(world, ahead, client_for):
    client_for(world.office).post(reverse("obligations:policy-create"), ANSWERS | {"step": "confirm"})
    response = client_for(world.contact).get(reverse("obligations:policies"))
    assert [standing for _, standing in response.context["versions"]] == ["future", "in_force"]
    page = response.content.decode()
    assert "未见公开规定" in page
    assert reverse("obligations:policy-create") not in page


# --- the calendar


def test_a_holiday_is_previewed_with_the_periods_it_exempts(world, ahead, client_for):
    client, address = client_for(world.office), reverse("obligations:calendar-day")
    answers = {"day": "2020-12-04", "kind": "holiday", "name": "演练假"}
    before = list(ahead.values_list("key", "due_at", "exempt_reason"))
    response = client.post(address, answers)
    [change] = response.context["changes"]
    assert (change.before.exempt_reason, change.after.exempt_reason) == ("", "截止日逢演练假")
    assert "演练假" in response.content.decode()
    assert list(ahead.values_list("key", "due_at", "exempt_reason")) == before
    assert not CalendarDay.objects.exists()

    done = client.post(address, answers | {"step": "confirm"})
    assert done["Location"] == reverse("obligations:calendar") + "?year=2020"
    assert ahead.get(key="2020-W49").exempt_reason == "截止日逢演练假"

    client.post(address, {"day": "2020-12-04", "kind": "", "name": "", "step": "confirm"})
    assert not CalendarDay.objects.exists()
    assert ahead.get(key="2020-W49").exempt_reason == ""


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ({"day": "2020-12-04", "kind": "holiday", "name": ""}, "name"),
        ({"day": "2020-12-04", "kind": "workday", "name": "调休"}, "kind"),
        ({"day": "2020-12-04", "kind": "", "name": ""}, "kind"),
        ({"day": "1999-12-04", "kind": "holiday", "name": "元旦"}, "day"),
        ({"day": "", "kind": "holiday", "name": "元旦"}, "day"),
    ],
)
def test_a_day_that_makes_no_sense_is_refused(world, client_for, answers, field):
    response = client_for(world.office).post(reverse("obligations:calendar-day"), answers)
    assert field in response.context["form"].errors
    assert not CalendarDay.objects.exists()


def test_a_year_is_published_by_its_document_once_its_days_are_there(world, client_for):
    client, address = client_for(world.office), reverse("obligations:calendar-publish", args=[2021])
    refused = client.post(address, {"document": "国办发明电〔2020〕27号"})
    assert "还没有登记任何节假日" in refused.content.decode()
    CalendarDay.objects.create(day=dt.date(2021, 1, 1), kind="holiday", name="元旦")
    assert "待公布" in client.get(reverse("obligations:calendar"), {"year": "2021"}).content.decode()
    client.post(address, {"document": "国办发明电〔2020〕27号"})
    assert CalendarYear.objects.get(year=2021).document == "国办发明电〔2020〕27号"
    page = client_for(world.contact).get(reverse("obligations:calendar"), {"year": "2021"}).content.decode()
    assert "国办发明电〔2020〕27号" in page
    assert "1月1日（星期五）" in page
    assert reverse("obligations:calendar-day") not in page


@pytest.mark.parametrize(("year", "status"), [("2020", 200), ("1066", 404), ("abc", 200), ("99999", 200)])
def test_the_year_in_the_address(world, client_for, year, status):
    assert (
        client_for(world.contact).get(reverse("obligations:calendar"), {"year": year}).status_code == status
    )
