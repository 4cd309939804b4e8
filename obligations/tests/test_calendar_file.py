"""The calendar file, read back; its secret address; who may hold one and what it shows."""

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from accounts import services as accounts
from core import clock
from core.models import Event
from core.tests.races import together
from obligations import ics, periods, services
from obligations.models import CalendarFeed, Obligation, ObligationKind, Period
from obligations.tests.calendar_file import instant, parse

PAGE = "/deadlines/calendar/"
MIDNIGHT = dt.datetime(2020, 12, 31, 16, tzinfo=dt.UTC)


def make(world, user):
    return services.make_feed(user=user, by=user, at=clock.now())


def fetch(secret, **headers):
    return Client().get(reverse("obligations:feed", args=[secret]), headers=headers)


def events_of(user):
    return {event["UID"]: event for event in parse(ics.calendar(user, clock.now()))[1]}


def entry(**fields):
    at = MIDNIGHT
    return ics.Entry(
        **({"uid": "u", "title": "t", "text": "", "due_at": at, "changed_at": at, "address": ""} | fields)
    )


# --- the file

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@given(TEXTS, TEXTS)
def test_whatever_stands_in_a_title_is_read_back(title, text):
    [found] = parse(ics.render([entry(title=title, text=text)]))[1]

    def kept(words):
        words = words.replace("\r\n", "\n").replace("\r", "\n")
        return "".join(c for c in words if c == "\n" or (c >= " " and c != "\x7f"))

    assert (found["SUMMARY"], found["DESCRIPTION"]) == (kept(title), kept(text))


def test_an_entry_ends_with_its_deadline_in_utc_and_never_rings(world):
    content = ics.calendar(world.contact, clock.now())
    calendar, [event, *_] = parse(content)
    assert calendar["VERSION"] == "2.0"
    assert instant(event["DTEND"]) == world.obligation.due_at
    assert instant(event["DTEND"]) - instant(event["DTSTART"]) == dt.timedelta(minutes=30)
    assert b"VALARM" not in content
    assert event["SUMMARY"] == "2020年第47周周报"
    assert "11月20日（星期五）18:00" in event["DESCRIPTION"]


def test_what_closes_at_midnight_stands_on_the_day_that_is_left(world):
    [event] = parse(ics.render([entry(due_at=MIDNIGHT)]))[1]
    assert clock.local(instant(event["DTSTART"])).date() == dt.date(2020, 12, 31)


def test_the_uid_is_the_same_before_opening_while_owed_and_once_done(world):
    periods.make_periods("weekly_report", at=clock.now())
    ahead = Period.objects.unopened().order_by("due_at").first()
    before = {uid for uid, event in events_of(world.contact).items() if "（尚未开始）" in event["SUMMARY"]}
    world.at(ahead.opens_at)
    periods.open_period(ahead)
    row = world.owed(world.school, ahead.key)
    owed = {uid for uid, event in events_of(world.contact).items() if event["SUMMARY"] == row.title}
    services.fulfil(row, received_at=clock.now())
    done = {uid for uid, event in events_of(world.contact).items() if "（按时）" in event["SUMMARY"]}
    assert owed == done
    assert owed <= before
    assert len(owed) == 1


def test_each_sees_its_own_and_who_watches_sees_sums(world):
    mine = [event["SUMMARY"] for event in events_of(world.contact).values()]
    assert mine == ["2020年第47周周报"]
    assert [event["SUMMARY"] for event in events_of(world.office).values()] == ["周报：2 项待办"]
    assert [event["SUMMARY"] for event in events_of(world.city_officer).values()] == ["周报：1 项待办"]
    assert events_of(world.evaluator_officer) == {}
    services.owe(
        organization=world.province,
        kind=ObligationKind.FEEDBACK,
        key="FK1",
        title="答复反馈",
        opens_at=clock.now(),
        due_at=MIDNIGHT,
    )
    assert {event["SUMMARY"] for event in events_of(world.office).values()} == {"周报：2 项待办", "答复反馈"}
    assert "答复反馈" not in str(events_of(world.city_officer))


def test_the_exempt_are_cancelled_and_no_person_is_named(world):
    Obligation.objects.filter(pk=world.obligation.pk).update(outcome="exempt", exempt_reason="停报")
    [event] = events_of(world.contact).values()
    assert event["STATUS"] == "CANCELLED"
    content = ics.calendar(world.contact, clock.now()).decode()
    assert world.contact.name not in content
    assert world.contact.username not in content


def test_a_large_province_costs_no_more_queries(world):
    periods.make_periods("weekly_report", at=clock.now())

    def queries(user):
        with CaptureQueriesContext(connection) as captured:
            ics.calendar(user, clock.now())
        return len(captured)

    before = queries(world.office)
    world.add_week("2020-W46")
    world.add_school("第三所演示学校")
    world.add_week("2020-W45")
    assert queries(world.office) == before <= 6


# --- the secret address


def test_the_address_opens_without_signing_in_and_is_kept_as_a_digest_only(world):
    secret = make(world, world.contact)
    response = fetch(secret)
    assert response.status_code == 200
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert "no-store" not in response["Cache-Control"]
    assert response.cookies == {}
    assert parse(response.content)[1][0]["SUMMARY"] == "2020年第47周周报"
    row = CalendarFeed.objects.values().get()
    assert secret not in str(row)
    assert not Event.objects.filter(changes__icontains=secret).exists()


def test_unchanged_it_is_not_sent_again_and_changed_it_is(world):
    secret = make(world, world.contact)
    tag = fetch(secret)["ETag"]
    world.at("2020-11-18T11:00:00+08:00")
    again = fetch(secret, if_none_match=tag)
    assert (again.status_code, again.content) == (304, b"")
    services.fulfil(world.obligation, received_at=clock.now())
    changed = fetch(secret, if_none_match=tag)
    assert changed.status_code == 200
    assert changed["ETag"] != tag


def test_a_new_address_ends_the_old_one_and_revoked_it_is_gone(world, client_for):
    client = client_for(world.contact)

    def address():
        return client.post(PAGE).context["address"]

    old, new = address(), address()
    assert Client().get(old).status_code == 404
    assert Client().get(new).status_code == 200
    assert new not in client.get(PAGE).content.decode()
    assert client.get(f"{PAGE}revoke/").status_code == 200
    client.post(f"{PAGE}revoke/")
    assert Client().get(new).status_code == 404
    client.post(f"{PAGE}revoke/")
    actions = Event.objects.filter(action__startswith="calendar_feed").order_by("pk")
    assert list(actions.values_list("action", flat=True)) == [
        "calendar_feed_made",
        "calendar_feed_revoked",
        "calendar_feed_made",
        "calendar_feed_revoked",
    ]


def test_it_ends_with_the_account_and_does_not_come_back_with_it(world):
    secret = make(world, world.contact)
    accounts.deactivate(user=world.contact, reason="离任", by=world.office, at=clock.now())
    assert fetch(secret).status_code == 404
    world.contact.refresh_from_db()
    accounts.reactivate(user=world.contact, by=world.office, at=clock.now())
    assert fetch(secret).status_code == 404


@pytest.mark.parametrize(
    "fields", [{"role": "school_leader"}, {"must_change_password": True}, {"organization": None}]
)
def test_it_does_not_outlive_role_or_password(world, fields):
    secret = make(world, world.contact)
    if "organization" in fields:
        fields = {"organization": world.other_school_org}
    type(world.contact).objects.filter(pk=world.contact.pk).update(**fields)
    assert fetch(secret).status_code == 404


@pytest.mark.parametrize("secret", ["x", "0" * 43, "..", "%00"])
def test_a_guess_finds_nothing(world, secret):
    make(world, world.contact)
    assert Client().get(f"{PAGE}{secret}.ics").status_code == 404


def test_a_session_opens_no_other_ones_address_and_posts_nothing(world, client_for):
    secret = make(world, world.contact)
    seen = client_for(world.other_contact).get(reverse("obligations:feed", args=[secret]))
    assert "长治" not in seen.content.decode()
    assert Client().post(reverse("obligations:feed", args=[secret])).status_code == 405


def test_one_address_stands_for_each(world):
    make(world, world.contact)
    feed = CalendarFeed.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        CalendarFeed.objects.create(
            user=world.contact,
            digest="another",
            role=feed.role,
            organization=feed.organization,
            created_at=clock.now(),
        )


def test_the_page_is_for_those_who_have_deadlines(world, client, client_for):
    for name in ("feed-page", "feed-revoke", "feed-download"):
        address = reverse(f"obligations:{name}")
        assert client.post(address).status_code == 302
        for who in ("learner", "expert", "finance"):
            assert client_for(getattr(world, who)).post(address).status_code == 403, (name, who)
    for who in ("office", "city_officer", "contact", "leader", "evaluator_officer", "auditor"):
        assert client_for(getattr(world, who)).get(PAGE).status_code == 200
    assert client_for(world.contact).get(reverse("obligations:feed-download")).status_code == 405


def test_the_download_is_the_same_file_and_is_on_record(world, client_for):
    response = client_for(world.contact).post(reverse("obligations:feed-download"))
    assert response.content == ics.calendar(world.contact, clock.now())
    assert ".ics" in response["Content-Disposition"]
    assert Event.objects.get(action="list_exported").actor == world.contact


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_renewals_at_once_leave_one_address(world):
    results = together(lambda: make(world, world.contact), lambda: make(world, world.contact))
    assert sorted(fetch(secret).status_code for secret in results) == [200, 404]
    assert CalendarFeed.objects.standing().count() == 1


def test_how_far_back_it_reaches_is_said_wherever_it_is_offered(world, client_for):
    services.owe(
        organization=world.school_org,
        kind=ObligationKind.AGREEMENT,
        key="1",
        title="很久以前",
        opens_at=clock.now() - dt.timedelta(days=300),
        due_at=clock.now() - ics.KEPT - dt.timedelta(seconds=1),
    )
    assert "很久以前" not in str(events_of(world.contact))
    client = client_for(world.contact)
    assert "很久以前" in client.get("/deadlines/").content.decode()
    for page in ("/deadlines/", PAGE, reverse("core:help-topic", args=["deadlines"])):
        assert f"只列 {ics.KEPT.days} 天以内到期" in client.get(page).content.decode(), page
