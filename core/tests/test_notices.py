"""The page of notices, and their way by mail."""

import datetime as dt
import smtplib
import threading

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection

from core import clock, delivery
from core.models import Delivery, Notice
from core.notices import Message, tell


def give(user, count=1, **fields):
    already = Notice.objects.filter(recipient=user).count()
    tell(
        [
            Message(user.pk, f"k{already + n}", f"第{already + n}条", fields.get("link", "/help/"))
            for n in range(count)
        ],
        at=clock.now(),
    )
    return Notice.objects.filter(recipient=user).order_by("pk")


def test_opening_marks_as_read_and_leads_on(world, client_for):
    (notice,) = give(world.contact)
    client = client_for(world.contact)
    assert "第0条" in client.get("/notices/").content.decode()
    response = client.post(f"/notices/{notice.pk}/")
    assert (response.status_code, response["Location"]) == (302, "/help/")
    notice.refresh_from_db()
    assert notice.read_at == clock.now()


def test_another_ones_notice_cannot_be_opened(world, client_for):
    (notice,) = give(world.contact)
    assert client_for(world.office).post(f"/notices/{notice.pk}/").status_code == 404
    assert client_for(world.contact).get(f"/notices/{notice.pk}/").status_code == 405
    assert Notice.objects.unread().count() == 1


@pytest.mark.parametrize(
    "link", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_a_notice_never_leads_to_another_site(world, client_for, link):
    (notice,) = give(world.contact, link=link)
    assert client_for(world.contact).post(f"/notices/{notice.pk}/")["Location"] == "/notices/"


def test_all_are_marked_as_read_for_oneself_only(world, client_for):
    give(world.contact, 3)
    give(world.office)
    client_for(world.contact).post("/notices/read/")
    assert [n.recipient for n in Notice.objects.unread()] == [world.office]


@pytest.fixture
def mailing(world, settings):
    settings.EMAIL_ENABLED = True
    settings.SITE_URL = "https://portal.example"
    world.contact.email = "contact@example.com"
    world.contact.save()
    return world


def test_nothing_is_mailed_without_a_server(world, settings):
    world.contact.email = "contact@example.com"
    world.contact.save()
    give(world.contact)
    assert settings.EMAIL_ENABLED is False
    assert delivery.deliver(clock.now()) == (0, 0, 0)
    assert mail.outbox == []


def test_up_to_five_go_one_by_one_more_as_a_digest(mailing):
    give(mailing.contact, 5)
    assert delivery.deliver(clock.now()) == (5, 5, 0)
    give(mailing.contact, 6)
    assert delivery.deliver(clock.now()) == (1, 6, 0)
    digest = mail.outbox[-1]
    assert "6 条新通知" in digest.subject
    assert digest.body.count("https://portal.example/help/") == 6
    assert not Delivery.objects.waiting().exists()
    assert delivery.deliver(clock.now()) == (0, 0, 0)


def test_a_line_break_in_a_text_is_no_header(mailing):
    tell([Message(mailing.contact.pk, "k", "提醒\r\nBcc: x@example.com", "")], at=clock.now())
    assert delivery.deliver(clock.now()) == (1, 1, 0)
    assert "\n" not in mail.outbox[0].subject
    assert mail.outbox[0].recipients() == ["contact@example.com"]


@pytest.mark.parametrize("change", [{"mail_notices": False}, {"email": ""}, {"is_active": False}])
def test_who_does_not_want_or_cannot_get_mail_gets_none(mailing, change):
    give(mailing.contact)
    for name, value in change.items():
        setattr(mailing.contact, name, value)
    mailing.contact.save()
    assert delivery.deliver(clock.now()) == (0, 0, 0)


def test_what_was_read_or_is_long_past_is_not_mailed(mailing):
    give(mailing.contact, 2)
    Notice.objects.filter(key="k0").update(read_at=clock.now())
    Notice.objects.filter(key="k1").update(created_at=clock.now() - dt.timedelta(days=4))
    assert delivery.deliver(clock.now()) == (0, 0, 0)


def test_what_is_read_before_it_goes_is_not_mailed(mailing, settings):
    (notice,) = give(mailing.contact)
    settings.EMAIL_BACKEND = f"{__name__}.Refusing"
    delivery.deliver(clock.now())
    mark_as_read(notice)
    assert delivery.deliver(clock.now() + dt.timedelta(hours=1)) == (0, 0, 0)
    assert notice.deliveries.get().state == "dropped"


def mark_as_read(notice):
    Notice.objects.filter(pk=notice.pk).update(read_at=clock.now())


class Refusing(BaseEmailBackend):
    def send_messages(self, messages):
        raise smtplib.SMTPRecipientsRefused({})


def test_a_refused_mail_is_tried_again_later_and_given_up_in_the_end(mailing, settings):
    (notice,) = give(mailing.contact)
    settings.EMAIL_BACKEND = f"{__name__}.Refusing"
    at = clock.now()
    assert delivery.deliver(at) == (0, 0, 1)
    assert delivery.deliver(at) == (0, 0, 0)
    for attempt in range(1, delivery.MAX_ATTEMPTS):
        assert notice.deliveries.get().state == "failed"
        at += delivery.CLAIM * 2**attempt
        assert delivery.deliver(at) == (0, 0, 1)
    assert delivery.deliver(at + dt.timedelta(days=1)) == (0, 0, 0)
    given_up = notice.deliveries.get()
    assert (given_up.state, given_up.attempts) == ("given_up", delivery.MAX_ATTEMPTS)
    assert "邮件服务器" in given_up.last_error


def test_who_claims_second_gets_nothing(mailing):
    (notice,) = give(mailing.contact)
    row = Delivery.objects.create(notice=notice, key=notice.key, queued_at=clock.now())
    assert delivery._claim(row, clock.now())
    assert not delivery._claim(row, clock.now())


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_once(mailing):
    give(mailing.contact, 5)
    at, together = clock.now(), threading.Barrier(2)

    def work():
        together.wait()
        delivery.deliver(at)
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(mail.outbox) == 5
