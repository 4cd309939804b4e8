"""Signing in: closed by default, first password, lock-out, time-out, second factor."""

import datetime as dt
import json

import pytest
from django.conf import settings
from django.contrib.messages import get_messages
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import services
from core import clock
from core.models import Event

PASSWORD = "pilot-pass-2020"
SIGN_IN = "/sign-in/"


def sign_in(client, username, password=PASSWORD, **extra):
    return client.post(SIGN_IN, {"username": username, "password": password, **extra})


def test_a_stranger_is_asked_to_sign_in_and_led_back(world):
    client = Client()
    response = client.get(reverse("accounts:user-list") + "?q=1")
    assert response.url == f"{SIGN_IN}?next=/accounts/%3Fq%3D1"

    response = sign_in(client, "office", next="/accounts/?q=1")

    assert response.url == "/accounts/?q=1"
    assert Event.objects.get(action="signed_in").actor == world.office


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_signing_in_leads_nowhere_else(world, address):
    assert sign_in(Client(), "office", next=address).url == "/"


def test_a_wrong_name_and_a_wrong_password_are_answered_alike(world):
    bodies = [
        sign_in(Client(), name, "wrong").content.decode().replace(name, "NAME")
        for name in ("office", "nobody")
    ]
    for body in bodies:
        assert "账号或密码不正确" in body


def test_sign_out_is_a_post_and_may_be_sent_twice(world, client_for):
    client = client_for(world.contact)
    assert client.get(reverse("accounts:sign-out")).status_code == 405
    for _ in range(2):
        assert client.post(reverse("accounts:sign-out")).url == SIGN_IN
    assert client.get(reverse("accounts:password")).status_code == 302


def test_until_the_first_password_is_changed_only_that_page_and_sign_out_are_open(world, client_for):
    world.contact.must_change_password = True
    world.contact.save()
    client = client_for(world.contact)
    page = reverse("accounts:password")

    assert client.get(reverse("accounts:user-list")).url == page
    assert client.get(page).status_code == 200
    same = {"old_password": PASSWORD, "new_password1": PASSWORD, "new_password2": PASSWORD}
    assert "不能与现在的密码相同" in client.post(page, same).content.decode()

    good = {"old_password": PASSWORD, "new_password1": "fresh-words-91", "new_password2": "fresh-words-91"}
    assert client.post(page, good).url == "/"

    assert client.get(reverse("accounts:user-list")).status_code == 200
    assert sign_in(Client(), "contact", "fresh-words-91").status_code == 302
    event = Event.objects.get(action="password_changed")
    assert "fresh-words-91" not in json.dumps(event.changes)


@pytest.mark.parametrize("weak", ["short-1", "1234567890123", "password12"])
def test_a_weak_password_is_refused(world, client_for, weak):
    client = client_for(world.contact)
    answer = client.post(
        reverse("accounts:password"), {"old_password": PASSWORD, "new_password1": weak, "new_password2": weak}
    )
    assert answer.status_code == 200
    world.contact.refresh_from_db()
    assert world.contact.check_password(PASSWORD)


def test_changing_the_password_ends_the_other_sessions_but_not_this_one(world, client_for):
    here, elsewhere = client_for(world.contact), client_for(world.contact)
    new = {"old_password": PASSWORD, "new_password1": "fresh-words-91", "new_password2": "fresh-words-91"}
    here.post(reverse("accounts:password"), new)

    assert here.get(reverse("accounts:password")).status_code == 200
    assert elsewhere.get(reverse("accounts:password")).url.startswith(SIGN_IN)


def lock(client, username="contact"):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        response = sign_in(client, username, "wrong")
    return response


def test_too_many_wrong_passwords_lock_and_the_page_says_until_when(world):
    client = Client()
    response = lock(client)
    assert response.status_code == 429
    assert "约 15 分钟后（10:15）" in response.content.decode()

    world.at("2020-11-18T10:05:00+08:00")
    right = sign_in(client, "contact")
    assert right.status_code == 429
    assert "约 10 分钟后（10:15）" in right.content.decode()

    world.at("2020-11-18T10:15:01+08:00")
    assert sign_in(client, "contact").url == "/"


def test_a_lock_binds_one_name_at_one_address(world):
    lock(Client())
    assert sign_in(Client(), "leader").status_code == 302
    assert sign_in(Client(REMOTE_ADDR="10.9.8.7"), "contact").status_code == 302


def test_the_office_unlocks_from_the_accounts_page(world, client_for):
    office = client_for(world.office)
    page = reverse("accounts:user-detail", args=[world.contact.pk])
    assert "解除锁定" not in office.get(page).content.decode()
    lock(Client())
    assert "解除锁定" in office.get(page).content.decode()

    unlock = reverse("accounts:user-unlock", args=[world.contact.pk])
    assert client_for(world.city_officer).post(unlock).status_code == 403
    office.post(unlock)

    assert sign_in(Client(), "contact").status_code == 302
    assert Event.objects.get(action="account_unlocked").actor == world.office


def test_an_idle_session_ends_and_says_why(world, client_for):
    client = client_for(world.contact)
    page = reverse("accounts:password")
    client.get(page)
    world.at("2020-11-18T10:29:59+08:00")
    assert client.get(page).status_code == 200
    world.at("2020-11-18T10:59:59+08:00")

    response = client.get(page)

    assert response.url == f"{SIGN_IN}?next={page}"
    assert "30 分钟没有操作" in str(next(iter(get_messages(response.wsgi_request))))
    assert client.get(page).status_code == 302


def test_reading_pages_writes_the_session_once_a_minute(world, client_for):
    client = client_for(world.contact)
    page = reverse("accounts:password")
    client.get(page)
    before = Session.objects.get().session_data
    world.at("2020-11-18T10:00:59+08:00")
    client.get(page)
    assert Session.objects.get().session_data == before
    world.at("2020-11-18T10:01:00+08:00")
    client.get(page)
    assert Session.objects.get().session_data != before


def test_a_scripts_request_is_told_and_not_redirected(world):
    for header in ({"HTTP_HX_REQUEST": "true"}, {"HTTP_X_REQUESTED_WITH": "fetch"}):
        response = Client().post(reverse("accounts:password"), **header)
        assert response.status_code == 401
        assert response.json() == {"signed_in": False}


def test_after_a_lost_post_one_comes_back_to_its_page(world):
    url = reverse("accounts:user-unlock", args=[world.contact.pk])
    page = reverse("accounts:user-detail", args=[world.contact.pk])
    assert Client().post(url, HTTP_REFERER=f"http://testserver{page}").url == f"{SIGN_IN}?next={page}"
    assert Client().post(url, HTTP_REFERER="https://evil.example/x").url == SIGN_IN


# --- second factor


@pytest.fixture
def second_factor_on(settings):
    settings.SECOND_FACTOR_REQUIRED = True


def code_for(key, step=0):
    totp = TOTP(bytes.fromhex(key))
    totp.time = clock.real_now().timestamp() + 30 * step
    return f"{totp.token():06d}"


def enrol(client):
    page = reverse("accounts:enrol")
    response = client.get(page)
    assert "data:image/png;base64," in response.content.decode()
    return client.post(page, {"code": code_for(client.session["second_factor_key"])})


@pytest.mark.usefixtures("second_factor_on")
def test_the_office_enrols_then_gives_a_code_at_each_sign_in(world):
    client = Client()
    sign_in(client, "office", next="/accounts/")
    assert client.get("/accounts/").url == reverse("accounts:enrol")
    assert client.post(reverse("accounts:enrol"), {"code": "000000"}).status_code == 200
    assert not TOTPDevice.objects.exists()

    codes = enrol(client).context["codes"]
    assert len(set(codes)) == 10
    assert client.get("/accounts/").status_code == 200
    assert client.get(reverse("accounts:enrol")).url == "/"

    again = Client()
    sign_in(again, "office", next="/accounts/?q=a")
    page = reverse("accounts:second-factor")
    assert again.get("/accounts/").url == page
    key = TOTPDevice.objects.get().key
    assert again.post(page, {"code": code_for(key)}).status_code == 200, "a used code opens nothing"
    world.at("2020-11-18T10:02:00+08:00")
    assert again.post(page, {"code": code_for(key)}).url == "/accounts/?q=a"
    assert again.get("/accounts/").status_code == 200


@pytest.mark.usefixtures("second_factor_on")
def test_a_backup_code_works_once(world):
    client = Client()
    sign_in(client, "city_officer")
    code = enrol(client).context["codes"][0]
    page = reverse("accounts:second-factor")
    for expected in (302, 200):
        other = Client()
        sign_in(other, "city_officer")
        assert other.post(page, {"code": code}).status_code == expected
    assert StaticToken.objects.count() == 9


@pytest.mark.usefixtures("second_factor_on")
def test_wrong_codes_slow_down_the_next_try(world):
    client = Client()
    sign_in(client, "office")
    enrol(client)
    other = Client()
    sign_in(other, "office")
    page = reverse("accounts:second-factor")
    world.at("2020-11-18T10:05:00+08:00")
    other.post(page, {"code": "000000"})
    key = TOTPDevice.objects.get().key
    assert other.post(page, {"code": code_for(key)}).status_code == 200
    world.at("2020-11-18T10:05:05+08:00")
    assert other.post(page, {"code": code_for(key)}).status_code == 302


@pytest.mark.usefixtures("second_factor_on")
def test_the_second_factor_comes_before_the_first_password(world, client_for):
    world.office.must_change_password = True
    world.office.save()
    client = client_for(world.office)
    assert client.get(reverse("accounts:password")).url == reverse("accounts:enrol")
    enrol(client)
    assert client.get("/accounts/").url == reverse("accounts:password")


@pytest.mark.usefixtures("second_factor_on")
def test_schools_are_not_asked_for_it(world, client_for):
    assert client_for(world.contact).get(reverse("accounts:user-list")).status_code == 200


@pytest.mark.usefixtures("second_factor_on")
def test_the_office_resets_anothers_second_factor(world):
    city = Client()
    sign_in(city, "city_officer")
    enrol(city)
    office = Client()
    sign_in(office, "office")
    enrol(office)

    office.post(reverse("accounts:user-reset-second-factor", args=[world.city_officer.pk]))

    assert city.get("/accounts/").url == reverse("accounts:enrol")
    assert Event.objects.get(action="second_factor_reset").actor == world.office


def test_ending_an_account_ends_its_sessions_for_good(world, client_for):
    client = client_for(world.contact)
    at = clock.now()
    services.deactivate(user=world.contact, reason="离职", by=world.office, at=at)
    assert client.get(reverse("accounts:password")).status_code == 302
    assert "账号或密码不正确" in sign_in(Client(), "contact").content.decode()

    world.contact.refresh_from_db()
    password = services.reactivate(user=world.contact, by=world.office, at=at + dt.timedelta(minutes=1))

    assert client.get(reverse("accounts:password")).status_code == 302
    assert sign_in(Client(), "contact", password).status_code == 302
