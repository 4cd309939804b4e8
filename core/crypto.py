"""Encryption of personal data at rest, and blind indexes to find it again.

AES-256-GCM with the key's id and the row as associated data, so that a value copied to another row
does not decrypt. HMAC-SHA256 under a separate key, because a plain hash of a phone or ID number can
be guessed from the short list of possible numbers.
"""

import base64
import functools
import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings


class DecryptionFailed(ValueError):
    """The text was not made for this row, or its key is not in FIELD_KEYS."""


@functools.lru_cache(maxsize=16)
def _cipher(secret: str) -> AESGCM:
    return AESGCM(hashlib.sha256(secret.encode()).digest())


def encrypt(plain: str, *, row: str) -> str:
    """`key_id.base64(nonce + ciphertext)` of `plain`, bound to `row` (model label, field and primary key)."""
    key_id, secret = next(iter(settings.FIELD_KEYS.items()))
    nonce = os.urandom(12)
    sealed = _cipher(secret).encrypt(nonce, plain.encode(), f"{key_id}|{row}".encode())
    return f"{key_id}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"


def decrypt(token: str, *, row: str) -> str:
    """The plain text of `token`. Raises DecryptionFailed."""
    key_id, _, body = token.partition(".")
    try:
        raw = base64.urlsafe_b64decode(body)
        plain = _cipher(settings.FIELD_KEYS[key_id]).decrypt(raw[:12], raw[12:], f"{key_id}|{row}".encode())
    except (KeyError, InvalidTag, ValueError) as error:
        raise DecryptionFailed(row) from error
    return plain.decode()


def blind_index(plain: str) -> str:
    """64 hex digits by which an encrypted value can be found, not read."""
    return hmac.new(settings.BLIND_INDEX_KEY.encode(), plain.strip().encode(), hashlib.sha256).hexdigest()
