"""The record as of a day: equal to the present now, and to what was seen at every earlier instant."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from core import clock
from core.imports.services import CannotUndo, undo
from core.workflow import NotNow
from obligations import disputes, services
from obligations.models import Dispute, Obligation, Suspension
from obligations.tests.lists import row, take_in
from reporting import as_of
from reporting.streaks import current_streaks
from reporting.sweep import sweep
from reporting.tests.weekly import file

START = dt.datetime.fromisoformat("2020-11-18T10:00:00+08:00")
SEEN = (
    "outcome",
    "state",
    "received_at",
    "filled_at",
    "source",
    "due_at",
    "closes_at",
    "closed_at",
    "excused_at",
    "excused_by_id",
    "excuse_reason",
    "exempt_reason",
)


def present(world):
    """The rows as they are now: what the replay must come to."""
    at = clock.now()
    rows = Obligation.objects.weekly().opened(at).filter(organization=world.school_org).order_by("due_at")
    streak = current_streaks([world.school_org.pk], at=at).get(world.school_org.pk)
    weeks = []
    for obligation in rows:
        report = getattr(obligation, "report", None)
        current = report.current if report else None
        told = [(d.pk, d.state) for d in obligation.disputes.order_by("filed_at", "pk")]
        seen = [getattr(obligation, name) for name in SEEN]
        weeks.append((obligation.key, seen, current.receipt if current else None, told))
    return weeks, (streak.weeks, streak.spans_exempt) if streak else (0, False)


def replayed(world, at):
    record = as_of.as_of(world.school_org, at)
    weeks = [
        (
            week.row.key,
            [getattr(week.row, name) for name in SEEN],
            week.version.receipt if week.version else None,
            [(dispute.pk, state) for dispute, state in week.disputes],
        )
        for week in reversed(record.weeks)
    ]
    return weeks, (record.streak, record.spans_exempt)


class Story:
    """A world in which things happen; what cannot happen now is refused and changes nothing."""

    def __init__(self, world):
        self.world, self.jobs, self.count = world, [], 0

    def week(self, index):
        weeks = Obligation.objects.weekly().opened(clock.now()).filter(organization=self.world.school_org)
        return weeks.order_by("-due_at")[min(index, weeks.count() - 1)]

    def happen(self, verb, index):
        self.count += 1
        try:
            with transaction.atomic():
                getattr(self, verb)(self.week(index))
        except (ValidationError, NotNow, CannotUndo):
            pass

    def wait(self, week):
        """Only time passes."""

    def file(self, week):
        file(self.world, week, token=f"t{self.count}", problems=f"第{self.count}次")

    def excuse(self, week):
        services.excuse(week, reason=f"停电{self.count}", by=self.world.office, at=clock.now())

    def withdraw(self, week):
        services.withdraw_excuse(week, reason="查无停电", by=self.world.office, at=clock.now())

    def suspend(self, week):
        now = clock.now()
        services.suspend(
            kind="emergency",
            organizations=[self.world.bureau],
            scope_label="太原市",
            starts_at=now - dt.timedelta(days=9),
            ends_at=now + dt.timedelta(days=9),
            reason=f"暴雨{self.count}",
            by=self.world.office,
            at=now,
        )

    def lift(self, week):
        for suspension in Suspension.objects.standing_at(clock.now())[:1]:
            services.lift_suspension(suspension, by=self.world.office, at=clock.now())

    def outage(self, week):
        services.record_outage(
            starts_at=week.due_at - dt.timedelta(hours=3),
            ends_at=week.due_at + dt.timedelta(hours=1),
            reason=f"停机{self.count}",
            by=self.world.office,
            at=clock.now(),
        )

    def listed(self, week):
        filed_at = clock.local(clock.now() - dt.timedelta(hours=30)).replace(microsecond=0)
        line = row(self.world.school, week.key, f"{filed_at:%Y-%m-%d %H:%M:%S}")
        self.jobs.append(take_in(self.world.office, line, periods=[week.period]))

    def unlisted(self, week):
        for job in self.jobs[-1:]:
            undo(job=job, by=self.world.office, at=clock.now())
            self.jobs.pop()

    def dispute(self, week):
        disputes.file_dispute(week, claim="国家平台已报", by=self.world.contact, at=clock.now())

    def answer(self, week):
        for dispute in Dispute.objects.open()[:1]:
            verb = disputes.uphold if self.count % 2 else disputes.reject
            verb(dispute, answer="查实", by=self.world.office, at=clock.now())

    def drop(self, week):
        for dispute in Dispute.objects.open()[:1]:
            disputes.withdraw(dispute, by=self.world.contact, at=clock.now())

    def release(self, week):
        services.release(
            organization=self.world.school_org, reason="取消试点资格", by=self.world.office, at=clock.now()
        )


VERBS = [name for name in vars(Story) if not name.startswith("_") and name not in {"week", "happen"}]
steps = st.lists(
    st.tuples(st.integers(1, 60), st.sampled_from(VERBS), st.integers(0, 3)), min_size=3, max_size=14
)


@given(story=steps)
@settings(max_examples=12)
def test_every_earlier_instant_is_as_it_was_seen_then(world, story):
    with transaction.atomic():
        told, seen = Story(world), []
        now = world.at(START)
        for hours, verb, index in story:
            now = world.at(now + dt.timedelta(hours=hours, seconds=hours))
            sweep(now)
            told.happen(verb, index)
            sweep(now)
            seen.append((now, present(world)))
        for at, then in seen:
            assert replayed(world, at) == then
        transaction.set_rollback(True)
    world.at(START)


# --- what single days show


def test_between_the_close_and_the_excuse_it_was_missed(world):
    sweep(world.at("2020-11-24T09:00:00+08:00"))
    world.obligation.refresh_from_db()
    services.excuse(
        world.obligation, reason="停电", by=world.office, at=world.at("2020-11-25T09:00:00+08:00")
    )
    world.at("2020-11-30T09:00:00+08:00")

    def state(text):
        at = dt.datetime.fromisoformat(text)
        return [week.row.state for week in as_of.as_of(world.school_org, at).weeks][-1]

    assert state("2020-11-23T17:59:59+08:00") == "pending"
    assert state("2020-11-23T18:00:00+08:00") == "missed"
    assert state("2020-11-25T08:59:59+08:00") == "missed"
    assert state("2020-11-25T09:00:00+08:00") == "excused"


def test_a_list_is_known_from_its_import_not_from_the_filing_there(world):
    world.at("2020-11-20T20:00:00+08:00")
    take_in(world.office, row(world.school), periods=[world.period])
    before = as_of.as_of(world.school_org, dt.datetime.fromisoformat("2020-11-20T19:00:00+08:00"))
    after = as_of.as_of(world.school_org, clock.now())
    assert [r.weeks[0].row.state for r in (before, after)] == ["pending", "on_time"]
    assert after.weeks[0].row.source == "platform"


def test_a_list_that_was_undone_stood_until_then(world):
    world.at("2020-11-20T20:00:00+08:00")
    job = take_in(world.office, row(world.school), periods=[world.period])
    stood = clock.now()
    undo(job=job, by=world.office, at=world.at("2020-11-20T21:00:00+08:00"))
    states = [as_of.as_of(world.school_org, at).weeks[0].row.state for at in (stood, clock.now())]
    assert states == ["on_time", "pending"]


def test_a_deadline_moved_later_is_the_old_one_then(world):
    old = world.obligation.due_at
    received = world.at("2020-11-20T18:30:00+08:00")
    services.fulfil(world.obligation, received_at=received)
    services.record_outage(
        starts_at=old - dt.timedelta(hours=1),
        ends_at=old,
        reason="断网",
        by=world.office,
        at=world.at("2020-11-20T19:00:00+08:00"),
    )
    then, now = (as_of.as_of(world.school_org, at).weeks[0].row for at in (received, clock.now()))
    assert (then.outcome, then.due_at) == ("late", old)
    assert (now.outcome, now.due_at) == ("on_time", old + dt.timedelta(hours=1))


def test_what_a_suspension_exempted_was_pending_before_and_after(world):
    before = clock.now()
    suspension = services.suspend(
        kind="emergency",
        organizations=[world.province],
        scope_label="全省",
        starts_at=clock.at(clock.today()),
        ends_at=clock.at(clock.today() + dt.timedelta(days=9)),
        reason="暴雨",
        by=world.office,
        at=world.at("2020-11-18T12:00:00+08:00"),
    )
    during = clock.now()
    services.lift_suspension(suspension, by=world.office, at=world.at("2020-11-19T12:00:00+08:00"))
    instants = (before, during, clock.now())
    states = [as_of.as_of(world.school_org, at).weeks[0].row.state for at in instants]
    assert states == ["pending", "exempt", "pending"]


def test_a_case_decided_later_still_counted_then(world):
    rows = []
    for number in range(3):
        opened = START + dt.timedelta(weeks=number)
        rows.append(
            Obligation(
                pk=number,
                outcome="missed",
                due_at=opened,
                opens_at=opened,
                period=world.period,
                kind="weekly",
            )
        )
    assert as_of.streak_at(rows, set()) == (3, False)
    assert as_of.streak_at(rows, {0, 1, 2}) == (0, False)
    rows[1].outcome = "exempt"
    assert as_of.streak_at(rows, set()) == (2, True)
    rows[2].outcome = "late"
    assert as_of.streak_at(rows, set()) == (0, False)


# --- the page


@pytest.fixture
def excused(world):
    sweep(world.at("2020-11-24T09:00:00+08:00"))
    world.obligation.refresh_from_db()
    services.excuse(
        world.obligation, reason="停电", by=world.office, at=world.at("2020-11-25T09:00:00+08:00")
    )
    world.at("2020-11-30T09:00:00+08:00")


def test_the_page_says_which_day_it_is_of(world, excused, client_for):
    address = reverse("reporting:history", args=[world.school_org.pk])
    client = client_for(world.contact)
    page = client.get(address, {"as_of": "2020-11-24"}).content.decode()
    assert "截至 2020年11月24日" in page
    assert "停电" not in page
    page = client.get(address, {"as_of": "2020-11-25T09:00:00+08:00"}).content.decode()
    assert "停电" in page


@pytest.mark.parametrize("text", ["gestern", "2020-13-01", "2999-01-01", "2020-11-25T09:00:00"])
def test_a_day_that_is_none_is_refused_in_words(world, excused, client_for, text):
    address = reverse("reporting:history", args=[world.school_org.pk])
    response = client_for(world.contact).get(address, {"as_of": text}, follow=True)
    assert response.status_code == 200
    assert "不能按" in response.content.decode()


def test_strangers_see_no_day_of_it(world, excused, client_for):
    address = reverse("reporting:history", args=[world.school_org.pk])
    for name in ("other_contact", "other_city_officer", "learner", "evaluator_officer"):
        assert client_for(getattr(world, name)).get(address, {"as_of": "2020-11-24"}).status_code in (
            403,
            404,
        )


def test_more_weeks_ask_no_more_queries(world, excused, client_for, django_assert_max_num_queries):
    address = reverse("reporting:history", args=[world.school_org.pk])
    for until in ("2020-12-01", "2020-12-20"):
        sweep(world.at(f"{until}T09:00:00+08:00"))
        client = client_for(world.contact)
        with django_assert_max_num_queries(20):
            client.get(address, {"as_of": "2020-11-26"})
