"""What a round makes schools, bureaux and the office owe, from the first draft to the last decision."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core import clock
from core.models import Event, Notice
from obligations import services as obligations
from obligations.closing import remind
from obligations.models import Obligation
from obligations.rates import rate
from schools.models import Closings
from schools.services import duties
from schools.services.extensions import extend
from schools.tasks import lapse_applications
from schools.tests.builders import make_application, make_item
from schools.tests.hubei import CITY, MICROSECOND, PROVINCE, SCHOOL, hand_in, hubei, put, sh


@pytest.fixture
def round(world):
    return hubei(world)


def begin(world, round, school=None, state="draft", reviewer=None):
    """A draft with one item, begun on the round's first morning."""
    school = school or world.school
    world.at(sh("2021-05-14T09:00:00"))
    application = make_application(round, school, reviewer=reviewer)
    make_item(application, world.level, state=state)
    duties.applicant(application, at=clock.now())
    return application


def owed(kind, organization=None, **fields):
    rows = Obligation.objects.filter(kind=kind, **fields)
    return rows.filter(organization=organization) if organization else rows


def the(kind, organization=None):
    return owed(kind, organization).get()


def later(round, world, organization, day, at=None):
    """The school's closing of one or all, later."""
    closings = round.closings_of(organization.pk) if organization else round.closings
    new = Closings(sh(f"{day}T00:00:00"), *(max(c, sh(f"{day}T00:00:00")) for c in closings[1:]))
    return extend(
        round=round,
        organization=organization,
        closings=new,
        reason="停电",
        by=world.office,
        at=at or clock.now(),
    )


def test_who_does_not_apply_owes_nothing(world, round):
    duties.lapse(world.at(PROVINCE))
    assert not owed("application")


def test_a_draft_is_owed_by_the_closing_once(world, round):
    application = begin(world, round)
    again = duties.applicant(application, at=clock.now())
    duty = the("application", world.school_org)
    assert again == duty
    assert (duty.title, duty.key) == ("2021年第1批试点申报", f"round-{round.pk}")
    assert (duty.opens_at, duty.due_at, duty.closes_at) == (round.opens_at, SCHOOL, None)
    assert duty.outcome == "pending"


def test_handing_in_is_on_time_and_the_bureau_owes_its_review(world, round):
    application = begin(world, round, reviewer=world.bureau)
    world.at(SCHOOL - MICROSECOND)
    hand_in(world.contact, application)
    assert the("application", world.school_org).outcome == "on_time"
    review = the("first_review")
    assert (review.organization, review.due_at, review.key) == (
        world.bureau,
        CITY,
        f"application-{application.pk}-v1",
    )
    assert review.title == "初审：太原演示职业学校 2021年第1批试点申报"
    assert not owed("approval")


def test_straight_to_the_province_skips_the_city(world, round):
    application = begin(world, round)
    hand_in(world.contact, application, "first_reviewed")
    assert not owed("first_review")
    approval = the("approval")
    assert (approval.organization, approval.due_at) == (world.province, PROVINCE)


def test_the_first_review_done_opens_the_provinces(world, round):
    application = begin(world, round, reviewer=world.bureau)
    make_item(
        application, world.add_programme(world.school, other_level(world)).certificate_level, state="draft"
    )
    hand_in(world.contact, application)
    world.at(CITY - MICROSECOND)
    application.items.filter(certificate_level=world.level).update(state="first_reviewed")
    duties.reviewed([application], at=clock.now())
    assert the("first_review").outcome == "pending"
    assert the("approval").outcome == "pending"
    put(application, "first_reviewed")
    duties.reviewed([application], at=clock.now())
    assert the("first_review").outcome == "on_time"
    put(application, "approved")
    duties.reviewed([application], at=world.at(PROVINCE - MICROSECOND))
    assert the("approval").outcome == "on_time"
    duties.reviewed([application], at=clock.now())
    assert owed("approval").count() == 1


def other_level(world):
    return world.level.certificate.levels.create(level=3)


@pytest.mark.parametrize(
    ("returned_from", "kind", "due"),
    [("submitted", "first_review", CITY), ("first_reviewed", "approval", PROVINCE)],
)
def test_a_returned_item_is_owed_until_that_step_closes_and_opens_the_duty_again(
    world, round, returned_from, kind, due
):
    application = begin(world, round, reviewer=world.bureau)
    hand_in(world.contact, application, returned_from)
    world.at(sh("2021-05-26T10:00:00"))
    put(application, "returned", returned_from=returned_from)
    duties.reviewed([application], at=clock.now())
    mend = the_mending(world)
    assert (mend.due_at, mend.outcome, mend.key) == (due, "pending", f"round-{round.pk}-returned-v1")
    assert the(kind).outcome == "on_time"

    world.at(sh("2021-05-27T10:00:00"))
    hand_in(world.contact, application, returned_from)
    assert the_mending(world).outcome == "on_time"
    assert [o.key[-2:] for o in owed(kind, outcome="pending")] == ["v2"]
    assert owed(kind).count() == 2


def the_mending(world):
    return owed("application", world.school_org, key__contains="returned").get()


def test_a_decision_taken_back_is_owed_again(world, round):
    application = begin(world, round)
    hand_in(world.contact, application, "first_reviewed")
    put(application, "approved")
    duties.reviewed([application], at=clock.now())
    put(application, "first_reviewed")
    duties.reviewed([application], at=clock.now())
    assert (the("approval").outcome, the("approval").received_at) == ("pending", None)


def test_withdrawing_all_frees_school_and_reviewers(world, round):
    drafted = begin(world, round)
    put(drafted, "withdrawn")
    duties.withdrawn(drafted, by=world.contact, at=clock.now())
    assert the("application", world.school_org).exempt_reason == duties.GIVEN_UP
    assert Event.objects.filter(action="application_given_up").count() == 1

    other = begin(world, round, world.other_school, reviewer=world.other_bureau)
    hand_in(world.other_contact, other)
    put(other, "withdrawn")
    duties.withdrawn(other, by=world.other_contact, at=clock.now())
    assert the("application", world.other_school_org).outcome == "on_time"
    assert (the("first_review").outcome, the("first_review").exempt_reason) == ("exempt", duties.NOTHING_LEFT)


def test_a_draft_left_is_still_owed_after_something_was_withdrawn(world, round):
    application = begin(world, round)
    make_item(application, other_level(world), state="withdrawn")
    duties.withdrawn(application, by=world.contact, at=clock.now())
    assert the("application", world.school_org).outcome == "pending"


def test_begun_again_it_is_owed_again(world, round):
    application = begin(world, round)
    put(application, "withdrawn")
    duties.withdrawn(application, by=world.contact, at=clock.now())
    put(application, "draft")
    assert duties.applicant(application, at=clock.now()).outcome == "pending"


def test_handed_in_and_taken_back_it_is_owed_again_with_the_draft(world, round):
    application = begin(world, round)
    hand_in(world.contact, application)
    put(application, "withdrawn")
    duties.withdrawn(application, by=world.contact, at=clock.now())
    assert the("application").outcome == "on_time"
    put(application, "draft")
    duty = duties.applicant(application, at=clock.now())
    assert (duty.outcome, duty.received_at, duty.reminded_steps) == ("pending", None, 0)
    assert remind(at=world.at(SCHOOL - dt.timedelta(hours=2)))
    hand_in(world.contact, application)
    assert the("application").outcome == "on_time"
    assert application.versions.count() == 2


def test_a_draft_is_owed_beside_what_stands_and_beside_what_is_taken_back(world, round):
    application = begin(world, round)
    hand_in(world.contact, application)
    draft = make_item(application, other_level(world), state="draft")
    assert duties.applicant(application, at=SCHOOL).outcome == "on_time"
    assert duties.applicant(application, at=clock.now()).outcome == "pending"
    application.items.exclude(pk=draft.pk).update(state="withdrawn")
    duties.withdrawn(application, by=world.contact, at=clock.now())
    assert the("application").outcome == "pending"


def test_an_extension_owes_the_drafts_left_behind_again(world, round):
    application = begin(world, round)
    hand_in(world.contact, application)
    make_item(application, other_level(world), state="draft")
    duties.applicant(application, at=clock.now())
    duties.lapse(world.at(SCHOOL))
    later(round, world, world.school_org, "2021-05-26")
    duty = the("application", world.school_org)
    assert (duty.outcome, duty.due_at) == ("pending", sh("2021-05-26T00:00:00"))
    duties.lapse(world.at(sh("2021-05-26T00:00:00")))
    assert the("application", world.school_org).outcome == "on_time"
    assert Notice.objects.filter(key__startswith="lapsed:").count() == 2


def test_without_its_last_draft_the_application_is_what_was_handed_in(world, round):
    application = begin(world, round)
    hand_in(world.contact, application)
    draft = make_item(application, other_level(world), state="draft")
    duties.applicant(application, at=clock.now())
    draft.delete()
    duties.withdrawn(application, by=world.contact, at=world.at(SCHOOL - MICROSECOND))
    duty = the("application")
    assert (duty.outcome, duty.received_at) == ("on_time", application.versions.get().received_at)


def test_drafts_left_behind_are_reminded_of_and_told_at_the_closing(world, round):
    application = begin(world, round)
    hand_in(world.contact, application)
    make_item(application, other_level(world), state="draft")
    duties.applicant(application, at=clock.now())
    assert remind(at=world.at(SCHOOL - dt.timedelta(hours=2)))
    assert duties.lapse(world.at(SCHOOL)) == 1
    assert duties.lapse(world.at(SCHOOL)) == 0
    assert the("application", world.school_org).outcome == "on_time"
    [told] = Notice.objects.filter(key__startswith="lapsed:")
    assert told.recipient == world.contact
    assert "没有随申报提交的草稿到期未提交" in told.text


# --- the closing


def test_a_draft_lapses_at_the_closing_and_not_before(world, round):
    begin(world, round)
    assert duties.lapse(world.at(SCHOOL - MICROSECOND)) == 0
    assert duties.lapse(world.at(SCHOOL)) == 1
    duty = the("application", world.school_org)
    assert (duty.outcome, duty.exempt_reason) == ("exempt", "到期未提交，视为不申报")
    told = Notice.objects.filter(key__startswith="lapsed:")
    assert [notice.recipient for notice in told] == [world.contact]


def test_lapsing_twice_or_weeks_late_ends_the_same(world, round):
    begin(world, round)
    begin(world, round, world.other_school)
    assert duties.lapse(world.at(sh("2021-07-01T00:00:00"))) == 2
    assert duties.lapse(clock.now()) == 0
    assert Notice.objects.filter(key__startswith="lapsed:").count() == 2
    assert Event.objects.filter(action="application_lapsed").count() == 2
    assert rate(owed("application")).owed == 0


def test_what_was_handed_in_does_not_lapse(world, round):
    hand_in(world.contact, begin(world, round))
    assert duties.lapse(world.at(PROVINCE)) == 0


def test_a_returned_item_that_nobody_mends_lapses_with_its_step(world, round):
    application = begin(world, round, reviewer=world.bureau)
    hand_in(world.contact, application)
    put(application, "returned", returned_from="submitted")
    duties.reviewed([application], at=clock.now())
    assert duties.lapse(world.at(CITY - MICROSECOND)) == 0
    assert duties.lapse(world.at(CITY)) == 1
    assert the_mending(world).exempt_reason == duties.NOT_MENDED
    # Nobody exempted the school from it: its time is over.
    assert the_mending(world).state == "not_owed"
    assert Event.objects.get(action="application_lapsed").to_state == "not_owed"
    duties.reviewed([application], at=clock.now())
    assert the_mending(world).outcome == "exempt"


def test_a_submission_that_was_in_time_counts_though_the_job_came_first(world, round):
    application = begin(world, round)
    world.at(SCHOOL - MICROSECOND)
    at = clock.now()
    duties.lapse(SCHOOL)
    hand_in(world.contact, application)
    duty = the("application", world.school_org)
    assert (duty.outcome, duty.received_at) == ("on_time", at)


def test_the_beat_entry_works_once_a_minute_and_behind_the_clock(world, round):
    begin(world, round)
    world.at(SCHOOL + dt.timedelta(seconds=59))
    lapse_applications()
    assert the("application", world.school_org).outcome == "pending"
    world.at(SCHOOL + dt.timedelta(seconds=61))
    lapse_applications()
    lapse_applications()
    assert the("application", world.school_org).outcome == "exempt"


# --- extensions


def test_an_extension_moves_what_the_named_school_and_its_reviewers_owe_and_nobody_elses(world, round):
    mine = begin(world, round, reviewer=world.bureau)
    begin(world, round, world.other_school)
    world.at(sh("2021-05-24T23:00:00"))
    remind(at=clock.now())
    later(round, world, world.school_org, "2021-05-30")
    duty, other = the("application", world.school_org), the("application", world.other_school_org)
    assert (duty.due_at, duty.reminded_steps) == (sh("2021-05-30T00:00:00"), 0)
    assert (other.due_at, other.reminded_steps) == (SCHOOL, 3)
    world.at(sh("2021-05-29T23:59:59"))
    hand_in(world.contact, mine)
    assert the("application", world.school_org).outcome == "on_time"
    assert the("first_review").due_at == sh("2021-05-30T00:00:00")


def test_reminders_start_afresh_after_an_extension(world, round):
    begin(world, round)
    remind(at=world.at(SCHOOL - dt.timedelta(hours=2)))
    later(round, world, world.school_org, "2021-05-30")
    remind(at=world.at(sh("2021-05-28T00:00:00")))
    texts = Notice.objects.filter(recipient=world.contact, key__startswith="obligation:").order_by("pk")
    assert [n.text for n in texts if "试点申报" in n.text] == [
        "2021年第1批试点申报将于5月24日（星期一）24:00截止，尚未办理。",
        "2021年第1批试点申报将于5月29日（星期六）24:00截止，尚未办理。",
    ]


def test_a_lapsed_draft_is_owed_again_by_the_school_that_was_given_time(world, round):
    begin(world, round)
    begin(world, round, world.other_school)
    duties.lapse(world.at(SCHOOL))
    later(round, world, world.school_org, "2021-05-30")
    assert the("application", world.school_org).outcome == "pending"
    assert the("application", world.other_school_org).outcome == "exempt"
    duties.lapse(world.at(sh("2021-05-30T00:00:00")))
    assert the("application", world.school_org).outcome == "exempt"
    assert Notice.objects.filter(recipient=world.contact, key__startswith="lapsed:").count() == 2


def test_who_gave_up_is_not_called_back_by_an_extension(world, round):
    application = begin(world, round)
    put(application, "withdrawn")
    duties.withdrawn(application, by=world.contact, at=clock.now())
    later(round, world, None, "2021-05-30")
    assert the("application", world.school_org).outcome == "exempt"


def test_a_portals_outage_moves_no_step_of_a_round(world, round):
    begin(world, round)
    at = world.at(sh("2021-05-24T20:00:00"))
    obligations.record_outage(
        starts_at=sh("2021-05-24T18:00:00"),
        ends_at=sh("2021-05-25T02:00:00"),
        reason="升级",
        by=world.office,
        at=at,
    )
    assert the("application", world.school_org).due_at == SCHOOL


def test_a_suspension_exempts_from_no_step_of_a_round(world, round):
    begin(world, round)
    obligations.suspend(
        kind="vacation",
        organizations=[world.school_org],
        scope_label="本校",
        starts_at=sh("2021-05-20T00:00:00"),
        ends_at=sh("2021-05-31T00:00:00"),
        reason="放假",
        by=world.contact,
        at=clock.now(),
    )
    assert the("application", world.school_org).outcome == "pending"


# --- reminders of reviewers


def test_the_bureau_and_the_office_are_reminded_of_their_own(world, round):
    hand_in(world.contact, begin(world, round, reviewer=world.bureau))
    hand_in(world.other_contact, begin(world, round, world.other_school), "first_reviewed")
    assert remind(at=world.at(CITY - dt.timedelta(hours=48) - MICROSECOND)) == 0
    assert remind(at=world.at(CITY - dt.timedelta(hours=48))) == 1
    assert remind(at=clock.now()) == 0
    assert [n.recipient for n in reminders()] == [world.city_officer]
    assert "5月27日（星期四）24:00" in reminders().get().text
    assert remind(at=world.at(PROVINCE - dt.timedelta(hours=48))) == 2
    assert {n.recipient for n in reminders()} == {world.city_officer, world.office, world.office2}


def reminders():
    return Notice.objects.filter(key__startswith="obligation:").exclude(recipient__role="school_contact")


def test_a_bureau_with_many_to_review_gets_one_reminder(world, round):
    for number in range(6):
        school = world.add_school(f"太原第{number}职业学校")
        hand_in(world.contact, begin(world, round, school, reviewer=world.bureau))
    remind(at=world.at(CITY - dt.timedelta(hours=2)))
    notice = Notice.objects.get(recipient=world.city_officer, key__startswith="reminders:")
    assert notice.text == "您有 6 项即将到期的事项。"
    assert not reminders()


def test_the_list_of_deadlines_leads_each_to_the_work(world, round, client_for):
    application = begin(world, round, reviewer=world.bureau)
    mine = reverse("applications:detail", args=[application.pk])
    review = reverse("reviews:application", args=[application.pk])
    page = reverse("obligations:deadlines")
    assert mine in client_for(world.contact).get(page).content.decode()
    hand_in(world.contact, application)
    bureau = client_for(world.city_officer).get(page).content.decode()
    assert review in bureau
    assert "待办" in bureau
    assert "5月27日（星期四）24:00" in bureau
    assert review not in client_for(world.contact).get(page).content.decode()
    assert review not in client_for(world.other_city_officer).get(page).content.decode()


# --- many at once


def test_any_number_of_applications_is_settled_in_the_same_number_of_queries(world, round):
    applications = []
    for number in range(4):
        school = world.add_school(f"太原第{number}职业学校")
        applications.append(begin(world, round, school, reviewer=world.bureau))
        hand_in(world.contact, applications[-1])

    def queries(some):
        for application in some:
            put(application, "first_reviewed")
        with CaptureQueriesContext(connection) as captured:
            duties.reviewed(some, at=clock.now())
        return len(captured)

    assert queries(applications[:1]) == queries(applications[1:])
    assert owed("first_review", outcome="on_time").count() == owed("approval", outcome="pending").count() == 4


def test_the_steps_of_a_round_are_no_weekly_reports(world, round):
    before = rate(Obligation.objects.weekly())
    hand_in(world.contact, begin(world, round, reviewer=world.bureau))
    duties.lapse(world.at(PROVINCE))
    assert rate(Obligation.objects.weekly()) == before
    assert not Obligation.objects.reports().filter(kind__in=["application", "first_review", "approval"])


def test_nobody_but_the_office_extends(world, round):
    with pytest.raises(PermissionDenied, match="省推进办"):
        extend(
            round=round,
            organization=None,
            closings=Closings(PROVINCE, PROVINCE, PROVINCE),
            reason="停电",
            by=world.city_officer,
            at=clock.now(),
        )
