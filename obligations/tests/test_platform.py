"""The national platform's list: what it fulfils, excuses, covers, and how it is taken back."""

import datetime as dt

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import OrganizationAlias
from core import clock
from core.imports.services import CannotUndo, undo
from core.models import Attachment, Event, Job, Notice
from obligations import platform, services
from obligations.closing import close_period
from obligations.models import Obligation, PlatformFiling, PlatformImport
from obligations.tests.lists import KIND, check, row, take_in, workbook

THURSDAY = dt.datetime.fromisoformat("2020-11-19T17:30:00+08:00")


@pytest.fixture
def friday_night(world):
    return world.at("2020-11-20T20:00:00+08:00")


@pytest.fixture
def closed(world):
    """The week has closed and both schools missed it."""
    at = world.at("2020-11-24T09:00:00+08:00")
    close_period(world.period, at=at)
    world.period.refresh_from_db()
    return at


def fresh(obligation):
    return Obligation.objects.get(pk=obligation.pk)


# --- what a row does


def test_filed_there_before_the_deadline_is_on_time_here(world, friday_night):
    job = take_in(world.office, row(world.school), periods=[world.period])
    assert job.result["stage"] == "applied"
    done = fresh(world.obligation)
    assert (done.outcome, done.received_at, done.source) == ("on_time", THURSDAY, "platform")
    assert fresh(world.other_obligation).outcome == "pending"
    event = Event.objects.about(world.obligation).get(action="platform_filing_taken")
    assert (event.from_state, event.to_state) == ("pending", "on_time")
    assert "SHA-256" in event.changes["依据"]


def test_filed_there_at_the_deadline_is_late_here(world, friday_night):
    take_in(world.office, row(world.school, at="2020-11-20 18:00"), periods=[world.period])
    assert fresh(world.obligation).outcome == "late"


def test_missed_here_but_filed_there_in_time_is_excused_not_rewritten(world, closed):
    take_in(world.office, row(world.school), periods=[world.period])
    missed = fresh(world.obligation)
    assert (missed.outcome, missed.state, missed.excused_by) == ("missed", "excused", world.office)
    assert missed.excuse_reason == "国家平台已于2020年11月19日 17:30填报"
    event = Event.objects.about(missed).get(action="obligation_excused")
    assert Attachment.objects.get(target_type__model="platformimport").sha256 in event.changes["证据"]
    assert not Obligation.objects.counted_missed().filter(pk=missed.pk).exists()
    notice = Notice.objects.get(recipient=world.contact, key__startswith="platform:")
    assert "已谅解" in notice.text


def test_filed_there_after_the_close_counts_as_filled_later(world, closed):
    take_in(world.office, row(world.school, at="2020-11-23 18:00"), periods=[world.period])
    missed = fresh(world.obligation)
    assert (missed.state, missed.source, missed.excused_at) == ("filled", "platform", None)
    assert Obligation.objects.counted_missed().filter(pk=missed.pk).exists()


def test_between_the_close_and_the_sweep_the_time_there_decides(world):
    world.at("2020-11-23T18:00:30+08:00")
    take_in(
        world.office,
        row(world.school, at="2020-11-23 17:59:59"),
        row(world.other_school, at="2020-11-23 18:00:00"),
        periods=[world.period],
    )
    close_period(world.period, at=world.at("2020-11-23T18:02:00+08:00"))
    assert [fresh(o).state for o in (world.obligation, world.other_obligation)] == ["late", "filled"]


def test_what_was_received_here_stays_as_it_was(world, friday_night):
    services.fulfil(world.obligation, received_at=friday_night)
    take_in(world.office, row(world.school), periods=[world.period])
    kept = fresh(world.obligation)
    assert (kept.outcome, kept.received_at, kept.source) == ("late", friday_night, "portal")
    assert PlatformFiling.objects.count() == 1


def test_an_exempt_week_takes_note_and_stays_exempt(world, friday_night):
    Obligation.objects.filter(pk=world.obligation.pk).update(outcome="exempt", exempt_reason="放假")
    take_in(world.office, row(world.school), periods=[world.period])
    assert (fresh(world.obligation).outcome, fresh(world.obligation).source) == ("exempt", "platform")


def test_a_school_that_owed_nothing_that_week_is_only_noted(world, friday_night):
    newcomer = world.add_school("新来演示职业学校", joined="2020-11-20T00:00:00+08:00")
    outcome = check(world.office, row(newcomer), periods=[world.period])
    assert outcome.new == 1
    assert outcome.changes[0]["changes"][1] == "该校这一周不属应报，仅登记"


def test_a_filing_here_later_changes_nothing_more(world, friday_night):
    take_in(world.office, row(world.school), periods=[world.period])
    services.fulfil(world.obligation, received_at=clock.now())
    assert fresh(world.obligation).received_at == THURSDAY


# --- what is refused


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (("9999999999", "", "2020年第47周", "2020-11-19 17:30"), "没有登记代码"),
        (("T000000006", "别的学校", "2020年第47周", "2020-11-19 17:30"), "错行"),
        (("T000000006", "", "2020年第46周", "2020-11-13 17:30"), "不在上传时写明的覆盖周次"),
        (("T000000006", "", "47", "2020-11-19 17:30"), "不是周次"),
        (("T000000006", "", "2020年第47周", "2020-11-21 17:30"), "晚于名单导出时间"),
        (("T000000006", "", "2020年第47周", "2020-11-12 17:30"), "早于这一周开始"),
        (("T000000006", "", "2020年第47周", dt.date(2020, 11, 19)), "没有时刻"),
        (("T000000006", "", "2020年第47周", "昨天下午"), "不是时间"),
        (("T000000006", "", "2020年第47周", "2020-11-31 17:30"), "不是实有的日期"),
        (("T000000006", "", "2020年第47周", ""), "必填"),
    ],
)
def test_a_bad_row_is_told_at_its_cell_and_nothing_is_written(world, friday_night, cells, said):
    world.school_org.code = "T000000006"
    world.school_org.save()
    job = take_in(world.office, row(world.other_school), cells, periods=[world.period])
    assert job.result["stage"] == "checked"
    assert [said in error["message"] for error in job.result["errors"]] == [True]
    assert not PlatformImport.objects.exists()
    assert fresh(world.other_obligation).outcome == "pending"


def test_the_same_school_and_week_twice_is_refused(world, friday_night):
    outcome = check(
        world.office, row(world.school), row(world.school, at="2020-11-19 18:30"), periods=[world.period]
    )
    assert outcome.errors[0].message.startswith("与第2行重复")


def test_weeks_and_times_are_read_as_people_write_them(world, friday_night):
    OrganizationAlias.objects.create(organization=world.school_org, name="太原旧名职校")
    rows = [
        (world.school_org.code, "太原旧名职校", "2020-w47", THURSDAY.replace(tzinfo=None)),
        (world.other_school_org.code, None, "2020年47周", "２０２０年11月19日 17：30"),
    ]
    outcome = check(world.office, *rows, periods=[world.period])
    assert (outcome.new, outcome.errors) == (2, [])


# --- what a list covers


def test_only_a_list_taken_after_the_close_covers_a_week(world, friday_night):
    weeks = {world.period.pk}
    take_in(world.office, periods=[world.period])
    assert platform.covered(weeks) == set()
    world.at("2020-11-23T18:00:00+08:00")
    job = take_in(world.office, periods=[world.period])
    assert platform.covered(weeks) == weeks
    assert platform.covered(set()) == set()
    undo(job=job, by=world.office, at=clock.now())
    assert platform.covered(weeks) == set()


def test_an_empty_list_is_a_list_and_the_same_one_twice_changes_nothing(world, closed):
    assert take_in(world.office, periods=[world.period]).result["stage"] == "applied"
    again = take_in(world.office, periods=[world.period])
    assert (again.result["stage"], again.result["news"]) == ("checked", 0)
    assert PlatformImport.objects.count() == 1


def test_the_same_rows_taken_later_are_a_new_statement(world, friday_night):
    take_in(world.office, row(world.school), periods=[world.period])
    later = world.at("2020-11-24T09:00:00+08:00")
    outcome = check(world.office, row(world.school), periods=[world.period], listed_at=later)
    assert (outcome.same, bool(outcome.whole)) == (1, True)


def test_the_preview_says_who_is_missing(world, closed):
    outcome = check(world.office, row(world.school), periods=[world.period])
    assert "2020年第47周：应报 2 所，名单中 1 所。" in outcome.whole
    assert outcome.changes[0]["changes"][1] == "未报，自动谅解，不计入连续未报"


# --- taking back


def test_undo_before_the_close_makes_it_pending_again(world, friday_night):
    job = take_in(world.office, row(world.school), periods=[world.period])
    undo(job=job, by=world.office, at=world.at("2020-11-20T21:00:00+08:00"))
    back = fresh(world.obligation)
    assert (back.outcome, back.received_at, back.source) == ("pending", None, "portal")
    found = PlatformImport.objects.get()
    assert (found.undone_by, found.undone_at) == (world.office, clock.now())
    close_period(world.period, at=world.at("2020-11-24T09:00:00+08:00"))
    assert fresh(world.obligation).outcome == "missed"


def test_undo_after_the_close_is_refused_with_the_school_named(world, friday_night):
    job = take_in(world.office, row(world.school), periods=[world.period])
    close_period(world.period, at=world.at("2020-11-24T09:00:00+08:00"))
    with pytest.raises(CannotUndo) as refusal:
        undo(job=job, by=world.office, at=clock.now())
    assert str(world.school_org) in str(refusal.value)
    assert fresh(world.obligation).outcome == "on_time"


def test_undo_withdraws_the_excuse_and_the_back_fill(world, closed):
    late = row(world.other_school, at="2020-11-23 19:00")
    job = take_in(world.office, row(world.school), late, periods=[world.period])
    undo(job=job, by=world.office, at=world.at("2020-11-24T10:00:00+08:00"))
    assert [fresh(o).state for o in (world.obligation, world.other_obligation)] == ["missed", "missed"]
    assert fresh(world.other_obligation).source == "portal"


def test_undo_leaves_an_excuse_given_for_another_reason(world, closed):
    job = take_in(world.office, row(world.school), periods=[world.period])
    world.at("2020-11-24T10:00:00+08:00")
    for verb in (services.withdraw_excuse, services.excuse):
        verb(world.obligation, reason="停电", by=world.office2, at=clock.now())
    undo(job=job, by=world.office, at=world.at("2020-11-24T11:00:00+08:00"))
    assert fresh(world.obligation).excuse_reason == "停电"


def test_undo_is_refused_when_a_suspension_would_have_exempted_it(world, friday_night):
    job = take_in(world.office, row(world.school), periods=[world.period])
    world.at("2020-11-20T20:30:00+08:00")
    services.suspend(
        kind="emergency",
        organizations=[world.school_org],
        scope_label="太原演示职业学校",
        starts_at=clock.at(clock.today()),
        ends_at=clock.at(clock.today() + dt.timedelta(days=3)),
        reason="暴雨",
        by=world.office,
        at=clock.now(),
    )
    with pytest.raises(CannotUndo, match="停报"):
        undo(job=job, by=world.office, at=clock.now())


# --- pages


def upload(client, *rows, **data):
    data = {"file": SimpleUploadedFile("名单.xlsx", workbook(*rows)), **data}
    return client.post(reverse("obligations:platform-import"), data)


def test_the_office_uploads_checks_confirms_and_sees_the_week_covered(world, closed, client_for):
    client = client_for(world.office)
    week = {"first": world.period.pk, "last": world.period.pk}
    response = upload(client, row(world.school), **week, listed_at="2020-11-24T08:00")
    assert response.status_code == 302, response.context["form"].errors
    job = Job.objects.get(kind=KIND)
    assert "应报 2 所，名单中 1 所" in client.get(response["Location"]).content.decode()
    client.post(reverse("core:job-apply", args=[job.pk]))
    assert fresh(world.obligation).state == "excused"
    page = client.get(reverse("obligations:platform-lists")).content.decode()
    assert "已覆盖" in page
    found = PlatformImport.objects.get()
    assert (
        "2020年第47周" in client.get(reverse("obligations:platform-list", args=[found.pk])).content.decode()
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"first": ""}, "first"),
        ({"listed_at": ""}, "listed_at"),
        ({"listed_at": "2020-11-25T08:00"}, "listed_at"),
        ({"listed_at": "2020-11-15T08:00"}, "listed_at"),
    ],
)
def test_what_the_list_covers_must_be_stated(world, closed, client_for, change, field):
    said = {"first": world.period.pk, "last": world.period.pk, "listed_at": "2020-11-24T08:00"} | change
    response = upload(client_for(world.office), row(world.school), **said)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]


def test_lists_are_the_provinces(world, closed, client_for):
    take_in(world.office, row(world.school), periods=[world.period])
    found = PlatformImport.objects.get()
    pages = [reverse("obligations:platform-lists"), reverse("obligations:platform-list", args=[found.pk])]
    for user in (world.office, world.leading, world.auditor):
        assert [client_for(user).get(page).status_code for page in pages] == [200, 200]
    for user in (world.city_officer, world.contact, world.evaluator_officer, world.finance):
        assert [client_for(user).get(page).status_code for page in pages] == [403, 403]
        assert upload(client_for(user), row(world.school)).status_code == 403
    file = Attachment.objects.get(target_type__model="platformimport")
    assert client_for(world.contact).get(reverse("core:attachment", args=[file.pk])).status_code == 404


def test_the_page_of_lists_asks_no_more_for_more(world, closed, client_for, django_assert_max_num_queries):
    client = client_for(world.office)
    for _ in range(3):
        with django_assert_max_num_queries(14):
            client.get(reverse("obligations:platform-lists"))
        world.at(clock.now() + dt.timedelta(hours=1))
        take_in(world.office, row(world.school), periods=[world.period])
