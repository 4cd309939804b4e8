"""A summary sent twice, and against the close: real connections, on PostgreSQL."""

import datetime as dt

import pytest

from core import clock
from core.models import Event
from core.tests.races import together
from obligations.models import Obligation
from reporting.models import Summary, SummaryVersion
from reporting.services import submit_summary
from reporting.summaries.forms import SummaryForm
from reporting.summaries.sheet import sheet_for
from reporting.sweep import sweep
from reporting.tests.summing import month_of, typed

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def sending(world, owed, token, at):
    form = SummaryForm(sheet_for(owed), typed(owed))
    assert form.is_valid()
    content = form.content

    def send():
        fresh = Obligation.objects.get(pk=owed.pk)
        return submit_summary(
            obligation=fresh, content=content, token=token, by=world.evaluator_officer, at=at
        )

    return send


def test_the_same_form_many_times_at_once_is_one_report(transactional_db, world):
    owed = month_of(world)
    versions = together(*(sending(world, owed, f"tab {i % 2}", clock.now()) for i in range(6)))
    assert {version.receipt for version in versions} == {SummaryVersion.objects.get().receipt}
    assert Event.objects.filter(action="summary_submitted").count() == 1


@pytest.mark.parametrize("milliseconds", [-1, 0, 1])
def test_against_the_close_it_is_stored_and_one_outcome_stands(transactional_db, world, milliseconds):
    owed = month_of(world)
    send = sending(world, owed, "t", owed.closes_at + dt.timedelta(milliseconds=milliseconds))
    version, *_ = together(send, lambda: sweep(owed.closes_at), lambda: sweep(owed.closes_at))
    owed.refresh_from_db()
    assert Summary.objects.get().current == version
    assert owed.state in ({"late", "filled"} if milliseconds < 0 else {"filled"})
