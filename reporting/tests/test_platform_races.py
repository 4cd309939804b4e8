"""A list taken in against the school's own filing and against the close: real connections, on PostgreSQL."""

import pytest

from core.tests.races import together
from obligations.closing import close_period
from obligations.models import Obligation, PlatformImport
from obligations.tests.lists import row, take_in
from reporting.models import ReportVersion
from reporting.tests.test_submit_races import sending

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def test_a_list_and_the_schools_own_report_at_once(transactional_db, world):
    world.at("2020-11-20T20:00:00+08:00")

    def listing():
        take_in(world.office, row(world.school), periods=[world.period])

    together(sending(world, "own"), listing)
    done = Obligation.objects.get(pk=world.obligation.pk)
    assert (done.outcome, done.source) in {("late", "portal"), ("on_time", "platform")}
    assert ReportVersion.objects.count() == PlatformImport.objects.count() == 1


def test_a_list_and_the_close_at_once(transactional_db, world):
    at = world.at("2020-11-23T18:00:00+08:00")

    def listing():
        take_in(world.office, row(world.school), periods=[world.period])

    together(lambda: close_period(world.period, at=at), listing)
    done = Obligation.objects.get(pk=world.obligation.pk)
    assert done.closed_at == world.period.closes_at
    assert (done.outcome, done.state) in {("on_time", "on_time"), ("missed", "excused")}
