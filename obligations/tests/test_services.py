"""Rules, periods, suspensions, outages, the calendar: what they do to what is owed."""

import datetime as dt
import subprocess
import sys

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from core import clock
from core.models import Event
from obligations import calendar, closing, periods, services
from obligations.models import CalendarDay, CalendarYear, Obligation, Outage, Period, Policy, Suspension


def sweep(at):
    """What the clock does on this floor; the whole of it is reporting's sweep."""
    periods.make_periods("weekly_report", at=at)
    for period in Period.objects.to_open(at):
        periods.open_period(period)
    for period in Period.objects.to_close(at):
        closing.close_period(period, at=at)
    closing.remind(at=at)


def sh(text):
    return dt.datetime.fromisoformat(text + "+08:00")


@pytest.fixture
def autumn_2020(db):
    CalendarYear.objects.create(year=2020)
    for day in range(1, 9):
        CalendarDay.objects.create(day=dt.date(2020, 10, day), kind="holiday", name="国庆节、中秋节")
    for day in (dt.date(2020, 9, 27), dt.date(2020, 10, 10)):
        CalendarDay.objects.create(day=day, kind="workday", name="国庆节、中秋节")


def policy(**fields):
    return Policy(kind="weekly_report", effective_from=dt.date(2020, 1, 6), reminder_hours=[48], **fields)


def test_working_days_follow_make_up_days(autumn_2020):
    assert calendar.add_working_days(dt.date(2020, 10, 9), 1) == dt.date(2020, 10, 10)
    assert calendar.add_working_days(dt.date(2020, 9, 30), 3) == dt.date(2020, 10, 12)
    assert calendar.working_day_before(dt.date(2020, 10, 9)) == dt.date(2020, 9, 30)


def test_a_week_due_on_a_holiday_is_exempt_or_moves_before_it(autumn_2020):
    monday = dt.date(2020, 9, 28)
    assert periods.plan_period(policy(), monday).exempt_reason == "截止日逢国庆节、中秋节"
    moved = periods.plan_period(policy(on_holiday="move"), monday)
    assert (moved.exempt_reason, clock.local(moved.due_at).date()) == ("", dt.date(2020, 9, 30))


def test_a_make_up_saturday_may_be_the_moved_deadline(autumn_2020):
    moved = periods.plan_period(policy(on_holiday="move", due_weekday=1), dt.date(2020, 10, 5))
    assert moved.exempt_reason, "the working day before lies in the week before: the week is exempt"


def test_instants_are_shanghai_wall_clock_whatever_the_machine_zone():
    code = (
        "import os,django,datetime as dt;os.environ['DJANGO_SETTINGS_MODULE']='pilot_portal.settings';"
        "django.setup();from core import clock;"
        "print(clock.at(dt.date(2020,11,20),dt.time(18)).isoformat(),"
        "clock.local(dt.datetime(2020,11,20,16,tzinfo=dt.UTC)).date())"
    )
    for zone in ("UTC", "Asia/Shanghai", "America/New_York"):
        out = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"TZ": zone, "PATH": "/usr/bin:/bin"},
        ).stdout
        assert out.split() == ["2020-11-20T10:00:00+00:00", "2020-11-21"]


def test_a_changed_rule_rebuilds_only_unopened_periods(world):
    sweep(sh("2020-11-18T10:00:00"))
    before = Period.objects.get(key="2020-W47")
    services.set_policy(
        fields={
            "kind": "weekly_report",
            "effective_from": dt.date(2020, 11, 23),
            "due_weekday": 4,
            "reminder_hours": [24],
        },
        by=world.office,
        at=clock.now(),
    )
    assert Period.objects.get(key="2020-W47").due_at == before.due_at
    assert clock.local(Period.objects.get(key="2020-W48").due_at).isoweekday() == 4
    with pytest.raises(ValidationError, match="已经开始"):
        services.set_policy(
            fields={"kind": "weekly_report", "effective_from": dt.date(2020, 11, 18)},
            by=world.office,
            at=clock.now(),
        )


def test_a_rule_can_be_withdrawn_before_it_takes_effect(world):
    sweep(sh("2020-11-18T10:00:00"))
    rule = services.set_policy(
        fields={
            "kind": "weekly_report",
            "effective_from": dt.date(2020, 11, 30),
            "period_weeks": 2,
            "reminder_hours": [],
        },
        by=world.office,
        at=clock.now(),
    )
    assert Period.objects.get(key="2020-W49").weeks == 2
    services.remove_policy(rule, by=world.office, at=clock.now())
    assert Period.objects.get(key="2020-W49").weeks == 1
    with pytest.raises(ValidationError):
        services.remove_policy(world.policy, by=world.office, at=clock.now())


@pytest.mark.parametrize("who", ["city_officer", "contact", "auditor", "leading"])
def test_only_the_office_governs(world, who):
    with pytest.raises(PermissionDenied):
        services.set_policy(
            fields={"effective_from": dt.date(2021, 1, 4)}, by=getattr(world, who), at=clock.now()
        )


def suspend(
    world, organization, kind="emergency", by=None, start="2020-11-19T00:00:00", end="2020-11-30T00:00:00"
):
    return services.suspend(
        kind=kind,
        organizations=[organization],
        scope_label=str(organization),
        starts_at=sh(start),
        ends_at=sh(end),
        reason="暴雪",
        by=by or world.office,
        at=clock.now(),
    )


@pytest.mark.parametrize(("scope", "exempt"), [("province", 2), ("bureau", 1), ("school_org", 1)])
def test_a_suspension_exempts_what_falls_due_in_it(world, scope, exempt):
    suspend(world, getattr(world, scope))
    assert Obligation.objects.filter(key="2020-W47", outcome="exempt").count() == exempt
    sweep(sh("2020-11-23T00:00:00"))
    assert Obligation.objects.filter(key="2020-W48", outcome="exempt").count() == exempt
    sweep(sh("2020-11-30T00:00:00"))
    assert not Obligation.objects.filter(key="2020-W49", outcome="exempt").exists()


def test_a_suspension_declared_afterwards_excuses_and_never_changes_the_outcome(world):
    sweep(world.period.closes_at)
    suspend(world, world.school_org)
    world.obligation.refresh_from_db()
    assert (world.obligation.outcome, world.obligation.state) == ("missed", "excused")


def test_lifting_makes_the_rest_owed_again_unless_another_stands(world):
    suspension = suspend(world, world.school_org)
    suspend(world, world.other_school_org)
    services.lift_suspension(suspension, by=world.office, at=world.at("2020-11-19T12:00:00+08:00"))
    assert world.owed(world.school, "2020-W47").outcome == "pending"
    assert world.owed(world.other_school, "2020-W47").outcome == "exempt"
    sweep(sh("2020-11-23T00:00:00"))
    assert world.owed(world.school, "2020-W48").outcome == "pending"


@pytest.mark.parametrize(
    ("who", "target", "kind", "allowed"),
    [
        ("city_officer", "school_org", "emergency", True),
        ("city_officer", "other_school_org", "emergency", False),
        ("city_officer", "province", "emergency", False),
        ("contact", "school_org", "vacation", True),
        ("contact", "school_org", "emergency", False),
        ("contact", "other_school_org", "vacation", False),
        ("leader", "school_org", "vacation", False),
        ("auditor", "school_org", "emergency", False),
    ],
)
def test_who_may_suspend_whom(world, who, target, kind, allowed):
    if allowed:
        suspend(world, getattr(world, target), kind=kind, by=getattr(world, who))
        return
    with pytest.raises(PermissionDenied):
        suspend(world, getattr(world, target), kind=kind, by=getattr(world, who))
    assert not Suspension.objects.exists()


def test_an_outage_over_the_deadline_moves_it_for_everybody(world):
    services.fulfil(world.obligation, received_at=sh("2020-11-20T18:30:00"))
    services.record_outage(
        starts_at=sh("2020-11-20T17:00:00"),
        ends_at=sh("2020-11-20T19:00:00"),
        reason="机房停电",
        by=world.office,
        at=sh("2020-11-20T19:05:00"),
    )
    world.obligation.refresh_from_db()
    assert world.obligation.due_at == sh("2020-11-20T21:00:00")
    assert world.obligation.outcome == "on_time"
    assert "机房停电" in Period.objects.get(pk=world.period.pk).note
    assert Period.objects.get(pk=world.period.pk).closes_at == sh("2020-11-23T21:00:00")


def test_a_planned_outage_moves_a_period_that_is_made_later(world):
    services.record_outage(
        starts_at=sh("2021-03-05T12:00:00"),
        ends_at=sh("2021-03-05T20:00:00"),
        reason="升级",
        by=world.office,
        at=clock.now(),
    )
    sweep(sh("2021-02-10T10:00:00"))
    assert Period.objects.get(key="2021-W09").due_at == sh("2021-03-06T04:00:00")


def test_an_outage_recorded_after_the_close_excuses(world):
    sweep(world.period.closes_at)
    services.record_outage(
        starts_at=sh("2020-11-20T10:00:00"),
        ends_at=sh("2020-11-20T18:30:00"),
        reason="断网",
        by=world.office,
        at=sh("2020-11-24T09:00:00"),
    )
    world.obligation.refresh_from_db()
    assert world.obligation.state == "excused"
    assert Outage.objects.count() == 1


def returned(world, **fields):
    """A filing sent back: due on 25 November at 18:00, with no close."""
    fields = {"kind": "evaluator_filing", "organization": world.evaluator_org} | fields
    return services.owe(
        **fields,
        key="k",
        title="修改",
        opens_at=clock.now(),
        due_at=sh("2020-11-25T18:00:00"),
    )


def outage(world, start, end):
    services.record_outage(
        starts_at=sh(f"2020-11-25T{start}:00"),
        ends_at=sh(f"2020-11-25T{end}:00"),
        reason="升级",
        by=world.office,
        at=clock.now(),
    )


@pytest.mark.parametrize(("kind", "due"), [("evaluator_filing", "22:00"), ("application", "18:00")])
def test_outages_on_record_move_what_is_owed_later_but_no_step_of_a_round(world, kind, due):
    """17:00 to 19:00 moves 18:00 to 21:00; the outage that went on until 20:00 moves that to 22:00."""
    outage(world, "17:00", "19:00")
    outage(world, "19:00", "20:00")
    assert returned(world, kind=kind).due_at == sh(f"2020-11-25T{due}:00")


@pytest.mark.parametrize(("received", "outcome"), [("19:59:59", "on_time"), ("20:00:00", "late")])
def test_what_was_late_by_the_old_deadline_only_becomes_on_time(world, received, outcome):
    owed = services.fulfil(returned(world), received_at=sh(f"2020-11-25T{received}"))
    assert owed.outcome == "late"
    outage(world, "17:00", "18:30")
    owed.refresh_from_db()
    assert (owed.outcome, owed.due_at) == (outcome, sh("2020-11-25T20:00:00"))
    changes = Event.objects.get(action="outage_recorded").changes
    assert (changes["其他事项顺延"], changes["其他事项改记按时"]) == (1, int(outcome == "on_time"))


@pytest.mark.parametrize(
    ("kind", "organization", "outcome"),
    [
        ("correction", "school_org", "exempt"),
        ("correction", "other_school_org", "pending"),
        ("school_filing", "school_org", "pending"),
    ],
)
def test_a_standing_suspension_exempts_from_corrections_asked_for_later(world, kind, organization, outcome):
    suspend(world, world.bureau)
    owed = returned(world, kind=kind, organization=getattr(world, organization))
    assert (owed.outcome, owed.exempt_reason) == (outcome, "暴雪" if outcome == "exempt" else "")


def test_who_leaves_is_exempt_from_reports_and_rid_of_the_rest(world):
    school = {"organization": world.school_org}
    correction, filing = (
        returned(world, kind="correction", **school),
        returned(world, kind="school_filing", **school),
    )
    answer = returned(world, kind="case_answer", **school)
    kept, due = returned(world, kind="application", **school), returned(world, kind="agreement", **school)
    Obligation.objects.filter(pk=due.pk).update(due_at=clock.now())
    given = {"reason": "退出试点", "by": world.office, "at": clock.now(), "keep": {"application"}}
    assert services.release(**school, **given) == 3
    assert Event.objects.get(action="obligations_released").changes == {"免报": 2, "不再办理": 1}
    states = {row.pk: row.state for row in Obligation.objects.all()}
    assert [states[row.pk] for row in (world.obligation, correction, filing)] == [
        "exempt",
        "exempt",
        "not_owed",
    ]
    assert {states[row.pk] for row in (answer, kept, due)} == {"pending"}


def test_excusing_asks_for_a_reason_and_a_missed_week(world):
    with pytest.raises(ValidationError, match="未报"):
        services.excuse(world.obligation, reason="停电", by=world.office, at=clock.now())
    sweep(world.period.closes_at)
    world.obligation.refresh_from_db()
    with pytest.raises(ValidationError, match="理由"):
        services.excuse(world.obligation, reason="  ", by=world.office, at=clock.now())
    with pytest.raises(PermissionDenied):
        services.excuse(world.obligation, reason="停电", by=world.city_officer, at=clock.now())
    services.excuse(world.obligation, reason="停电", by=world.office, at=clock.now())
    assert world.obligation.state == "excused"
    assert Event.objects.get(action="obligation_excused").reason == "停电"


def test_owing_twice_owes_once(world):
    def owe():
        return services.owe(
            organization=world.school_org,
            kind="correction",
            key="k",
            title="更正",
            opens_at=clock.now(),
            due_at=clock.now() + dt.timedelta(days=3),
        )

    assert owe() == owe()


def test_what_has_no_close_stays_overdue_until_done_and_is_reminded_of_it(world):
    correction = services.owe(
        organization=world.school_org,
        kind="correction",
        key="k",
        title="更正",
        opens_at=clock.now(),
        due_at=sh("2020-11-19T18:00:00"),
    )
    sweep(sh("2020-11-19T18:00:00"))
    correction.refresh_from_db()
    assert (correction.outcome, correction.reminded_steps) == ("pending", 4)
    services.fulfil(correction, received_at=sh("2020-12-19T18:00:00"))
    assert correction.outcome == "late"


def test_a_set_holiday_rebuilds_the_weeks_that_have_not_begun(world):
    sweep(sh("2020-11-18T10:00:00"))
    services.set_calendar_day(
        day=dt.date(2020, 11, 27), kind="holiday", name="演示节", by=world.office, at=clock.now()
    )
    assert Period.objects.get(key="2020-W48").exempt_reason == "截止日逢演示节"
    services.set_calendar_day(day=dt.date(2020, 11, 27), kind=None, name="", by=world.office, at=clock.now())
    assert Period.objects.get(key="2020-W48").exempt_reason == ""
