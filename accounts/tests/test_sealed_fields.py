"""Encrypted fields: nothing is written in clear, a value belongs to its row."""

import pytest
from django.db import connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Concat

from accounts.models import User
from core import crypto
from core.fields import ClearText, Sealed

MOBILE = "13812345678"


def stored(user):
    with connection.cursor() as cursor:
        cursor.execute("SELECT mobile FROM accounts_user WHERE username = %s", [user.username])
        return cursor.fetchone()[0]


def test_saving_encrypts_and_reading_gives_it_back(world):
    world.contact.mobile = MOBILE
    world.contact.save()
    assert MOBILE not in stored(world.contact)
    assert User.objects.get(pk=world.contact.pk).mobile == MOBILE
    again = User.objects.get(pk=world.contact.pk)
    again.save()
    assert User.objects.get(pk=world.contact.pk).mobile == MOBILE


def test_bulk_create_encrypts(world):
    users = [world.new_user("learner", None, f"bulk{n}", mobile=MOBILE) for n in range(2)]
    User.objects.bulk_create(users)
    assert all(MOBILE not in stored(user) for user in users)
    assert {user.mobile for user in User.objects.filter(username__startswith="bulk")} == {MOBILE}


@pytest.mark.parametrize("value", [MOBILE, F("name"), Value(MOBILE), Concat("name", Value(MOBILE))])
def test_an_update_that_would_write_it_in_clear_is_refused(world, value):
    with pytest.raises(ClearText), transaction.atomic():
        User.objects.filter(pk=world.contact.pk).update(mobile=value)
    assert stored(world.contact) == ""


def test_bulk_update_is_refused_and_emptying_is_not(world):
    world.contact.mobile = MOBILE
    with pytest.raises(ClearText), transaction.atomic():
        User.objects.bulk_update([world.contact], ["mobile"])
    world.contact.save()
    User.objects.filter(pk=world.contact.pk).update(mobile="")
    assert stored(world.contact) == ""


def test_a_value_copied_to_another_row_does_not_open(world):
    world.contact.mobile = MOBILE
    world.contact.save()
    User.objects.filter(pk=world.leader.pk).update(mobile=Sealed(stored(world.contact)))
    with pytest.raises(crypto.DecryptionFailed):
        _ = User.objects.get(pk=world.leader.pk).mobile
