"""Accepting a report: outcome, receipt, versions, corrections."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import PilotMembership
from core import clock
from core.drafts import DraftConflict
from core.models import AppendOnly, Event, Notice
from obligations.models import Obligation, Outcome
from reporting import services
from reporting.models import ProgrammeFigures, ReportVersion, WeeklyReport
from reporting.sheet import Filing, filing
from reporting.sweep import sweep
from reporting.tests.weekly import content_of, file, typed

DUE, CLOSE = "2020-11-20T18:00:00+08:00", "2020-11-23T18:00:00+08:00"


def test_a_report_has_a_receipt_figures_and_an_event(world):
    version = file(world)
    assert version.receipt.startswith("ZB20201118-")
    assert len(version.receipt) == len("ZB20201118-7F3K9Q")
    assert version.received_at == clock.now()
    row = ProgrammeFigures.objects.get(version=version)
    assert (row.programme, row.in_training, str(row.training_hours)) == (world.programme, 40, "36.5")
    event = Event.objects.get(action="report_submitted")
    assert event.actor == world.contact
    assert event.changes["回执"] == version.receipt
    world.obligation.refresh_from_db()
    assert world.obligation.outcome == Outcome.ON_TIME


@pytest.mark.parametrize(
    ("instant", "means", "outcome"),
    [
        ("2020-11-20T17:59:59+08:00", Filing.ON_TIME, "on_time"),
        (DUE, Filing.LATE, "late"),
        ("2020-11-20T18:00:01+08:00", Filing.LATE, "late"),
        ("2020-11-23T17:59:59+08:00", Filing.LATE, "late"),
        (CLOSE, Filing.BACK_FILL, "filled"),
        ("2020-11-23T18:00:01+08:00", Filing.BACK_FILL, "filled"),
    ],
)
def test_on_time_late_or_back_filled_by_the_instant(world, instant, means, outcome):
    at = world.at(instant)
    sweep(at)
    world.obligation.refresh_from_db()
    assert filing(world.obligation, at) == means
    version = file(world)
    world.obligation.refresh_from_db()
    assert world.obligation.state == outcome
    assert version.received_at == at


def test_closed_while_the_report_was_on_its_way_it_is_stored(world):
    world.at("2020-11-23T18:00:00+08:00")
    content = content_of(world.obligation, typed(world))
    sweep(world.at("2020-11-23T18:00:05+08:00"))
    version = services.submit_report(
        obligation=world.obligation, content=content, token="t", by=world.contact, at=clock.now()
    )
    world.obligation.refresh_from_db()
    assert world.obligation.state == "filled"
    assert world.obligation.report.current == version


def test_the_same_form_twice_gives_the_same_receipt_and_one_report(world):
    first = file(world)
    assert file(world) == first
    assert file(world, token="another tab") == first
    assert ReportVersion.objects.count() == 1
    assert Event.objects.filter(action="report_submitted").count() == 1


def test_a_correction_is_a_new_version_and_the_old_one_stays(world):
    first = file(world)
    world.at("2020-11-21T09:00:00+08:00")
    second = file(world, token="t2", in_training="45")
    assert (second.number, second.receipt != first.receipt) == (2, True)
    assert ReportVersion.objects.get(pk=first.pk).content == first.content
    world.obligation.refresh_from_db()
    assert world.obligation.outcome == Outcome.ON_TIME
    assert WeeklyReport.objects.get().current == second
    third = file(world, token="t3")
    assert (third.number, third.content_hash) == (3, first.content_hash)


def test_versions_cannot_be_changed(world):
    version = file(world)
    version.content = {}
    with pytest.raises(AppendOnly):
        version.save()
    with pytest.raises(AppendOnly):
        ReportVersion.objects.update(is_zero=True)


def test_a_draft_newer_than_what_was_sent_is_kept(world):
    report = services.save_draft(
        obligation=world.obligation, typed=typed(world), revision=0, by=world.contact, at=clock.now()
    )
    sent = content_of(world.obligation, typed(world))
    newer = typed(world, problems="另一处又写了")
    services.save_draft(
        obligation=world.obligation, typed=newer, revision=1, by=world.contact, at=clock.now()
    )
    services.submit_report(
        obligation=world.obligation,
        content=sent,
        token="t",
        by=world.contact,
        at=clock.now(),
        draft_revision=report.draft_revision,
    )
    assert WeeklyReport.objects.get().draft == newer


def test_two_editors_the_second_is_told(world):
    save = {"obligation": world.obligation, "by": world.contact, "at": clock.now()}
    services.save_draft(typed=typed(world), revision=0, **save)
    with pytest.raises(DraftConflict) as conflict:
        services.save_draft(typed=typed(world, problems="别的"), revision=0, **save)
    assert conflict.value.record.draft == typed(world)
    assert services.save_draft(typed=typed(world), revision=0, **save).draft_revision == 1


@pytest.mark.parametrize("who", ["leader", "other_contact", "office", "city_officer", "evaluator_officer"])
def test_only_the_schools_contact_files(world, who):
    with pytest.raises(PermissionDenied):
        services.submit_report(
            obligation=world.obligation,
            content=content_of(world.obligation, typed(world)),
            token="t",
            by=getattr(world, who),
            at=clock.now(),
        )
    assert not WeeklyReport.objects.exists()


def test_a_stand_in_files(world):
    stand_in = world.add_user("school_contact", world.school_org, "standin", is_stand_in=True)
    world.contact = stand_in
    assert file(world).submitted_by == stand_in


def test_what_was_owed_before_leaving_may_be_filed_until_the_close_and_not_after(world):
    PilotMembership.objects.filter(organization=world.school_org).update(left_at=clock.now())
    assert filing(world.obligation, world.at("2020-11-19T10:00:00+08:00")) == Filing.ON_TIME
    at = world.at(CLOSE)
    assert filing(world.obligation, at) == Filing.LEFT
    with pytest.raises(PermissionDenied):
        file(world)


def test_not_open_yet_is_refused(world):
    week = world.add_week("2020-W48")
    obligation = Obligation.objects.get(organization=world.school_org, period=week)
    assert filing(obligation, clock.now()) == Filing.NOT_OPEN
    with pytest.raises(PermissionDenied, match="尚未开始"):
        file(world, obligation)


def test_an_exempt_week_may_be_filed_and_stays_exempt(world):
    Obligation.objects.filter(pk=world.obligation.pk).update(outcome="exempt", exempt_reason="国庆节")
    world.obligation.refresh_from_db()
    assert filing(world.obligation, clock.now()) == Filing.VOLUNTARY
    file(world)
    world.obligation.refresh_from_db()
    assert world.obligation.outcome == Outcome.EXEMPT


# --- return for correction


def send_back(world, by=None, reason="学时与上周重复"):
    return services.return_for_correction(
        obligation=world.obligation, reason=reason, by=by or world.office, at=clock.now()
    )


def test_a_return_opens_a_correction_and_leaves_the_outcome(world):
    file(world)
    world.at("2020-11-20T20:00:00+08:00")
    correction = send_back(world)
    assert correction.key == "2020-W47-v1"
    assert clock.local(correction.due_at).isoformat() == "2020-11-25T18:00:00+08:00"
    assert correction.closes_at is None
    world.obligation.refresh_from_db()
    assert world.obligation.outcome == Outcome.ON_TIME
    told = Notice.objects.filter(key=f"correction:{correction.pk}")
    assert {notice.recipient for notice in told} == {world.contact, world.leader}
    assert "学时与上周重复" in told[0].text


def test_the_corrected_report_fulfils_the_correction(world):
    file(world)
    correction = send_back(world)
    assert file(world, token="t2") == world.obligation.report.current, "the same again corrects nothing"
    correction.refresh_from_db()
    assert correction.outcome == Outcome.PENDING
    file(world, token="t3", training_hours="30", explanation="更正重复计算")
    correction.refresh_from_db()
    assert correction.outcome == Outcome.ON_TIME
    assert send_back(world).key == "2020-W47-v2"


def test_a_correction_may_be_filed_after_leaving(world):
    file(world)
    send_back(world)
    PilotMembership.objects.filter(organization=world.school_org).update(left_at=clock.now())
    world.at("2020-12-01T10:00:00+08:00")
    assert file(world, token="t2", in_training="41").number == 2


def test_what_cannot_be_returned(world):
    with pytest.raises(ValidationError, match="还没有收到"):
        send_back(world)
    file(world)
    with pytest.raises(ValidationError):
        send_back(world, reason="  ")
    for stranger in (world.other_city_officer, world.auditor, world.contact, world.leading):
        with pytest.raises(PermissionDenied):
            send_back(world, by=stranger)
    send_back(world, by=world.city_officer)
    with pytest.raises(ValidationError, match="已经退回"):
        send_back(world)
