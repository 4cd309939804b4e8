"""Monthly reports and half-year summaries: periods, edge instants, figures, form, receipt, who sees what."""

import datetime as dt
from itertools import pairwise

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Organization
from core import clock
from core.models import Attachment
from core.tests.test_attachments import png
from evaluators.models import Activity, Charge, Evaluator
from obligations import periods, services
from obligations.models import CalendarDay, CalendarYear, Obligation, Period
from reporting.models import StreakWarning, Summary, SummaryVersion
from reporting.services import return_for_correction, save_draft
from reporting.summaries import sources
from reporting.summaries.forms import SummaryForm
from reporting.summaries.sheet import sheet_for
from reporting.summaries.sums import Stretch, of_evaluators, of_schools
from reporting.sweep import sweep
from reporting.tests import weekly
from reporting.tests.summing import OCTOBER, file, half_of, month_of, opened, rule, typed
from schools.models import Programme

MICROSECOND = dt.timedelta(microseconds=1)


def local(instant):
    return f"{clock.local(instant):%Y-%m-%d %H:%M}"


@pytest.fixture
def holidays(world):
    """As published: National Day 2020 with its make-up days, Spring Festival 2021 with its own."""
    CalendarYear.objects.bulk_create([CalendarYear(year=2020), CalendarYear(year=2021)])
    off = [dt.date(2020, 10, day) for day in range(1, 9)] + [dt.date(2021, 2, day) for day in range(11, 18)]
    on = [dt.date(2020, 9, 27), dt.date(2020, 10, 10), dt.date(2021, 2, 7), dt.date(2021, 2, 20)]
    CalendarDay.objects.bulk_create(
        [CalendarDay(day=day, kind="holiday", name="假日") for day in [*off, dt.date(2021, 1, 1)]]
        + [CalendarDay(day=day, kind="workday") for day in on]
    )


@pytest.mark.parametrize(
    ("kind", "starts_on", "fields", "key", "due"),
    [
        # 9, 10 (make-up), 12, 13, 14 October; 1–5, 7 (make-up), 8–10, 18, 19, 20 (make-up) February.
        ("monthly_report", "2020-09-01", {}, "2020-09", "2020-10-14 18:00"),
        ("monthly_report", "2021-01-01", {"due_day": 10}, "2021-01", "2021-02-18 18:00"),
        ("monthly_report", "2021-01-01", {"due_day": 12}, "2021-01", "2021-02-20 18:00"),
        ("half_year_summary", "2020-07-01", {}, "2020-H2", "2021-01-15 18:00"),
        ("half_year_summary", "2020-01-01", {}, "2020-H1", "2020-07-14 18:00"),
        (
            "monthly_report",
            "2020-09-01",
            {"due_in": "days", "on_holiday": "move"},
            "2020-09",
            "2020-10-09 18:00",
        ),
        (
            "monthly_report",
            "2021-01-01",
            {"due_in": "days", "due_day": 12, "on_holiday": "move"},
            "2021-01",
            "2021-02-10 18:00",
        ),
    ],
)
def test_due_by_working_days_over_the_holidays(world, holidays, kind, starts_on, fields, key, due):
    period = periods.plan_period(rule(kind, **fields), dt.date.fromisoformat(starts_on))
    assert (period.key, local(period.due_at), period.exempt_reason) == (key, due, "")
    assert period.opens_at == clock.at(period.ends_on + dt.timedelta(days=1))
    assert period.closes_at - period.due_at == dt.timedelta(hours=72)


def test_a_day_of_the_month_on_a_holiday_may_be_exempt(world, holidays):
    period = periods.plan_period(rule("monthly_report", due_in="days"), dt.date(2020, 9, 1))
    assert period.exempt_reason == "截止日逢假日"


def test_periods_follow_one_another_without_gap(world):
    rule("monthly_report")
    rule("half_year_summary")
    sweep(world.at("2021-03-02T10:00:00+08:00"))
    months = list(Period.objects.filter(kind="monthly_report").order_by("starts_on"))
    assert [p.key for p in months][:3] == ["2020-01", "2020-02", "2020-03"]
    assert all((b.starts_on - a.ends_on).days == 1 for a, b in pairwise(months))
    assert months[-1].starts_on >= dt.date(2021, 5, 1)
    halves = Period.objects.filter(kind="half_year_summary", opened_at__isnull=False)
    assert [str(p) for p in halves.order_by("starts_on")] == ["2020年上半年总结", "2020年下半年总结"]


def test_evaluators_owe_by_month_and_both_by_half_year(world):
    assert month_of(world).title == "2020年10月月报"
    assert set(Obligation.objects.filter(kind="monthly_report").values_list("organization", flat=True)) == {
        world.evaluator_org.pk
    }
    half_of(world)
    owing = Obligation.objects.filter(kind="half_year_summary").values_list("organization", flat=True)
    assert set(owing) == {world.evaluator_org.pk, world.school_org.pk, world.other_school_org.pk}


def test_no_programme_no_report(world):
    world.programme.__class__.objects.update(ended_at=clock.at(dt.date(2020, 10, 31)))
    opened("monthly_report", OCTOBER)
    assert not Obligation.objects.filter(kind="monthly_report").exists()


@pytest.mark.parametrize(("shift", "outcome"), [(-MICROSECOND, "on_time"), (0 * MICROSECOND, "late")])
def test_the_deadline_is_half_open(world, shift, outcome):
    owed = month_of(world)
    file(owed, world.evaluator_officer, at=owed.due_at + shift)
    owed.refresh_from_db()
    assert owed.outcome == outcome


@pytest.mark.parametrize(("shift", "state"), [(-MICROSECOND, "late"), (0 * MICROSECOND, "filled")])
def test_the_close_is_half_open_and_makes_no_streak(world, shift, state):
    owed = month_of(world)
    file(owed, world.evaluator_officer, at=owed.closes_at + shift)
    counts = sweep(world.at(owed.closes_at))
    owed.refresh_from_db()
    assert owed.state == state
    assert not StreakWarning.objects.filter(obligation=owed).exists()
    assert sum(counts.as_dict().values()) >= 1


def test_a_missed_month_is_reminded_closed_and_excused(world):
    owed = month_of(world)
    sweep(world.at(owed.due_at - dt.timedelta(hours=24)))
    assert world.evaluator_officer.notices.filter(text__contains="2020年10月月报").exists()
    sweep(world.at(owed.closes_at))
    owed.refresh_from_db()
    assert owed.state == "missed"
    services.excuse(owed, reason="停电", by=world.office, at=clock.now())
    assert owed.state == "excused"


def test_a_province_wide_suspension_and_an_outage_cover_them(world):
    owed = month_of(world)
    start, end = owed.due_at - dt.timedelta(hours=3), owed.due_at + dt.timedelta(hours=3)
    before = owed.due_at
    services.record_outage(starts_at=start, ends_at=end, reason="断网", by=world.office, at=clock.now())
    owed.refresh_from_db()
    assert owed.due_at == end + dt.timedelta(hours=6) > before
    world.at("2020-11-02T10:00:00+08:00")
    services.suspend(
        kind="emergency",
        organizations=[world.province],
        scope_label="全省",
        starts_at=clock.now(),
        ends_at=clock.now() + dt.timedelta(days=30),
        reason="疫情",
        by=world.office,
        at=clock.now(),
    )
    owed.refresh_from_db()
    assert owed.outcome == "exempt"


# --- figures


def weekly_of(world, key, **figures):
    if not Period.objects.filter(kind="weekly_report", key=key).exists():
        world.add_week(key)
    return weekly.file(world, world.owed(world.school, key), explanation="核对", **figures)


def test_a_month_is_what_its_weeks_added(world):
    """Week 40 (Thursday 1 October) is October's; week 45 (Thursday 5 November) November's."""
    weekly_of(world, "2020-W39", registered="10", examined="4", certified="1", passed="2")
    weekly_of(world, "2020-W40", registered="15", examined="9", certified="3", passed="6")
    weekly_of(world, "2020-W44", registered="30", examined="20", certified="10", passed="18")
    weekly_of(world, "2020-W45", registered="90", examined="90", certified="90", passed="90")
    known = sheet_for(month_of(world)).known[str(world.certificate.pk)]
    assert (known["schools"], known["planned"], known["in_training"]) == (2, 200, 40)
    assert (known["registered_added"], known["examined_added"]) == (20, 16)
    assert (known["certified"], known["certified_added"]) == (10, 9)
    sums = sources.weekly_sums([world.school_org.pk], OCTOBER, dt.date(2020, 10, 31))
    assert sums[world.school_org.pk]["teachers_trained"] == 4
    assert f"{sums[world.school_org.pk]['money_spent']}" == "3001.00"


def test_the_days_between_years_count_once(world):
    world.at("2020-12-31T10:00:00+08:00")
    weekly_of(world, "2020-W53", registered="10")
    december = sources.weekly_sums([world.school_org.pk], dt.date(2020, 12, 1), dt.date(2020, 12, 31))
    january = sources.weekly_sums([world.school_org.pk], dt.date(2021, 1, 1), dt.date(2021, 1, 31))
    assert (len(december), len(january)) == (1, 0)


def test_activities_of_the_month_are_counted(world):
    def hold(day, kind, state="filed"):
        Activity.objects.create(
            evaluator=world.evaluator_org,
            certificate=world.certificate,
            kind=kind,
            title="考核",
            plan="方案",
            place="太原",
            starts_at=clock.at(day),
            ends_at=clock.at(day) + dt.timedelta(hours=8),
            state=state,
            filed_by=world.evaluator_officer,
            filed_at=clock.at(day) - dt.timedelta(days=3),
        )

    hold(dt.date(2020, 10, 20), "examination")
    hold(dt.date(2020, 10, 31), "training")
    hold(dt.date(2020, 11, 1), "examination")
    hold(dt.date(2020, 10, 22), "examination", state="cancelled")
    known = sheet_for(month_of(world)).known[str(world.certificate.pk)]
    assert (known["activities_filed"], known["activities_held"], known["exams_held"]) == (3, 2, 1)


def test_a_difference_asks_for_a_word_and_forbids_nothing(world):
    owed = month_of(world)
    form = SummaryForm(sheet_for(owed), typed(owed, explanation=""))
    assert not form.is_valid()
    [(_, _, message)] = form.messages()
    assert "考核人数 30，院校周报本月新增参考 0" in message
    assert SummaryForm(sheet_for(owed), typed(owed)).is_valid()


def test_an_empty_one_is_none_and_a_zero_report_is_one(world):
    owed = month_of(world)
    nothing = {
        "exams": "0",
        "said_examined": "0",
        "issued": "0",
        "fees": "0",
        "explanation": "",
        "problems": "",
    }
    form = SummaryForm(sheet_for(owed), typed(owed, **nothing))
    assert form.has_error("__all__", "empty")
    version = file(owed, world.evaluator_officer, **nothing, is_zero="on")
    assert version.is_zero
    assert version.receipt.startswith("YB20201105-")


def test_a_half_year_adds_up_weeklies_or_monthlies(world):
    weekly_of(world, "2020-W47", registered="30")
    file(month_of(world), world.evaluator_officer)
    school = half_of(world)
    sheet = sheet_for(school)
    assert sheet.given(str(world.programme.pk))["registered_added"] == 30
    assert sheet.given_sums == {"teachers_trained": 2, "money_spent": "1500.50", "owed": 1, "filed": 1}
    evaluator = Obligation.objects.get(kind="half_year_summary", organization=world.evaluator_org)
    given = sheet_for(evaluator).given(str(world.certificate.pk))
    assert (given["exams"], given["said_examined"], given["issued"], given["fees"]) == (2, 30, 25, "6000.00")
    assert file(school, world.contact).receipt.startswith("BN20210104-")
    assert not [name for name in sheet.shape.fields(sheet.names) if name.startswith("r")]


def end(programme, day):
    Programme.objects.filter(pk=programme.pk).update(ended_at=clock.at(day))


def test_what_ended_on_the_way_keeps_its_row_and_its_figures(world):
    weekly_of(world, "2020-W47", registered="30")
    second = world.evaluator_org.certificates.create(name="第二演示职业技能等级证书")
    ended = world.add_programme(world.school, second.levels.create(level=1))
    end(ended, dt.date(2020, 10, 15))
    month = month_of(world)
    row = sheet_for(month).known[str(second.pk)]
    assert (row["schools"], row["planned"]) == (0, 0)
    file(month, world.evaluator_officer)
    end(world.programme, dt.date(2020, 12, 1))
    school = half_of(world)
    evaluator = Obligation.objects.get(kind="half_year_summary", organization=world.evaluator_org)
    mine, theirs = sheet_for(school), sheet_for(evaluator)
    stretch = Stretch("half_year_summary", dt.date(2020, 7, 1), dt.date(2020, 12, 31))
    told = of_schools(Organization.objects.filter(pk=world.school_org.pk), stretch, by_school=True).total
    said = of_evaluators([world.evaluator_org.pk], stretch).total
    added = [mine.given(pk)["registered_added"] for pk in mine.known]
    assert sum(added) == told.values["registered_added"] == 30
    issued = [theirs.given(pk)["issued"] for pk in theirs.known]
    assert sum(issued) == said.values["issued"] == 50


def test_evaluators_stand_in_the_order_of_their_codes(world):
    other = Organization.objects.create(kind="evaluator", name="丙演示评价组织", code="E0")
    Evaluator.objects.create(organization=other)
    certificate = other.certificates.create(name="第二演示职业技能等级证书")
    world.add_programme(world.school, certificate.levels.create(level=1))
    stretch = Stretch("monthly_report", month_of(world).period.starts_on, dt.date(2020, 10, 31))
    world.evaluator_org.code, world.evaluator_org.name = "E1", "丁演示评价组织"
    world.evaluator_org.save()
    found = of_evaluators(Organization.objects.filter(kind="evaluator").values("pk"), stretch)
    assert [line.name for line in found.lines] == ["丙演示评价组织", "丁演示评价组织"]


def test_a_certificate_that_has_left_the_evaluator_keeps_what_its_months_said(world):
    second = world.evaluator_org.certificates.create(name="第二演示职业技能等级证书")
    world.add_programme(world.school, second.levels.create(level=1))
    file(month_of(world), world.evaluator_officer)
    other = Organization.objects.create(kind="evaluator", name="另一评价组织", code="E9")
    second.owner = other
    second.save()
    assert sheet_for(half_of(world, world.evaluator_org)).given(str(second.pk))["issued"] == 25


@pytest.mark.parametrize(("day", "has_row"), [(28, False), (29, True), (30, True)])
def test_a_month_has_the_rows_of_its_first_week(world, day, has_row):
    """Week 40 of 2020 began on Monday 28 September."""
    end(world.programme, dt.date(2020, 9, day))
    rows = sources.of_programmes(world.school_org.pk, month_of(world).period)
    assert (world.programme.pk in rows) is has_row


def test_correction_keeps_the_outcome_and_the_old_version(world):
    owed = month_of(world)
    file(owed, world.evaluator_officer)
    with pytest.raises(PermissionDenied):
        return_for_correction(obligation=owed, reason="核对", by=world.city_officer, at=clock.now())
    correction = return_for_correction(obligation=owed, reason="请核对费用", by=world.office, at=clock.now())
    assert correction.title == "更正2020年10月月报"
    with pytest.raises(ValidationError):
        return_for_correction(obligation=owed, reason="再退", by=world.office, at=clock.now())
    file(owed, world.evaluator_officer, token="t2", fees="7000")
    owed.refresh_from_db()
    correction.refresh_from_db()
    assert (owed.outcome, correction.outcome) == ("on_time", "on_time")
    assert [
        v.content["rows"][str(world.certificate.pk)]["said"]["fees"] for v in SummaryVersion.objects.all()
    ] == [
        "6000.00",
        "7000.00",
    ]


def test_the_same_form_twice_is_one_version(world):
    owed = month_of(world)
    first = file(owed, world.evaluator_officer)
    assert file(owed, world.evaluator_officer) == file(owed, world.evaluator_officer, token="t2") == first


def test_nobody_else_files_and_nobody_before_it_opens(world):
    owed = month_of(world)
    for name in ("office", "contact", "auditor", "leader"):
        with pytest.raises(PermissionDenied):
            file(owed, getattr(world, name))
    with pytest.raises(PermissionDenied, match="尚未开始"):
        file(owed, world.evaluator_officer, at=owed.opens_at - MICROSECOND)


# --- pages


def test_who_sees_whose(world, client_for):
    month = month_of(world)
    half = half_of(world)

    def seen(name):
        client = client_for(getattr(world, name))
        return tuple(
            client.get(reverse("summaries:detail", args=[pk])).status_code for pk in (month.pk, half.pk)
        )

    for name in ("office", "leading", "auditor"):
        assert seen(name) == (200, 200), name
    assert seen("city_officer") == seen("contact") == seen("leader") == (404, 200)
    assert seen("evaluator_officer") == (200, 404)
    for name in (
        "other_city_officer",
        "other_contact",
        "coordinator",
        "finance",
        "expert",
        "third_party",
        "learner",
    ):
        assert seen(name) == (404, 404), name
    Charge.objects.create(
        evaluator=world.evaluator, coordinator=world.coordinator, given_by=world.office, given_at=clock.now()
    )
    assert seen("coordinator") == (200, 404)


def test_any_obligation_leads_to_its_page(world, client_for):
    month = month_of(world)
    response = client_for(world.office).get(reverse("reporting:report", args=[month.pk]))
    assert response["Location"] == reverse("summaries:detail", args=[month.pk])
    response = client_for(world.evaluator_officer).get(reverse("reporting:edit", args=[month.pk]))
    assert response["Location"] == reverse("summaries:edit", args=[month.pk])


def test_fill_check_send_receipt(world, client_for):
    owed = month_of(world)
    client = client_for(world.evaluator_officer)
    edit, check = (reverse(f"summaries:{name}", args=[owed.pk]) for name in ("edit", "check"))
    assert client.get(edit).status_code == 200
    bad = client.post(edit, typed(owed, explanation="") | {"action": "check", "revision": "0"})
    assert bad.status_code == 422
    assert Summary.objects.get().draft["problems"] == "场地紧张"
    assert client.get(check).status_code == 302
    good = client.post(edit, typed(owed) | {"action": "check", "revision": "1"})
    assert good["Location"] == check
    page = client.get(check)
    sent = client.post(check, {"token": page.context["token"]})
    version = SummaryVersion.objects.get()
    assert sent["Location"] == reverse("summaries:receipt", args=[version.receipt])
    assert client.post(check, {"token": page.context["token"]})["Location"] == sent["Location"]
    assert version.receipt in client.get(sent["Location"]).content.decode()
    assert "6000.00" in client.get(reverse("summaries:detail", args=[owed.pk])).content.decode()


def test_two_drafts_are_never_silently_overwritten(world, client_for):
    owed = month_of(world)
    client = client_for(world.evaluator_officer)
    save_draft(
        obligation=owed,
        typed=typed(owed, problems="另一处"),
        revision=0,
        by=world.evaluator_officer,
        at=clock.now(),
    )
    address = reverse("summaries:draft", args=[owed.pk])
    assert client.post(address, typed(owed) | {"revision": "0"}).status_code == 409
    assert client.post(address, typed(owed) | {"revision": "1"}).json()["revision"] == 2
    conflict = client.post(
        reverse("summaries:edit", args=[owed.pk]), typed(owed, problems="第三处") | {"revision": "1"}
    )
    assert conflict.status_code == 409
    assert "两份草稿不一致" in conflict.content.decode()


def test_last_months_report_can_be_copied(world, client_for):
    file(month_of(world), world.evaluator_officer)
    rule_ = Period.objects.get(kind="monthly_report").policy
    world.at("2020-12-02T10:00:00+08:00")
    period = periods.make_period(rule_, dt.date(2020, 11, 1))
    periods.open_period(period)
    november = Obligation.objects.get(period=period)
    client = client_for(world.evaluator_officer)
    field = f"r{world.certificate.pk}-exams"
    plain = client.get(reverse("summaries:edit", args=[november.pk])).context["form"]
    assert field not in plain.initial
    copied = client.get(reverse("summaries:edit", args=[november.pk]), {"copy": 1}).context["form"]
    assert (copied.initial[field], copied.initial["problems"]) == ("2", "场地紧张")
    assert not Summary.objects.filter(pk=november.pk).exists()


def test_a_summary_keeps_its_files_and_forgets_the_loose_ones(world, client_for):
    owed = half_of(world)
    client, edit = client_for(world.contact), reverse("summaries:edit", args=[owed.pk])
    files = [SimpleUploadedFile(f"{name}.png", png()) for name in "甲乙"]
    client.post(edit, typed(owed) | {"action": "upload", "revision": "0", "attachments": files})
    first, second = Attachment.objects.order_by("name")
    ids = f"{first.pk} {second.pk}"
    client.post(edit, typed(owed) | {"action": f"remove:{first.pk}", "revision": "1", "files": ids})
    assert list(Attachment.objects.all()) == [second]
    client.post(edit, typed(owed) | {"action": "check", "revision": "2", "files": str(second.pk)})
    check = reverse("summaries:check", args=[owed.pk])
    client.post(check, {"token": client.get(check).context["token"]})
    assert [f["id"] for f in SummaryVersion.objects.get().content["files"]] == [str(second.pk)]
    bad = SimpleUploadedFile("x.exe", b"MZ")
    refused = client.post(edit, typed(owed) | {"action": "upload", "revision": "4", "attachments": bad})
    assert refused.status_code == 422
    assert "不接受这种文件" in refused.content.decode()


def test_a_page_costs_the_same_for_one_row_and_three(world, client_for):
    owed = month_of(world)
    client, edit = client_for(world.evaluator_officer), reverse("summaries:edit", args=[owed.pk])

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert client.get(edit).status_code == 200
        return len(captured)

    queries()
    before = queries()
    from certificates.models import Certificate, CertificateLevel

    for name in ("第二", "第三"):
        certificate = Certificate.objects.create(name=f"{name}职业技能等级证书", owner=world.evaluator_org)
        world.add_programme(world.school, CertificateLevel.objects.create(certificate=certificate, level=1))
    assert len(client.get(edit).context["rows"]) == 3
    assert queries() == before <= 20
