"""The frame, the audit page, help, health, refusals."""

import datetime as dt
import io

import pytest
from django.db import DatabaseError, connection
from django.template.loader import get_template
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from core import clock, events, health, help, nav, slots
from core.models import ClockOrigin, Event
from core.notices import Message, tell

events.register(tried_out="试用")


def record(world, organization, *, at=None, by=None, **fields):
    return events.record(
        "tried_out",
        organization,
        by=by or world.office,
        at=at or clock.now(),
        organization_id=organization.pk,
        **fields,
    )


def test_the_frame_names_who_one_is_and_what_is_unread(world, client_for):
    page = client_for(world.contact).get("/help/").content.decode()
    assert "太原演示职业学校 · 院校联系人" in page
    assert 'name="robots" content="noindex' in page
    assert "演示数据" not in page
    assert 'class="skip"' in page


def test_demonstration_is_said_on_every_page(world, client_for):
    ClockOrigin.objects.create(real_at=clock.real_now(), portal_at=clock.real_now() - dt.timedelta(days=1))
    clock.forget_origin()
    assert "平台时间\n    <time" in client_for(world.contact).get("/help/").content.decode()
    assert "11月17日（星期二）10:00" in Client().get("/nowhere/").content.decode()


def test_the_place_is_the_longest_that_the_path_begins_with():
    places = [("报送", [("首页", "/"), ("名册", "/schools/"), ("导入", "/schools/roster/")])]
    assert nav.here(places, "/schools/roster/3/") == "/schools/roster/"
    assert nav.here(places, "/schools/7/") == "/schools/"
    assert nav.here(places, "/") == "/"
    assert nav.here(places, "/other/") == ""


@pytest.mark.parametrize("role", ["office", "contact", "learner", "auditor"])
def test_help_is_there_for_everyone(world, client_for, role):
    client = client_for(getattr(world, role))
    for slug, topic in help.TOPICS.items():
        response = client.get(reverse("core:help-topic", args=[slug]))
        assert topic.title in response.content.decode()
    assert client.get("/help/none/").status_code == 404


def test_help_links_only_to_places_that_the_reader_has(world, client_for):
    assert reverse("core:audit") in client_for(world.office).get("/help/accounts/").content.decode()
    assert reverse("core:audit") not in client_for(world.contact).get("/help/accounts/").content.decode()


@pytest.mark.parametrize("role", ["office", "auditor", "city_officer"])
def test_audit_is_searched_within_scope(world, client_for, role):
    record(world, world.school_org, reason="本市")
    record(world, world.other_school_org, reason="外市")
    page = client_for(getattr(world, role)).get("/audit/", {"q": "市"}).content.decode()
    assert "本市" in page
    assert ("外市" in page) is (role != "city_officer")


@pytest.mark.parametrize("role", ["contact", "leader", "evaluator_officer", "finance", "expert", "learner"])
def test_audit_is_not_for_others(world, client_for, role):
    record(world, world.school_org, reason="内情")
    response = client_for(getattr(world, role)).get("/audit/")
    assert response.status_code == 403
    assert "内情" not in response.content.decode()
    assert "操作记录由" in response.content.decode()


def test_audit_filters_each_narrow_it(world, client_for):
    record(world, world.school_org, at=dt.datetime(2020, 11, 1, 15, 59, 59, tzinfo=dt.UTC), reason="第一")
    record(
        world,
        world.other_school_org,
        at=dt.datetime(2020, 11, 1, 16, tzinfo=dt.UTC),
        by="定时任务",
        reason="第二",
    )
    client = client_for(world.office)

    def found(**query):
        page = client.get("/audit/", query).content.decode()
        return [words for words in ("第一", "第二") if f"理由：{words}" in page]

    assert found() == ["第一", "第二"]
    assert found(until="2020-11-01") == ["第一"]
    assert found(since="2020-11-02") == ["第二"]
    assert found(actor="定时") == ["第二"]
    assert found(organization="长治") == ["第二"]
    assert found(q="太原") == ["第一"]
    assert found(action="tried_out") == ["第一", "第二"]
    assert found(action="none") == found(since="昨天") == []


def test_audit_pages_and_sorts_and_survives_nonsense(world, client_for):
    for n in range(51):
        record(world, world.school_org, reason=f"第{n:03d}条")
    client = client_for(world.office)
    first, second = (client.get("/audit/", {"page": page}).content.decode() for page in (1, 2))
    assert first.count("理由：") == 50
    assert second.count("理由：") == 1
    for query in ({"page": "x"}, {"page": "99"}, {"page": "-1"}, {"sort": "none"}, {"sort": "-organization"}):
        assert client.get("/audit/", query).status_code == 200


def queries_of(client, address):
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


@pytest.mark.parametrize("address", ["/audit/", "/notices/"])
def test_the_lists_ask_no_more_for_three_rows_than_for_one(world, client_for, address):
    def add(n):
        record(world, world.school_org, changes={"name": ["a", "b"]})
        tell([Message(world.office.pk, f"n{n}", "通知", "/help/")], at=clock.now())

    client = client_for(world.office)
    add(1)
    client.get(address)
    one = queries_of(client, address)
    add(2)
    add(3)
    assert queries_of(client, address) == one <= 12


def test_export_keeps_ids_as_text_and_disarms_formulas(world, client_for):
    record(world, world.school_org, reason="=HYPERLINK(1)", target_label="001234567890123456")
    record(world, world.other_school_org, reason="别的")
    response = client_for(world.office).post("/audit/?q=HYPERLINK")
    assert "attachment" in response["Content-Disposition"]
    heading, row = load_workbook(io.BytesIO(response.content)).active.iter_rows()
    assert heading[0].value == "时间"
    assert row[0].value == "2020-11-18 10:00"
    assert (row[3].value, row[3].data_type) == ("001234567890123456", "s")
    assert "HYPERLINK" in row[5].value
    event = Event.objects.get(action="list_exported")
    assert event.actor == world.office
    assert event.changes == {"筛选": {"q": "HYPERLINK"}, "行数": 1}


def test_export_is_within_scope_and_not_by_get(world, client_for):
    record(world, world.other_school_org, reason="外市")
    response = client_for(world.city_officer).post("/audit/")
    assert load_workbook(io.BytesIO(response.content)).active.max_row == 1
    assert client_for(world.contact).post("/audit/").status_code == 403


def test_health_tells_without_signing_in(db):
    response = Client().get("/healthz")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "database": "ok",
        "broker": "ok",
        "last_sweep": None,
        "version": "0.1.0",
    }


def test_health_names_the_last_finished_sweep(world):
    slots.finish(slots.claim("sweep"))
    world.at("2020-11-18T10:01:00+08:00")
    slots.claim("sweep")
    assert Client().get("/healthz").json()["last_sweep"] == "2020-11-18T02:00:00+00:00"


def test_health_says_503_when_the_broker_is_gone(db, settings, tmp_path):
    settings.REDIS_URL = ""
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"data_folder_out": str(tmp_path / "gone")}
    response = Client().get("/healthz")
    assert response.status_code == 503
    assert response.json()["broker"] == "down"


def test_health_says_503_when_redis_does_not_answer(db, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert Client().get("/healthz").json()["broker"] == "down"


def test_health_says_503_when_the_database_is_gone(db, rf):
    def fail(execute, sql, params, many, context):
        raise DatabaseError("gone")

    with connection.execute_wrapper(fail):
        report = health.report()
    assert report["status"] == report["database"] == "down"


def test_a_slot_is_claimed_once_and_forgotten_in_time(world):
    assert slots.claim("sweep")
    assert slots.claim("sweep") is None
    assert slots.claim("other")
    world.at("2020-11-18T10:01:00+08:00")
    assert slots.claim("sweep")
    world.at("2020-12-18T10:00:00+08:00")
    assert slots.purge() == 3


def test_unknown_pages_are_plain_for_strangers_and_members(world, client_for):
    for client in (Client(), client_for(world.contact)):
        response = client.get("/nowhere/")
        assert response.status_code == 404
        assert "没有找到这个页面" in response.content.decode()


def test_a_stranger_is_sent_to_sign_in(db):
    for name in ("notices", "audit", "help"):
        assert Client().get(reverse(f"core:{name}")).status_code == 302


def test_a_stale_form_is_refused_in_plain_words(world):
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.contact, backend="django.contrib.auth.backends.ModelBackend")
    response = client.post("/notices/read/")
    assert response.status_code == 403
    assert "页面已过期" in response.content.decode()


def test_the_page_for_our_own_faults_needs_nothing():
    assert "平台出现问题" in get_template("500.html").render()


@pytest.mark.postgres
@pytest.mark.parametrize("statement", ["UPDATE core_event SET reason = 'x'", "DELETE FROM core_event"])
def test_postgresql_refuses_to_change_an_event(world, statement):
    record(world, world.school_org)
    with pytest.raises(DatabaseError, match="append-only"), connection.cursor() as cursor:
        cursor.execute(statement)
