"""Races between real connections, on PostgreSQL: whatever comes first stands, and nothing is lost."""

import datetime as dt
from collections import Counter

import pytest
from django.db import connection

from core.models import Event, Notice
from core.tests.races import together
from obligations import services
from obligations.models import Obligation, Outcome
from reporting.models import StreakWarning
from reporting.sweep import sweep
from supervision.models import Case

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def world(transactional_db, world):
    return world


def test_two_hundred_schools_file_around_the_close(world):
    schools = [world.add_school(f"竞态演示学校{i}") for i in range(198)]
    period = world.add_week("2020-W48")
    rows = list(Obligation.objects.filter(period=period).order_by("pk"))
    assert len(rows) == len(schools) + 2
    instants = [period.closes_at + dt.timedelta(milliseconds=i - 100) for i in range(len(rows))]

    def file(some):
        for row, at in some:
            services.fulfil(row, received_at=at)

    pairs = list(zip(rows, instants, strict=True))
    together(
        *(lambda part=pairs[i::4]: file(part) for i in range(4)),
        lambda: sweep(period.closes_at),
        lambda: sweep(period.closes_at),
    )
    for row, at in pairs:
        row.refresh_from_db()
        assert (row.received_at == at) != (row.filled_at == at), "each report is noted once"
        if row.outcome == Outcome.LATE:
            assert at < period.closes_at
        else:
            assert row.outcome == Outcome.MISSED
            assert row.filled_at == at
    outcomes = Counter(r.outcome for r in rows)
    assert (
        Event.objects.filter(action="obligation_missed", target_id__in=[r.pk for r in rows]).count()
        == outcomes["missed"]
    )


def test_two_sweeps_at_once_do_the_work_of_one(world):
    for key in ("2020-W48", "2020-W49"):
        world.add_week(key)
    at = world.at("2020-12-07T18:00:00+08:00")
    first, second, third = together(lambda: sweep(at), lambda: sweep(at), lambda: sweep(at))
    total = {k: first.as_dict()[k] + second.as_dict()[k] + third.as_dict()[k] for k in first.as_dict()}
    assert (total["missed"], total["warnings"], total["flags"]) == (6, 4, 2)
    assert Case.objects.count() == 2
    assert StreakWarning.objects.count() == 4
    assert Event.objects.filter(action="case_flagged").count() == 2
    assert Event.objects.filter(action="obligation_missed").count() == 6
    assert Notice.objects.filter(recipient=world.contact, key__contains="closed").count() == 2


def test_a_worker_killed_mid_sweep_leaves_nothing_half_done(world, monkeypatch):
    """The connection dies inside the closing; another worker starts again and finishes."""
    from reporting import sweep as sweeping

    def die(*args, **kwargs):
        raise SystemExit("killed")

    with monkeypatch.context() as patched:
        patched.setattr(sweeping, "_warn", die)
        with pytest.raises(SystemExit):
            sweep(world.period.closes_at)
    assert Obligation.objects.filter(outcome=Outcome.MISSED).count() == 0
    counts = sweep(world.period.closes_at)
    assert (counts.missed, counts.warnings) == (2, 2)


def test_excuse_and_withdrawal_by_two_officers_at_once(world):
    sweep(world.period.closes_at)

    def attempt(by):
        from django.core.exceptions import ValidationError

        try:
            services.excuse(
                Obligation.objects.get(pk=world.obligation.pk),
                reason="停电",
                by=by,
                at=world.period.closes_at,
            )
        except ValidationError:
            return "refused"
        return "done"

    assert sorted(together(lambda: attempt(world.office), lambda: attempt(world.office2))) == [
        "done",
        "refused",
    ]
    assert Event.objects.filter(action="obligation_excused").count() == 1


def test_the_suite_runs_where_it_says():
    assert connection.vendor == "postgresql"
