"""The same report sent twice, two editors, a report against the close: real connections, on PostgreSQL."""

import datetime as dt

import pytest

from core import clock
from core.drafts import DraftConflict
from core.models import Event
from core.tests.races import together
from obligations.models import Obligation
from reporting import services
from reporting.models import ReportVersion, WeeklyReport
from reporting.sweep import sweep
from reporting.tests.weekly import content_of, typed

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def sending(world, token, at=None, **changes):
    content = content_of(world.obligation, typed(world, **changes))
    at = at or clock.now()

    def send():
        obligation = Obligation.objects.get(pk=world.obligation.pk)
        return services.submit_report(
            obligation=obligation, content=content, token=token, by=world.contact, at=at
        )

    return send


def test_the_same_form_many_times_at_once_is_one_report(transactional_db, world):
    versions = together(*[sending(world, "same")] * 4, *(sending(world, f"tab {i}") for i in range(4)))
    assert {version.receipt for version in versions} == {ReportVersion.objects.get().receipt}
    assert Event.objects.filter(action="report_submitted").count() == 1


def test_two_different_reports_at_once_are_two_versions(transactional_db, world):
    versions = together(*(sending(world, f"t{i}", in_training=str(41 + i)) for i in range(4)))
    assert sorted(version.number for version in versions) == [1, 2, 3, 4]
    assert WeeklyReport.objects.get().current.number == 4


def test_of_two_editors_at_once_one_is_told(transactional_db, world):
    def save(words):
        obligation = Obligation.objects.get(pk=world.obligation.pk)
        try:
            services.save_draft(
                obligation=obligation,
                typed=typed(world, problems=words),
                revision=0,
                by=world.contact,
                at=clock.now(),
            )
        except DraftConflict:
            return "told"
        return words

    said = together(*(lambda words=words: save(words) for words in "甲乙丙丁"))
    assert said.count("told") == 3
    assert WeeklyReport.objects.get().draft["problems"] == next(words for words in said if words != "told")


@pytest.mark.parametrize("milliseconds", [-1, 0, 1])
def test_a_report_against_the_close_is_stored_and_one_outcome_stands(transactional_db, world, milliseconds):
    at = world.period.closes_at + dt.timedelta(milliseconds=milliseconds)
    send = sending(world, "t", at)
    version, *_ = together(send, lambda: sweep(world.period.closes_at), lambda: sweep(world.period.closes_at))
    obligation = Obligation.objects.get(pk=world.obligation.pk)
    assert WeeklyReport.objects.get().current == version
    assert obligation.state in ({"late", "filled"} if milliseconds < 0 else {"filled"})
