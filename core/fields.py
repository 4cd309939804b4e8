"""Model fields that every app shares."""

import json
from typing import Any

from django.db import models

from core import crypto


class EncryptedTextField(models.TextField):
    """Text kept as AES-256-GCM, bound to its model, field and row; read and written as plain `str`.

    The row's primary key must exist before saving (UUID), as it is part of the associated data.
    Not to be filtered on: keep a `crypto.blind_index` column beside it for that.
    """

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, name, _Decrypting(self))

    def row(self, instance: models.Model) -> str:
        return f"{instance._meta.label_lower}.{self.attname}.{instance.pk}"

    def pre_save(self, instance: models.Model, add: bool) -> Any:
        value = getattr(instance, self.attname)
        return Sealed(crypto.encrypt(self.to_text(value), row=self.row(instance))) if value else ""

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if value and not isinstance(value, Sealed):
            raise ClearText(f"{self.model.__name__}.{self.attname}: save() encrypts, update() does not")
        return super().get_db_prep_save(str(value) if value else value, connection)

    def get_placeholder(self, value: Any, compiler: Any, connection: Any) -> str:
        """What an expression would give is not encrypted either; bulk_update writes through one."""
        if hasattr(value, "resolve_expression"):
            raise ClearText(f"{self.model.__name__}.{self.attname}: save() encrypts, expressions do not")
        return "%s"

    def to_text(self, value: Any) -> str:
        return str(value)

    def from_text(self, text: str) -> Any:
        return text

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name in {"exact", "isnull"}:
            return super().get_lookup(lookup_name)
        return None

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        return Sealed(value) if value else value


class Sealed(str):
    """Ciphertext: as it came from the database, not decrypted until somebody reads the attribute, or as it
    is written. Only this is ever written."""


class ClearText(TypeError):
    """Personal data was about to be written as it is."""


class _Decrypting:
    def __init__(self, field: EncryptedTextField) -> None:
        self.field = field

    def __get__(self, instance: models.Model | None, owner: type) -> Any:
        if instance is None:
            return self
        name = self.field.attname
        if name not in instance.__dict__:
            instance.refresh_from_db(fields=[name])
        value = instance.__dict__[name]
        if isinstance(value, Sealed):
            value = self.field.from_text(crypto.decrypt(value, row=self.field.row(instance)))
            instance.__dict__[name] = value
        return value

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class EncryptedJSONField(EncryptedTextField):
    """A JSON object kept as one encrypted text; None where there is none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"blank": True, "default": None, **kwargs})

    def to_text(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    def from_text(self, text: str) -> Any:
        return json.loads(text)

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        return Sealed(value) if value else None


def masked(value: str, *, head: int = 3, tail: int = 4) -> str:
    """`13812345678` as `138****5678`; short values are hidden whole."""
    if len(value) <= head + tail:
        return "*" * len(value)
    return f"{value[:head]}{'*' * (len(value) - head - tail)}{value[len(value) - tail :]}"
