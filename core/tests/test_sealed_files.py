"""Files on the disk: unreadable, bound to their attachment, whole or not at all."""

import io
import os

import pytest
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from core import attachments, clock, crypto
from core.models import Attachment, Event
from core.tasks import clear_files
from core.tests.test_attachments import pdf, upload

SIZES = st.sampled_from(
    [0, 1, crypto.CHUNK - 1, crypto.CHUNK, crypto.CHUNK + 1, 2 * crypto.CHUNK, 3 * crypto.CHUNK + 7]
)


def sealed(content, row="a"):
    return b"".join(crypto.seal_file([content], row=row))


def opened(stored, row="a"):
    return b"".join(crypto.open_file(io.BytesIO(stored), row=row))


@given(SIZES, st.integers(1, 100_000))
def test_any_size_in_any_pieces_comes_back(size, piece):
    content = bytes(n % 251 for n in range(size))
    pieces = [content[at : at + piece] for at in range(0, size, max(piece, 997))]
    if piece < 997:
        pieces = [content]
    assert (
        opened(b"".join(crypto.seal_file(pieces if b"".join(pieces) == content else [content], row="a")))
        == content
    )


@given(SIZES, st.data())
def test_whatever_is_changed_cut_or_added_is_noticed(size, data):
    stored = sealed(b"x" * size)
    at = data.draw(st.integers(0, len(stored) - 1))
    changed = stored[:at] + bytes([stored[at] ^ 1]) + stored[at + 1 :]
    for wrong in (changed, stored[:at], stored + b"y"):
        with pytest.raises(crypto.DecryptionFailed):
            opened(wrong)


def test_chunks_cannot_be_dropped_or_swapped_and_a_file_belongs_to_its_row():
    stored = sealed(b"x" * (3 * crypto.CHUNK))
    whole = crypto.CHUNK + 16
    head = len(stored) - 3 * whole
    first, second, last = (stored[head + n * whole : head + (n + 1) * whole] for n in range(3))
    for order in ([first, last], [second, first, last], [first, second]):
        with pytest.raises(crypto.DecryptionFailed):
            opened(stored[:head] + b"".join(order))
    with pytest.raises(crypto.DecryptionFailed):
        opened(stored, row="b")


def keep(world, content):
    return attachments.attach(
        target=world.obligation, upload=upload("证明.pdf", content), by=world.contact, at=clock.now()
    )


def on_disk(kept):
    with kept.file.storage.open(kept.file.name) as file:
        return file.read()


def test_an_attachment_is_unreadable_on_the_disk_and_whole_when_asked_for(world, client_for):
    content = pdf() + b"\n% " + b"14010519850317" * 20_000 + b"\nstartxref\n%%EOF"
    kept = keep(world, content)
    assert b"14010519850317" not in on_disk(kept)
    assert not on_disk(kept).startswith(b"%PDF")
    response = client_for(world.contact).get(f"/files/{kept.pk}/")
    assert b"".join(response.streaming_content) == content
    assert response["Content-Length"] == str(len(content)) == str(kept.size)


def test_a_file_put_in_anothers_place_is_not_given_out(world, client_for):
    one, other = keep(world, pdf()), keep(world, pdf() + b"\n%%EOF")
    Attachment.objects.filter(pk=one.pk).update(file=other.file.name)
    with pytest.raises(crypto.DecryptionFailed):
        client_for(world.contact).get(f"/files/{one.pk}/")


def test_a_file_kept_before_files_were_encrypted_is_read_and_then_sealed(world, client_for):
    kept = keep(world, pdf())
    storage = kept.file.storage
    storage.delete(kept.file.name)
    storage.save(kept.file.name, io.BytesIO(pdf()))
    assert attachments.content_of(kept) == pdf()
    before = Attachment.objects.get(pk=kept.pk)
    assert attachments.reseal(kept)
    fresh = Attachment.objects.get(pk=kept.pk)
    assert fresh.file.name != before.file.name
    assert not storage.exists(before.file.name)
    assert attachments.content_of(fresh) == pdf()
    # Whoever had read the row before finds the file all the same.
    assert attachments.content_of(before) == pdf()
    assert not attachments.reseal(fresh)


def names_on_disk():
    return {name for _, names in attachments._folders(attachments.FOLDER) for name in names}


def aged(name, age):
    then = (clock.real_now() - age).timestamp()
    os.utime(default_storage.path(name), (then, then))


def test_a_file_whose_row_was_rolled_back_goes_after_a_day(world):
    kept = keep(world, pdf())
    with transaction.atomic():
        undone = keep(world, pdf())
        transaction.set_rollback(True)
    assert len(names_on_disk()) == 2
    # Younger than a day, its transaction may still run.
    assert attachments.discard_loose(at=clock.real_now()) == 0
    for one in (kept, undone):
        aged(one.file.name, attachments.LOOSE_AFTER * 1.01)
    clear_files()
    assert names_on_disk() == {os.path.basename(kept.file.name)}
    assert attachments.content_of(kept) == pdf()
    event = Event.objects.get(action="loose_files_deleted")
    assert (event.actor_label, event.changes, event.at) == ("平台定时任务", {"文件": 1}, clock.now())


def loose(count):
    """Files of long ago that no row names."""
    for number in range(count):
        name = f"{attachments.FOLDER}/2019/01/{number}.bin"
        default_storage.save(name, io.BytesIO(b"x"))
        aged(name, attachments.LOOSE_AFTER * 2)


def test_a_database_that_names_no_file_at_all_deletes_none(world, caplog):
    loose(1)
    clear_files()
    assert names_on_disk() == {"0.bin"}
    [told] = caplog.records
    assert (told.levelname, told.args) == ("ERROR", (1, 1))
    assert not Event.objects.filter(action="loose_files_deleted").exists()
    keep(world, pdf())
    assert attachments.discard_loose(at=clock.real_now()) == 1


@pytest.mark.parametrize(("count", "others", "gone"), [(10, 1, 10), (11, 1, 0), (11, 208, 0), (11, 209, 11)])
def test_more_loose_files_than_a_small_share_are_all_left(world, caplog, monkeypatch, count, others, gone):
    keep(world, pdf())
    loose(count)
    there = list(attachments._folders(attachments.FOLDER))
    young = ("attachments/2020", [f"{number}.bin" for number in range(others - 1)])
    monkeypatch.setattr(attachments, "_folders", lambda folder: [*there, young])
    assert attachments.discard_loose(at=clock.real_now()) == gone
    assert bool(caplog.records) == (not gone)
    assert len(default_storage.listdir(f"{attachments.FOLDER}/2019/01")[1]) == count - gone


def test_only_folders_with_old_files_ask_for_their_names(world, monkeypatch):
    """And a large folder asks piece by piece."""
    old = [keep(world, pdf()) for _ in range(3)]
    loose(2)
    for kept in old:
        aged(kept.file.name, attachments.LOOSE_AFTER * 2)
    monkeypatch.setattr(attachments, "ASKED_AT_ONCE", 2)
    with CaptureQueriesContext(connection) as queries:
        attachments.discard_loose(at=clock.real_now())
    asked = [q["sql"] for q in queries if '"core_attachment"."file" IN' in q["sql"]]
    assert len(asked) == 3
    assert not any("LIKE" in q["sql"] for q in queries)
    assert {str(kept.file.name).rsplit("/", 1)[1] for kept in old} == names_on_disk()


def test_where_nothing_was_ever_handed_in_there_is_nothing_to_clear(world):
    assert attachments.discard_loose(at=clock.real_now()) == 0


def test_a_file_that_goes_while_the_folder_is_read_is_no_fault(world, monkeypatch):
    monkeypatch.setattr(attachments, "_folders", lambda folder: [(folder, ["gone.bin"])])
    assert attachments.discard_loose(at=clock.real_now()) == 0
