"""The portal under gunicorn as `manage.py serve` runs it, and people who are signed in to it."""

import gzip
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlencode

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from accounts.models import User
from core.management.commands.serve import WEB

STARTS_WITHIN = 60.0
BACKEND = "django.contrib.auth.backends.ModelBackend"


@contextmanager
def running() -> Iterator[int]:
    """Gunicorn with the product's own options on a free port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "benchmarks.wsgi:application", "--bind", f"127.0.0.1:{port}"]
    process = subprocess.Popen([*command, *WEB.split()])
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(port: int) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status < 400:
                return
        except (OSError, HTTPException):
            time.sleep(0.1)
        finally:
            connection.close()
    raise RuntimeError("the server did not start")


class Person:
    """One signed-in user with one kept connection. The session is made here: signing in costs a password
    hash, which is slow on purpose and no part of any claim."""

    def __init__(self, user: User, port: int) -> None:
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = BACKEND
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session["last_active"] = int(time.time())
        session.create()
        self.token = secrets.token_hex(16)
        self.headers = {"Cookie": f"sessionid={session.session_key}; csrftoken={self.token}"}
        self.connection = HTTPConnection("127.0.0.1", port, timeout=60)

    def get(self, path: str) -> str:
        return self._read("GET", path, None, 200)[1]

    def post(self, path: str, fields: dict[str, str]) -> str:
        """Sends a form; the address that the answer leads to."""
        return self._read("POST", path, urlencode(fields | {"csrfmiddlewaretoken": self.token}), 302)[0]

    def _read(self, method: str, path: str, body: str | None, expected: int) -> tuple[str, str]:
        headers = dict(self.headers)
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            self.connection.request(method, path, body, headers)
            response = self.connection.getresponse()
        except (HTTPException, ConnectionError):
            # A kept connection may be closed by the server between two requests, as any browser knows.
            self.connection.close()
            self.connection.request(method, path, body, headers)
            response = self.connection.getresponse()
        text = response.read().decode()
        if response.status != expected:
            raise RuntimeError(f"{method} {path}: {response.status} {text[:300]}")
        return response.headers.get("Location", ""), text

    def close(self) -> None:
        self.connection.close()


def compressed(text: str) -> int:
    """Bytes as a web server sends them (gzip, level 6)."""
    return len(gzip.compress(text.encode(), 6))
