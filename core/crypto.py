"""Encryption of personal data at rest, and blind indexes to find it again.

AES-256-GCM with the key's id and the row as associated data, so that a value copied to another row
does not decrypt. HMAC-SHA256 under a separate key, because a plain hash of a phone or ID number can
be guessed from the short list of possible numbers.

Files are sealed in chunks, each under a key of the file's own, derived from the field key and a random
salt. The nonce counts the chunks and marks the last one: none can be changed, moved, dropped or added.
"""

import base64
import functools
import hashlib
import hmac
import os
from collections.abc import Iterable, Iterator
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class DecryptionFailed(ValueError):
    """The text was not made for this row, or its key is not in FIELD_KEYS."""


CHUNK = 64 * 1024
_TAG = 16
_SALT = 32
_FILE_MARK = b"1XF1"


def newest_key() -> str:
    """The id of the key that encrypts."""
    return next(iter(settings.FIELD_KEYS))


@functools.lru_cache(maxsize=16)
def _cipher(secret: str) -> AESGCM:
    return AESGCM(hashlib.sha256(secret.encode()).digest())


def encrypt(plain: str, *, row: str) -> str:
    """`key_id.base64(nonce + ciphertext)` of `plain`, bound to `row` (model label, field and primary key)."""
    key_id = newest_key()
    nonce = os.urandom(12)
    sealed = _cipher(settings.FIELD_KEYS[key_id]).encrypt(nonce, plain.encode(), f"{key_id}|{row}".encode())
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


def key_of(token: str) -> str:
    """The id of the key that `token` was encrypted with."""
    return token.partition(".")[0]


def _file_cipher(key_id: str, salt: bytes) -> AESGCM:
    """Raises KeyError: the key is not in FIELD_KEYS."""
    derive = HKDF(hashes.SHA256(), 32, salt, b"file")
    return AESGCM(derive.derive(hashlib.sha256(settings.FIELD_KEYS[key_id].encode()).digest()))


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if is_last else b"\x00")


def _pieces(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """`chunks` cut anew into CHUNK bytes, each with whether it is the last; at least one."""
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        while len(waiting) > CHUNK:
            yield bytes(waiting[:CHUNK]), False
            del waiting[:CHUNK]
    yield bytes(waiting), True


def seal_file(chunks: Iterable[bytes], *, row: str) -> Iterator[bytes]:
    """The encrypted file, bound to `row`: mark, key id with its length before it, salt, sealed chunks."""
    key_id, salt = newest_key(), os.urandom(_SALT)
    cipher, bound = _file_cipher(key_id, salt), f"{key_id}|{row}".encode()
    name = key_id.encode()
    yield _FILE_MARK + bytes([len(name)]) + name + salt
    for number, (piece, is_last) in enumerate(_pieces(chunks)):
        yield cipher.encrypt(_nonce(number, is_last=is_last), piece, bound)


def file_key(file: IO[bytes]) -> str | None:
    """The id of the key of a sealed file, read from its start; None for one that was never sealed."""
    if file.read(len(_FILE_MARK)) != _FILE_MARK:
        return None
    return file.read(file.read(1)[0]).decode()


def open_file(file: IO[bytes], *, row: str) -> Iterator[bytes]:
    """The plain chunks of a sealed file; nothing is given that was not verified. Raises DecryptionFailed."""
    try:
        key_id = file_key(file)
        if key_id is None:
            raise DecryptionFailed(row)
        cipher, bound = _file_cipher(key_id, file.read(_SALT)), f"{key_id}|{row}".encode()
        number, piece = 0, file.read(CHUNK + _TAG)
        while True:
            following = file.read(CHUNK + _TAG)
            yield cipher.decrypt(_nonce(number, is_last=not following), piece, bound)
            if not following:
                return
            number, piece = number + 1, following
    except (KeyError, InvalidTag, IndexError, UnicodeDecodeError, ValueError) as error:
        raise DecryptionFailed(row) from error


def blind_index(plain: str) -> str:
    """64 hex digits by which an encrypted value can be found, not read."""
    return hmac.new(settings.BLIND_INDEX_KEY.encode(), plain.strip().encode(), hashlib.sha256).hexdigest()
