"""The clock at work: instants, streaks, warnings, flags, and ending in the same state however it is run."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import PilotMembership
from core.models import Event, Notice
from obligations import services
from obligations.models import CalendarDay, Obligation, Outcome, Period, Policy
from reporting.models import StreakWarning
from reporting.streaks import current_streaks
from reporting.sweep import sweep
from supervision.models import Case, CaseEvidence

SECOND = dt.timedelta(seconds=1)


def closes(world, key):
    return Period.objects.get(key=key).closes_at


def run_to(world, text):
    return sweep(world.at(text)).as_dict()


def state():
    """All that a sweep leaves behind, but for the instants at which it was told."""
    return (
        list(
            Obligation.objects.order_by("organization", "key").values_list(
                "organization",
                "key",
                "outcome",
                "received_at",
                "closed_at",
                "filled_at",
                "excused_at",
                "exempt_reason",
            )
        ),
        list(
            Period.objects.order_by("key").values_list("key", "due_at", "closes_at", "opened_at", "closed_at")
        ),
        list(
            StreakWarning.objects.order_by("obligation__organization", "warned_at").values_list(
                "obligation__organization", "obligation__key", "weeks", "warned_at"
            )
        ),
        list(Case.objects.order_by("organization").values_list("organization", "flagged_at", "spans_exempt")),
        list(
            CaseEvidence.objects.order_by("case", "obligation").values_list(
                "case__organization", "obligation__key"
            )
        ),
    )


def test_a_week_closes_at_its_instant_and_not_a_second_before(world):
    services.fulfil(world.obligation, received_at=world.period.due_at)
    early = sweep(closes(world, "2020-W47") - SECOND)
    assert (early.closed_late, early.missed) == (0, 0)
    counts = sweep(closes(world, "2020-W47"))
    assert (counts.closed_on_time, counts.closed_late, counts.missed, counts.warnings, counts.flags) == (
        0,
        1,
        1,
        1,
        0,
    )
    again = sweep(closes(world, "2020-W47"))
    assert not any(again.as_dict().values())


@pytest.mark.parametrize(
    ("offset", "outcome"), [(-SECOND, "on_time"), (dt.timedelta(0), "late"), (SECOND, "late")]
)
def test_the_due_instant_is_half_open(world, offset, outcome):
    services.fulfil(world.obligation, received_at=world.period.due_at + offset)
    assert world.obligation.outcome == outcome


@pytest.mark.parametrize("offset", [dt.timedelta(0), SECOND])
def test_at_the_close_it_is_a_back_fill_though_no_sweep_has_run(world, offset):
    services.fulfil(world.obligation, received_at=world.period.closes_at + offset)
    assert (world.obligation.outcome, world.obligation.filled_at) == (
        "pending",
        world.period.closes_at + offset,
    )
    sweep(world.period.closes_at + 2 * SECOND)
    world.obligation.refresh_from_db()
    assert world.obligation.state == "filled"


def test_the_third_miss_flags_one_case_with_its_three_periods(world):
    first = run_to(world, "2020-11-23T18:00:00+08:00")
    second = run_to(world, "2020-11-30T18:00:00+08:00")
    third = run_to(world, "2020-12-07T18:00:00+08:00")
    assert (first["warnings"], second["warnings"], third["warnings"]) == (2, 2, 0)
    assert (first["flags"], second["flags"], third["flags"]) == (0, 0, 2)
    case = Case.objects.get(organization=world.school_org)
    assert [e.frozen["key"] for e in case.evidence.all()] == ["2020-W47", "2020-W48", "2020-W49"]
    fourth = run_to(world, "2020-12-14T18:00:00+08:00")
    assert fourth["flags"] == 0
    assert Case.objects.filter(organization=world.school_org).count() == 1
    assert case.evidence.count() == 4


def test_warned_are_the_school_its_city_and_the_office(world):
    run_to(world, "2020-11-23T18:00:00+08:00")
    told = Notice.objects.filter(key=f"obligation:{world.obligation.pk}:closed")
    assert {n.recipient.username for n in told} == {"contact", "leader", "city_officer", "office", "office2"}


def test_filing_resets_and_a_back_fill_does_not(world):
    run_to(world, "2020-11-23T18:00:00+08:00")
    services.fulfil(world.owed(world.school, "2020-W47"), received_at=world.at("2020-11-24T09:00:00+08:00"))
    services.fulfil(
        world.owed(world.other_school, "2020-W48"), received_at=world.at("2020-11-25T09:00:00+08:00")
    )
    run_to(world, "2020-11-30T18:00:00+08:00")
    streaks = current_streaks(
        [world.school_org.pk, world.other_school_org.pk], at=world.at("2020-12-01T00:00:00+08:00")
    )
    assert streaks[world.school_org.pk].weeks == 2
    assert world.other_school_org.pk not in streaks


def test_an_excuse_is_skipped_and_marks_the_streak_as_spanning(world):
    run_to(world, "2020-11-23T18:00:00+08:00")
    run_to(world, "2020-11-30T18:00:00+08:00")
    services.excuse(
        world.owed(world.school, "2020-W48"),
        reason="停电",
        by=world.office,
        at=world.at("2020-12-01T09:00:00+08:00"),
    )
    run_to(world, "2020-12-07T18:00:00+08:00")
    assert not Case.objects.filter(organization=world.school_org).exists()
    counts = run_to(world, "2020-12-14T18:00:00+08:00")
    case = Case.objects.get(organization=world.school_org)
    assert (counts["flags"], case.spans_exempt) == (1, True)
    assert [e.frozen["key"] for e in case.evidence.all()] == ["2020-W47", "2020-W49", "2020-W50"]


def test_a_withdrawn_excuse_counts_again_at_the_next_sweep(world):
    for instant in ("2020-11-23T18:00:00+08:00", "2020-11-30T18:00:00+08:00"):
        run_to(world, instant)
    obligation = world.owed(world.school, "2020-W48")
    services.excuse(obligation, reason="停电", by=world.office, at=world.at("2020-12-01T09:00:00+08:00"))
    run_to(world, "2020-12-07T18:00:00+08:00")
    services.withdraw_excuse(
        obligation, reason="查无停电", by=world.office, at=world.at("2020-12-08T09:00:00+08:00")
    )
    assert run_to(world, "2020-12-08T09:01:00+08:00")["flags"] == 1


def test_a_holiday_week_is_exempt_and_skipped(world):
    CalendarDay.objects.create(day=dt.date(2020, 11, 27), kind="holiday", name="演示节")
    Period.objects.unopened().delete()
    counts = run_to(world, "2020-11-23T18:00:00+08:00")
    assert counts["exempted"] == 2
    run_to(world, "2020-11-30T18:00:00+08:00")
    run_to(world, "2020-12-07T18:00:00+08:00")
    streak = current_streaks([world.school_org.pk], at=world.at("2020-12-08T00:00:00+08:00"))[
        world.school_org.pk
    ]
    assert (streak.weeks, streak.spans_exempt) == (2, True)


def test_fortnightly_counts_in_weeks(world):
    Period.objects.unopened().delete()
    Policy.objects.create(
        kind="weekly_report",
        effective_from=dt.date(2020, 11, 23),
        period_weeks=2,
        reminder_hours=[],
        created_at=world.at("2020-11-19T00:00:00+08:00"),
    )
    run_to(world, "2020-11-23T18:00:00+08:00")
    counts = run_to(world, "2020-12-07T18:00:00+08:00")
    assert counts["flags"] == 2
    assert [e.frozen["period"] for e in Case.objects.first().evidence.all()] == [
        "2020年第47周",
        "2020年第48–49周",
    ]


def test_joining_and_leaving_mid_week(world):
    late_comer = world.add_school("新加入学校", joined="2020-11-25T12:00:00+08:00")
    PilotMembership.objects.filter(organization=world.other_school_org).update(
        left_at=dt.datetime.fromisoformat("2020-11-25T12:00:00+08:00")
    )
    run_to(world, "2020-11-30T18:00:00+08:00")
    assert [o.key for o in late_comer.organization.obligations.all()] == ["2020-W49"]
    assert {o.key for o in world.other_school_org.obligations.all()} == {"2020-W47", "2020-W48"}


def test_reminders_once_per_step_and_only_the_latest_after_silence(world):
    assert run_to(world, "2020-11-18T17:59:59+08:00")["reminders"] == 0
    assert run_to(world, "2020-11-18T18:00:00+08:00")["reminders"] == 2
    assert run_to(world, "2020-11-18T18:05:00+08:00")["reminders"] == 0
    assert run_to(world, "2020-11-20T17:00:00+08:00")["reminders"] == 2
    keys = Notice.objects.filter(recipient=world.contact).values_list("key", flat=True)
    assert set(keys) == {f"obligation:{world.obligation.pk}:1", f"obligation:{world.obligation.pk}:3"}


def test_what_is_filed_is_not_reminded(world):
    services.fulfil(world.obligation, received_at=world.at("2020-11-18T11:00:00+08:00"))
    assert run_to(world, "2020-11-20T17:00:00+08:00")["reminders"] == 1


@settings(max_examples=8)
@given(
    filings=st.lists(st.sampled_from(["on_time", "late", "back_fill", "none"]), min_size=5, max_size=5),
    stops=st.lists(st.integers(0, 40 * 24 * 60), max_size=6),
)
def test_in_pieces_or_at_once_ends_in_the_same_state(world, filings, stops):
    """Sweeps at any earlier instants, repeated, leave what one sweep at the end leaves."""
    from django.db import transaction

    end = dt.datetime.fromisoformat("2020-12-28T19:00:00+08:00")
    start = dt.datetime.fromisoformat("2020-11-18T10:00:00+08:00")
    received = {
        "on_time": lambda p: p.due_at - SECOND,
        "late": lambda p: p.due_at,
        "back_fill": lambda p: p.closes_at,
    }

    def play(instants):
        sid = transaction.savepoint()
        world.at(start)
        todo = sorted({start + dt.timedelta(minutes=m) for m in instants} | {end})
        periods = {}
        filed = set()
        for instant in todo:
            # What arrives before this sweep arrives first, as on the day.
            for week, filing in enumerate(filings, 47):
                period = (
                    periods.get(week)
                    or Period.objects.filter(key=f"2020-W{week}", opened_at__isnull=False).first()
                )
                if filing == "none" or not period or week in filed:
                    continue
                at = received[filing](period)
                if at <= instant:
                    services.fulfil(world.owed(world.school, period.key), received_at=at)
                    filed.add(week)
            sweep(instant)
        for week, filing in enumerate(filings, 47):
            if filing != "none" and week not in filed:
                period = Period.objects.get(key=f"2020-W{week}")
        result = state(), len(filed)
        transaction.savepoint_rollback(sid)
        return result

    # Both schedules stop at each opening, so that the same filings can arrive.
    openings = [
        int((dt.datetime.fromisoformat(f"2020-{d}T00:00:00+08:00") - start).total_seconds() // 60)
        for d in ("11-23", "11-30", "12-07", "12-14")
    ]
    instants = [
        int((dt.datetime.fromisoformat(f"2020-{d}T18:00:00+08:00") - start).total_seconds() // 60)
        for d in ("11-20", "11-23", "11-27", "11-30", "12-04", "12-07", "12-11", "12-14", "12-18", "12-21")
    ]
    before = [m - 1 for m in instants]
    assert play(openings + before) == play(sorted({*openings, *before, *stops, *stops}))


@settings(max_examples=25)
@given(
    outcomes=st.lists(
        st.sampled_from(["on_time", "late", "missed", "excused", "exempt"]), min_size=1, max_size=8
    ),
    order=st.randoms(use_true_random=False),
)
def test_the_streak_is_what_a_reader_counts_whatever_the_order_of_rows(world, outcomes, order):
    from django.db import transaction

    sid = transaction.savepoint()
    Obligation.objects.all().delete()
    weeks = list(enumerate(outcomes))
    order.shuffle(weeks)
    base = world.period.due_at
    for i, outcome in weeks:
        due = base + dt.timedelta(weeks=i)
        period, _ = Period.objects.get_or_create(
            kind="weekly_report",
            key=f"X{i}",
            defaults={
                "policy": world.policy,
                "starts_on": dt.date(2021, 6, 7) + dt.timedelta(weeks=i),
                "ends_on": dt.date(2021, 6, 13) + dt.timedelta(weeks=i),
                "opens_at": due - dt.timedelta(days=4),
                "due_at": due,
                "closes_at": due + dt.timedelta(days=3),
            },
        )
        Obligation.objects.create(
            organization=world.school_org,
            kind="weekly_report",
            key=f"X{i}",
            title="周报",
            period=period,
            opens_at=period.opens_at,
            due_at=due,
            closes_at=period.closes_at,
            closed_at=period.closes_at,
            outcome="missed" if outcome == "excused" else outcome,
            received_at=due if outcome in ("on_time", "late") else None,
            excused_at=due if outcome == "excused" else None,
            excused_by=world.office if outcome == "excused" else None,
        )
    expected, spans, pending_span = 0, False, False
    for outcome in outcomes:
        if outcome == "missed":
            spans = spans or (pending_span and expected > 0)
            expected, pending_span = expected + 1, False
        elif outcome in ("on_time", "late"):
            expected, spans, pending_span = 0, False, False
        else:
            pending_span = True
    streak = current_streaks([world.school_org.pk], at=base + dt.timedelta(weeks=20)).get(world.school_org.pk)
    assert (streak.weeks if streak else 0) == expected
    assert (streak.spans_exempt if streak else False) == spans
    transaction.savepoint_rollback(sid)


def test_each_miss_and_each_flag_is_on_the_record_once(world):
    for instant in (
        "2020-11-23T18:00:00+08:00",
        "2020-11-30T18:00:00+08:00",
        "2020-12-07T18:00:00+08:00",
    ) * 2:
        sweep(dt.datetime.fromisoformat(instant))
    assert Event.objects.filter(action="obligation_missed", organization=world.school_org).count() == 3
    assert Event.objects.filter(action="case_flagged", organization=world.school_org).count() == 1


def test_a_year_of_53_weeks_has_each_week_once(world):
    run_to(world, "2021-01-11T00:00:00+08:00")
    keys = list(
        Period.objects.filter(starts_on__gte=dt.date(2020, 12, 14))
        .order_by("starts_on")
        .values_list("key", flat=True)
    )
    assert keys[:5] == ["2020-W51", "2020-W52", "2020-W53", "2021-W01", "2021-W02"]
    assert Outcome.PENDING in Obligation.objects.filter(key="2021-W02").values_list("outcome", flat=True)
