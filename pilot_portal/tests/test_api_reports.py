"""Reports by the API: what is read, how a school's program files, and that a key files once."""

import datetime as dt

import pytest

from core import clock
from core.models import Event
from core.tests.races import together
from obligations import services as obligations
from obligations.models import Obligation
from obligations.rates import rate
from pilot_portal.tests.calling import Api, token_of
from reporting.models import FilingKey, ReportVersion, WeeklyReport
from reporting.services import return_for_correction, save_draft
from reporting.sweep import sweep
from reporting.tests.summing import half_of
from reporting.tests.weekly import file, typed

KEY = "jiaowu-2020-W47-1"


def body(world, **changes):
    row = {
        "programme": world.programme.pk,
        "in_training": 40,
        "training_hours": "36.5",
        "registered": 30,
        "examined": 20,
        "passed": 18,
        "certified": 10,
    }
    texts = {"work_done": "开展考前培训", "next_week": "组织模拟考核"}
    sent = {"programmes": [row], "teachers_trained": 2, "money_spent": "1500.50", **texts}
    row |= {name: changes.pop(name) for name in list(changes) if name in row or name == "explanation"}
    return sent | changes


def submissions(obligation):
    return f"reports/{obligation.pk}/submissions/"


@pytest.fixture
def contact(world):
    return Api(token_of(world.contact))


def fields_of(response):
    assert response.status_code == 400, response.content
    return {error["field"]: error["message"] for error in response.json()["errors"]}


# --- filing


def test_a_program_files_as_the_page_would(world, contact):
    response = contact.post(submissions(world.obligation), key=KEY, body=body(world))
    assert response.status_code == 201
    version = ReportVersion.objects.get()
    assert response.json() == {
        "receipt": version.receipt,
        "obligation": world.obligation.pk,
        "number": 1,
        "received_at": "2020-11-18T10:00:00+08:00",
        "is_zero": False,
        "state": "on_time",
        "content_hash": version.content_hash,
    }
    by_hand = file(world)
    assert by_hand == version, "the page's form makes the very same content"
    event = Event.objects.get(action="report_submitted")
    assert (event.actor, event.changes["回执"]) == (world.contact, version.receipt)


def test_the_same_key_finds_the_same_receipt(world, contact):
    first = contact.post(submissions(world.obligation), key=KEY, body=body(world))
    again = contact.post(submissions(world.obligation), key=KEY, body=body(world))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert ReportVersion.objects.count() == FilingKey.objects.count() == 1


def test_a_key_used_with_other_content_is_a_conflict(world, contact):
    contact.post(submissions(world.obligation), key=KEY, body=body(world))
    response = contact.post(submissions(world.obligation), key=KEY, body=body(world, passed=19))
    assert (response.status_code, response.json()["code"]) == (409, "key_reused")
    assert ReportVersion.objects.count() == 1


def test_the_same_content_under_another_key_is_no_new_version_and_the_key_is_taken(world, contact):
    first = contact.post(submissions(world.obligation), key=KEY, body=body(world))
    other = contact.post(submissions(world.obligation), key="another-key", body=body(world))
    assert (other.status_code, other.json()["receipt"]) == (200, first.json()["receipt"])
    response = contact.post(submissions(world.obligation), key="another-key", body=body(world, passed=19))
    assert response.status_code == 409


def test_a_key_answers_even_when_the_figures_would_no_longer_pass(world, contact):
    """Last week's report is corrected after this one was filed: a retry still finds its receipt."""
    world.add_week("2020-W46")
    before = world.owed(world.school, "2020-W46")
    assert contact.post(submissions(before), key="week-46-1", body=body(world)).status_code == 201
    sent = body(world, work_done="本周")
    first = contact.post(submissions(world.obligation), key=KEY, body=sent)
    contact.post(submissions(before), key="week-46-2", body=body(world, certified=12))
    again = contact.post(submissions(world.obligation), key=KEY, body=sent)
    assert (again.status_code, again.json()["receipt"]) == (200, first.json()["receipt"])
    fresh = contact.post(submissions(world.obligation), key="fresh-key", body=sent)
    assert "发证人数比上次少 2" in fields_of(fresh)["programmes.0.explanation"]


def test_a_corrected_report_is_another_version_under_another_key(world, contact):
    contact.post(submissions(world.obligation), key=KEY, body=body(world))
    return_for_correction(obligation=world.obligation, reason="核对", by=world.office, at=clock.now())
    response = contact.post(submissions(world.obligation), key="second-key", body=body(world, passed=19))
    assert (response.status_code, response.json()["number"]) == (201, 2)
    assert not Obligation.objects.filter(kind="correction", outcome="pending").exists()


def test_a_zero_report_takes_no_figures(world, contact):
    response = contact.post(submissions(world.obligation), key=KEY, body=body(world, is_zero=True))
    assert "is_zero" in fields_of(response)
    response = contact.post(submissions(world.obligation), key=KEY, body={"is_zero": True})
    assert (response.status_code, response.json()["is_zero"]) == (201, True)


def test_a_draft_that_somebody_typed_meanwhile_stays(world, contact):
    draft = typed(world, problems="写了一半")
    save_draft(obligation=world.obligation, typed=draft, revision=0, by=world.contact, at=clock.now())
    assert contact.post(submissions(world.obligation), key=KEY, body=body(world)).status_code == 201
    assert WeeklyReport.objects.get().draft == draft


def test_errors_name_the_field_in_the_senders_own_words(world, contact):
    programme = world.programme.pk
    send = lambda sent: fields_of(contact.post(submissions(world.obligation), key=KEY, body=sent))  # noqa: E731
    assert set(send(body(world, passed=-1, training_hours="1.55", certified="十"))) == {
        "programmes.0.passed",
        "programmes.0.training_hours",
        "programmes.0.certified",
    }
    assert send(body(world, passed=21))["programmes.0.explanation"].startswith("合格人数多于参考人数")
    assert "缺少" in send(body(world, programmes=[]))["programmes"]
    assert str(programme) in send(body(world, programmes=[]))["programmes"]
    rows = body(world)["programmes"]
    assert "programmes.1.programme" in send(body(world, programmes=rows * 2))
    strange = [*rows, rows[0] | {"programme": world.other_programme.pk}]
    assert "programmes.1.programme" in send(body(world, programmes=strange))
    assert "work_done" in send(body(world, work_done="长" * 5001))
    nothing = {name: 0 for name in rows[0]} | {"programme": programme}
    assert "空白周报不算报送" in send({"programmes": [nothing]})[""]
    assert not ReportVersion.objects.exists()
    assert contact.post(submissions(world.obligation), key=KEY, body=body(world)).status_code == 201


@pytest.mark.parametrize("key", ["", "short", "x" * 65, "有汉字的键值", "with space"])
def test_without_a_good_key_nothing_is_filed(world, contact, key):
    response = contact.post(submissions(world.obligation), key=key, body=body(world))
    assert set(fields_of(response)) == {"Idempotency-Key"}


def test_only_the_schools_contact_files_and_only_its_own(world):
    for user, status in [(world.other_contact, 404), (world.office, 403), (world.leader, 403)]:
        response = Api(token_of(user)).post(submissions(world.obligation), key=KEY, body=body(world))
        assert response.status_code == status
    assert not ReportVersion.objects.exists()


@pytest.mark.parametrize(
    ("offset", "state"), [(-1, "on_time"), (0, "late"), (3 * 86400 - 1, "late"), (3 * 86400, "filled")]
)
def test_the_instant_decides_as_on_the_page(world, offset, state):
    world.at(world.obligation.due_at + dt.timedelta(seconds=offset))
    sweep(clock.now())
    api = Api(token_of(world.contact))
    response = api.post(submissions(world.obligation), key=KEY, body=body(world))
    assert (response.status_code, response.json()["state"]) == (201, state)


def test_before_the_period_opens_the_reason_is_told(world, contact):
    Obligation.objects.filter(pk=world.obligation.pk).update(opens_at=clock.now() + dt.timedelta(hours=1))
    response = contact.post(submissions(world.obligation), key=KEY, body=body(world))
    assert (response.status_code, response.json()["detail"]) == (403, "本期周报尚未开始填报。")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_one_key_from_many_threads_is_one_report_and_one_receipt(transactional_db, world):
    secret, sent = token_of(world.contact), body(world)

    def send():
        return Api(secret).post(submissions(world.obligation), key=KEY, body=sent)

    responses = together(*[send] * 6)
    assert sorted(response.status_code for response in responses) == [200] * 5 + [201]
    assert {response.json()["receipt"] for response in responses} == {ReportVersion.objects.get().receipt}
    assert Event.objects.filter(action="report_submitted").count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_one_key_with_two_contents_at_once_files_one(transactional_db, world):
    secret = token_of(world.contact)

    def sending(passed):
        sent = body(world, passed=passed)
        return lambda: Api(secret).post(submissions(world.obligation), key=KEY, body=sent)

    responses = together(*(sending(passed) for passed in (15, 16, 17, 18)))
    assert sorted(response.status_code for response in responses) == [201, 409, 409, 409]
    assert ReportVersion.objects.count() == 1


# --- reading


def test_a_report_is_read_with_its_versions_and_never_its_draft(world, contact):
    assert contact.get("reports/").json()["count"] == 0
    save_draft(obligation=world.obligation, typed=typed(world), revision=0, by=world.contact, at=clock.now())
    assert contact.get("reports/").json()["count"] == 0
    assert contact.get(f"reports/{world.obligation.pk}/").status_code == 404
    file(world)
    file(world, token="t2", passed="19")
    listed = Api(token_of(world.office)).get("reports/").json()["results"][0]
    assert (listed["version"], listed["state"], listed["key"]) == (2, "on_time", "2020-W47")
    detail = contact.get(f"reports/{world.obligation.pk}/").json()
    assert [version["number"] for version in detail["versions"]] == [1, 2]
    assert detail["versions"][1]["content"]["programmes"][str(world.programme.pk)]["passed"] == 19
    assert detail["versions"][0]["submitted_by"] == world.contact.name


def test_the_sheet_tells_what_to_fill_and_what_was_said_last(world, contact):
    sheet = contact.get(f"reports/{world.obligation.pk}/sheet/").json()
    assert sheet["programmes"] == [
        {"programme": world.programme.pk, "name": str(world.programme), "before": None}
    ]
    assert (sheet["filing"], sheet["locked"]) == ("on_time", False)
    file(world)
    world.add_week("2020-W48")
    after = world.owed(world.school, "2020-W48")
    world.at("2020-11-24T10:00:00+08:00")
    sheet = contact.get(f"reports/{after.pk}/sheet/").json()
    assert sheet["programmes"][0]["before"]["passed"] == 18


def test_reports_received_since(world, contact):
    file(world)
    for since, count in [("2020-11-18T02:00:00Z", 1), ("2020-11-18T02:00:01Z", 0)]:
        assert contact.get("reports/", updated_since=since).json()["count"] == count
    assert "updated_since" in fields_of(contact.get("reports/", updated_since="昨天"))
    assert "updated_since" in fields_of(contact.get("reports/", updated_since="0001-01-01T00:00:00+14:00"))


# --- rates


def test_rates_are_the_pages_figures_and_add_up(world):
    world.add_school("太原第三演示学校")
    period = world.add_week("2020-W46")
    world.at(period.opens_at)
    file(world, world.owed(world.school, "2020-W46"))
    sweep(world.at("2020-11-18T10:00:00+08:00"))
    answer = Api(token_of(world.office)).get(f"rates/{period.pk}/").json()
    assert [row["name"] for row in answer["authorities"]] == ["太原市教育局", "长治市教育局"]
    for name in ("owed", "on_time", "late", "pending", "missed", "exempt"):
        assert sum(row["rate"][name] for row in answer["authorities"]) == answer["total"][name]
    page = rate(Obligation.objects.visible_to(world.office).weekly().filter(period=period))
    assert (answer["total"]["owed"], answer["total"]["percent"]) == (page.owed, page.percent) == (3, 33.3)
    mine = Api(token_of(world.city_officer)).get(f"rates/{period.pk}/").json()
    assert (mine["total"]["owed"], mine["total"]["percent"]) == (2, 50.0)


def test_rates_are_for_those_who_watch(world, contact):
    response = contact.get(f"rates/{world.period.pk}/")
    assert response.status_code == 403
    assert "obligations" in response.json()["detail"]


def test_the_rates_of_the_api_name_the_evaluators_and_add_up(world):
    period = half_of(world).period
    answer = Api(token_of(world.office)).get(f"rates/{period.pk}/").json()
    assert answer["authorities"][-1]["authority"] is None
    assert answer["authorities"][-1]["name"] == "培训评价组织"
    assert sum(row["rate"]["owed"] for row in answer["authorities"]) == answer["total"]["owed"] == 3
    city = Api(token_of(world.city_officer)).get(f"rates/{period.pk}/").json()
    assert [row["name"] for row in city["authorities"]] == ["太原市教育局"]


# --- what changed since


@pytest.fixture
def quiet(world):
    """A day after everything was made: nothing of the schools has changed since."""
    world.at("2020-11-19T10:00:00+08:00")
    return clock.now().isoformat().replace("+00:00", "Z")


def changed(world, since):
    rows = Api(token_of(world.office)).get("obligations/", updated_since=since).json()["results"]
    return {(row["organization"], row["key"]) for row in rows}


def test_nothing_has_changed_since_then(world, quiet):
    assert changed(world, quiet) == set()


def test_what_was_filed_missed_excused_and_taken_back_has_changed(world, quiet):
    mine, other = (world.school_org.pk, "2020-W47"), (world.other_school_org.pk, "2020-W47")
    world.at("2020-11-19T11:00:00+08:00")
    file(world)
    assert changed(world, quiet) == {mine}
    # The sweep that closes the week runs a day late: what it marks is found by whoever asked before it.
    world.at("2020-11-24T10:00:00+08:00")
    asked = clock.now().isoformat().replace("+00:00", "Z")
    sweep(world.at("2020-11-24T18:00:00+08:00"))
    assert changed(world, asked) == {other}
    at = world.at("2020-11-25T10:00:00+08:00")
    missed = Obligation.objects.get(pk=world.other_obligation.pk)
    obligations.excuse(missed, reason="停电", by=world.office, at=at)
    missed.refresh_from_db()
    at = world.at("2020-11-26T10:00:00+08:00")
    obligations.withdraw_excuse(missed, reason="核实有误", by=world.office, at=at)
    assert changed(world, "2020-11-25T20:00:00Z") == {other}


def test_what_a_suspension_or_an_outage_touches_has_changed(world, quiet):
    world.at("2020-11-19T11:00:00+08:00")
    suspension = obligations.suspend(
        kind="emergency",
        organizations=[world.school_org],
        scope_label="太原演示职业学校",
        starts_at=clock.now(),
        ends_at=clock.now() + dt.timedelta(days=7),
        reason="汛情",
        by=world.office,
        at=clock.now(),
    )
    mine = (world.school_org.pk, "2020-W47")
    assert mine in changed(world, quiet)
    at = world.at("2020-11-19T12:00:00+08:00")
    obligations.lift_suspension(suspension, by=world.office, at=at)
    assert mine in changed(world, "2020-11-19T04:00:00Z")
    at = world.at("2020-11-20T19:00:00+08:00")
    obligations.record_outage(
        starts_at=at - dt.timedelta(hours=3), ends_at=at, reason="停机", by=world.office, at=at
    )
    assert Obligation.objects.get(pk=world.obligation.pk).due_at > at
    assert mine in changed(world, "2020-11-20T11:00:00Z")
