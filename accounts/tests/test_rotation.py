"""New keys: everything is encrypted anew, may be interrupted, and the old key may go."""

import io

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from accounts.models import User
from core import attachments, clock, crypto, rotation
from core.fields import Sealed
from core.models import Attachment
from core.tests.test_attachments import pdf, upload

OLD, NEW = {"1": "the-old-secret"}, {"2": "the-new-secret"}


def rotate(**options):
    said = io.StringIO()
    call_command("rotate_keys", stdout=said, stderr=said, **options)
    return said.getvalue()


@pytest.fixture
def under_the_old_key(world, settings):
    settings.FIELD_KEYS = OLD
    for name in ("contact", "leader", "office"):
        user = getattr(world, name)
        user.mobile = "13812345678"
        user.save()
    world.filing.draft = {"id_number": "140105198503171245"}
    world.filing.save(update_fields=["draft"])
    kept = attachments.attach(
        target=world.obligation, upload=upload("a.pdf", pdf()), by=world.contact, at=clock.now()
    )
    # The world's own version was written under the key of the settings before.
    version = world.filing.current
    token = crypto.encrypt('{"a": 1}', row=f"evaluators.evaluatorfilingversion.content.{version.pk}")
    type(version)._base_manager.filter(pk=version.pk).update(content=Sealed(token))
    settings.FIELD_KEYS = NEW | OLD
    return kept


def test_everything_reads_without_the_old_key_afterwards(world, under_the_old_key, settings):
    assert "密钥 1：" in rotate(check=True)
    said = rotate()
    assert "accounts.User.mobile：共 3，改用新密钥 3" in said
    assert "附件文件：共 1，改用新密钥 1" in said
    assert "旧密钥可以移除" in said
    assert set(rotation.keys_in_use()) == {"2"}
    settings.FIELD_KEYS = NEW
    assert User.objects.get(pk=world.contact.pk).mobile == "13812345678"
    filing = type(world.filing).objects.select_related("current").get(pk=world.filing.pk)
    assert filing.draft == {"id_number": "140105198503171245"}
    assert filing.current.content == {"a": 1}
    assert attachments.content_of(Attachment.objects.get()) == pdf()
    assert "改用新密钥 0" in rotate()


def test_it_takes_up_where_it_was_stopped(world, under_the_old_key, monkeypatch):
    monkeypatch.setattr(rotation, "BATCH", 1)

    def stop(name, done, total):
        if name.startswith("accounts.User") and done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(rotation.rotate(stop))
    assert {crypto.key_of(v) for v in User.objects.exclude(mobile="").values_list("mobile", flat=True)} == {
        "1",
        "2",
    }
    assert "accounts.User.mobile：共 3，改用新密钥 1" in rotate()


def test_what_was_written_meanwhile_is_not_overwritten(world, under_the_old_key):
    stale = User.objects.values_list("mobile", flat=True).get(pk=world.contact.pk)
    world.contact.mobile = "13987654321"
    world.contact.save()
    field = User._meta.get_field("mobile")
    assert rotation._renew(User, field, world.contact.pk, str(stale)) is False
    assert User.objects.get(pk=world.contact.pk).mobile == "13987654321"


def test_it_says_what_it_cannot_read_and_does_not_let_the_key_go(world, under_the_old_key, settings):
    settings.FIELD_KEYS = NEW
    with pytest.raises(CommandError, match="不要移除旧密钥"):
        rotate()


@tries(max_examples=15)
@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40), max_size=4
    )
)
def test_any_text_survives_any_change_of_keys(world, settings, texts):
    settings.FIELD_KEYS = OLD
    User.objects.update(mobile="")
    people = [world.contact, world.leader, world.office, world.finance]
    for user, text in zip(people, texts, strict=False):
        user.mobile = text
        user.save()
    settings.FIELD_KEYS = NEW | OLD
    field = User._meta.get_field("mobile")
    count = rotation._rotate_field(User, field, lambda name, done, total: None)
    assert count.renewed == sum(bool(text) for text in texts)
    settings.FIELD_KEYS = NEW
    for user, text in zip(people, texts, strict=False):
        assert User.objects.get(pk=user.pk).mobile == text
