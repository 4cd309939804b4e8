"""Tokens: made by oneself, shown once, kept hashed; ended by time, by hand, with the account or its password."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.urls import reverse

from accounts import services
from accounts.models import ApiToken
from core import clock
from core.models import ClockOrigin, Event


def make(user, *scopes, by=None, days=30, name="教务系统"):
    return services.create_token(
        user=user,
        name=name,
        scopes=scopes or ["read:reports"],
        days=days,
        by=by or user,
        at=clock.now(),
    )


def test_only_a_hash_is_kept_and_the_beginning_shown(world):
    token, secret = make(world.contact)
    assert secret.startswith("pp_")
    assert len(secret) >= len("pp_") + 43  # 256 bits in base64
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_apitoken")
        row = [str(value) for value in cursor.fetchone()]
    assert not any(secret[9:] in value for value in row)
    assert token.prefix == secret[:9]
    assert services.find_token(secret) == token
    assert services.find_token(secret[:-1]) is None


def test_events_tell_of_making_and_revoking_without_the_secret(world):
    token, secret = make(world.contact, "read:reports", "write:reports")
    services.revoke_token(token=token, by=world.contact, at=clock.now())
    services.revoke_token(token=token, by=world.contact, at=clock.now())
    events = list(Event.objects.about(world.contact).filter(action__startswith="token_"))
    assert [event.action_label for event in events] == ["生成接口令牌", "撤销接口令牌"]
    assert events[0].changes["权限"] == "查看周报、月报与半年总结、提交周报"
    assert secret[9:] not in str([event.changes for event in events])
    assert {event.organization for event in events} == {world.school_org}


@pytest.mark.parametrize("days", [0, -1, 367])
def test_the_length_is_from_one_to_366_days(world, days):
    with pytest.raises(ValidationError) as refused:
        make(world.contact, days=days)
    assert "366" in refused.value.messages[0]


def test_the_longest_is_366_days_to_the_instant(world):
    token, _ = make(world.contact, days=366)
    assert token.expires_at == clock.real_now() + dt.timedelta(days=366)


@pytest.mark.parametrize(
    ("who", "scope"),
    [
        ("leader", "write:reports"),
        ("office", "write:reports"),
        ("finance", "read:reports"),
        ("evaluator_officer", "read:cases"),
        ("expert", "read:organizations"),
        ("learner", "read:periods"),
    ],
)
def test_never_more_than_the_role_may(world, who, scope):
    with pytest.raises(PermissionDenied):
        make(getattr(world, who), scope)
    assert not ApiToken.objects.exists()


def test_nobody_makes_one_for_another(world):
    with pytest.raises(PermissionDenied):
        make(world.contact, by=world.office)


def test_it_ends_with_the_account_and_does_not_come_back(world):
    token, _ = make(world.contact)
    services.deactivate(user=world.contact, reason="离职", by=world.city_officer, at=clock.now())
    token.refresh_from_db()
    assert (token.state_at(clock.real_now()), token.revoked_by) == ("revoked", world.city_officer)
    services.reactivate(user=world.contact, by=world.city_officer, at=clock.now())
    assert not ApiToken.objects.filter(revoked_at=None).exists()


def test_it_ends_when_the_password_is_reset_or_the_work_handed_over(world):
    make(world.contact)
    services.reset_password(user=world.contact, by=world.city_officer, at=clock.now())
    assert not ApiToken.objects.filter(revoked_at=None).exists()
    make(world.other_contact)
    person = {"username": "next.person", "name": "接任"}
    services.hand_over(user=world.other_contact, fields=person, by=world.office, at=clock.now())
    assert not ApiToken.objects.filter(revoked_at=None).exists()


def test_last_use_is_noted_once_a_minute(world, django_assert_num_queries):
    token, _ = make(world.contact)
    first = clock.real_now()
    services.note_use(token)
    token.refresh_from_db()
    assert token.last_used_at == first
    world.at(first + dt.timedelta(seconds=59))
    with django_assert_num_queries(0):
        services.note_use(token)
    world.at(first + dt.timedelta(seconds=60))
    services.note_use(token)
    token.refresh_from_db()
    assert token.last_used_at == first + dt.timedelta(seconds=60)


def test_expiry_keeps_real_time_in_a_demonstration(world):
    ClockOrigin.objects.create(real_at=clock.real_now(), portal_at=clock.real_now() + dt.timedelta(days=400))
    clock.forget_origin()
    token, _ = make(world.contact, days=1)
    assert clock.now() > token.expires_at
    assert token.state_at(clock.real_now()) == "active"


# --- pages


def test_the_secret_is_shown_once_and_never_stored_by_the_browser(world, client_for):
    client = client_for(world.contact)
    fields = {"name": "教务系统", "scopes": ["read:reports", "write:reports"], "days": "90"}
    response = client.post(reverse("accounts:token-new"), fields)
    secret = response.context["secret"]
    assert secret in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    page = client.get(reverse("accounts:token-list")).content.decode()
    assert secret not in page
    assert f"{secret[:9]}…" in page
    assert "查看周报、月报与半年总结、提交周报" in page


def test_a_forged_form_gets_no_more_than_the_role_has(world, client_for):
    fields = {"name": "x", "scopes": ["write:reports"], "days": "90"}
    response = client_for(world.leader).post(reverse("accounts:token-new"), fields)
    assert response.context["form"].errors["scopes"]
    fields = {"name": "x", "scopes": ["read:reports"], "days": "9999"}
    response = client_for(world.leader).post(reverse("accounts:token-new"), fields)
    assert response.context["form"].errors["days"]
    assert not ApiToken.objects.exists()


def test_one_sees_and_revokes_just_ones_own(world, client_for):
    token, _ = make(world.contact, name="只属于联系人")
    address = reverse("accounts:token-revoke", args=[token.pk])
    for stranger in (world.leader, world.office, world.other_contact):
        client = client_for(stranger)
        assert "只属于联系人" not in client.get(reverse("accounts:token-list")).content.decode()
        assert client.post(address).status_code == 404
    client = client_for(world.contact)
    assert "撤销令牌" in client.get(address).content.decode()
    assert not ApiToken.objects.exclude(revoked_at=None).exists()
    assert client.post(address).status_code == 302
    assert "已撤销" in client.get(reverse("accounts:token-list")).content.decode()


def test_a_role_without_scopes_is_told_why(world, client_for):
    response = client_for(world.expert).get(reverse("accounts:token-list"))
    assert response.status_code == 403
    assert "没有可供接口使用的权限" in response.content.decode()


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_asks_no_more_for_more_rows(world, client_for, django_assert_max_num_queries, rows):
    for index in range(rows):
        make(world.contact, name=f"系统{index}")
    client = client_for(world.contact)
    with django_assert_max_num_queries(10):
        client.get(reverse("accounts:token-list"))
