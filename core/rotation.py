"""Encrypting anew with the first key of FIELD_KEYS: every encrypted field of every model, every stored file.

Row by row, and only if the stored value is still the one that was read: it may run beside the portal, may
be stopped at any time and run again, and does nothing to what carries the newest key already.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from django.apps import apps
from django.db import models

from core import attachments, crypto
from core.fields import EncryptedTextField, Sealed
from core.models import Attachment

BATCH = 200


class Fault(NamedTuple):
    """What could not be read, and so was left as it is."""

    where: str
    key: str


class Count(NamedTuple):
    """Of one field, or of the files: how many there are, how many were encrypted anew, what is left."""

    name: str
    total: int
    renewed: int
    faults: list[Fault]


Progress = Callable[[str, int, int], None]


def encrypted_fields() -> list[tuple[type[models.Model], EncryptedTextField]]:
    return [
        (model, field)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, EncryptedTextField)
    ]


def rotate(progress: Progress = lambda name, done, total: None) -> Iterator[Count]:
    """Field after field, then the files; `progress(name, done, total)` after each batch."""
    for model, field in encrypted_fields():
        yield _rotate_field(model, field, progress)
    yield _rotate_files(progress)


def keys_in_use() -> Counter[str]:
    """How many values and files are under each key: a key that is not named may be removed. A file that
    was never encrypted counts under ""."""
    used: Counter[str] = Counter()
    for model, field in encrypted_fields():
        values = model._base_manager.exclude(**{field.attname: None}).values_list(field.attname, flat=True)
        used.update(crypto.key_of(value) for value in values.iterator(BATCH) if value)
    for attachment in Attachment.objects.iterator(BATCH):
        try:
            used[attachments.key_of(attachment) or ""] += 1
        except FileNotFoundError:
            continue
    return used


def _rotate_field(model: type[models.Model], field: EncryptedTextField, progress: Progress) -> Count:
    name = f"{model._meta.label}.{field.attname}"
    rows = model._base_manager.exclude(**{field.attname: None}).exclude(**{field.attname: ""})
    total, renewed, faults = rows.count(), 0, []
    stored_values = _in_batches(rows.order_by("pk").values_list("pk", field.attname))
    for done, (pk, stored) in enumerate(stored_values, 1):
        if crypto.key_of(stored) != crypto.newest_key():
            try:
                renewed += _renew(model, field, pk, str(stored))
            except crypto.DecryptionFailed:
                faults.append(Fault(f"{name} {pk}", crypto.key_of(stored)))
        if done % BATCH == 0:
            progress(name, done, total)
    return Count(name, total, renewed, faults)


def _in_batches(rows: Any) -> Iterator[Any]:
    """By key from the last one seen: no cursor stays open while others write."""
    last: Any = None
    while True:
        batch = list((rows if last is None else rows.filter(pk__gt=last))[:BATCH])
        yield from batch
        if len(batch) < BATCH:
            return
        last = batch[-1][0]


def _renew(model: type[models.Model], field: EncryptedTextField, pk: Any, stored: str) -> bool:
    """False where somebody wrote another value meanwhile, under the newest key."""
    row = field.row(model(pk=pk))
    fresh = Sealed(crypto.encrypt(crypto.decrypt(stored, row=row), row=row))
    same = model._base_manager.filter(pk=pk, **{field.attname: stored})
    return bool(same.update(**{field.attname: fresh}))


def _rotate_files(progress: Progress) -> Count:
    name, renewed, faults = "附件文件", 0, []
    rows: Iterable[tuple[Any]] = Attachment.objects.order_by("pk").values_list("pk")
    total = Attachment.objects.count()
    for done, (pk,) in enumerate(_in_batches(rows), 1):
        attachment = Attachment.objects.filter(pk=pk).first()
        try:
            renewed += attachment is not None and attachments.reseal(attachment)
        except (FileNotFoundError, crypto.DecryptionFailed, ValueError) as error:
            faults.append(Fault(f"{name} {pk}", type(error).__name__))
        if done % BATCH == 0:
            progress(name, done, total)
    return Count(name, total, renewed, faults)
