"""`make run` as a whole: it starts, mends itself, ends, and starts again with its data."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

pytestmark = [
    pytest.mark.embedded,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc"),
]
FIRST_START = 300.0
LATER_START = 180.0  # seconds on a quiet machine; this is no measure of speed


class Portal:
    def __init__(self, data: Path, port: int) -> None:
        self.data = data
        self.address = f"http://127.0.0.1:{port}"
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("DJANGO_", "MAKE", "MFLAGS", "PYTEST_"))
        }
        self.log = data / "make-run.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                ["make", "run"],
                cwd=settings.BASE_DIR,
                env={**inherited, "DATA_DIR": str(data), "PORT": str(port)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_until_ready(self, seconds: float) -> None:
        ready = f"已就绪:{self.address}/"
        self.eventually(lambda: ready in self.said() or self.process.poll() is not None, seconds)
        assert ready in self.said(), self.said()

    def eventually(self, holds: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.1)

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(self.address + path, timeout=10) as response:
                return response.status, response.read().decode()
        except OSError as error:
            return getattr(error, "code", 0), str(error)

    def processes(self, *words: str) -> list[int]:
        """Ids of the running processes of this portal whose command holds all of `words`."""
        mine = f"DATA_DIR={self.data}".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_bytes().decode(errors="replace")
                if mine in (folder / "environ").read_bytes().split(b"\0") and all(
                    word in command for word in words
                ):
                    found.append(int(folder.name))
            except OSError:
                continue
        return found

    def interrupt(self) -> int:
        """What a terminal does on Ctrl-C: the signal goes to the whole foreground group."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Portal]]:
    portals: list[Portal] = []
    port = free_port()

    def _start() -> Portal:
        portals.append(Portal(tmp_path, port))
        return portals[-1]

    yield _start
    for portal in portals:
        for pid in portal.processes():
            os.kill(pid, signal.SIGKILL)
        portal.process.wait()


def test_the_whole_life_of_make_run(start):
    portal = start()
    portal.wait_until_ready(FIRST_START)
    assert portal.get("/healthz")[0] == 200
    status, page = portal.get("/")
    assert status == 200
    styles = re.findall(r'href="(/static/[^"]+\.css)"', page)
    assert styles
    assert {portal.get(path)[0] for path in styles} == {200}

    # A second one on the same port is refused in plain words.
    second = subprocess.run(
        [sys.executable, "manage.py", "serve", "--port", portal.address.rpartition(":")[2]],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATA_DIR": str(portal.data)},
        capture_output=True,
        text=True,
    )
    assert second.returncode == 1
    assert "换一个端口" in second.stderr
    assert "Traceback" not in second.stderr

    # Whatever dies is started again.
    for words in (["celery", "worker"], ["celery", "beat"], ["gunicorn"]):
        before = portal.processes(*words)
        assert before, portal.said()
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        portal.eventually(lambda: bool(set(portal.processes(*words)) - set(before)), 30)  # noqa: B023
    portal.eventually(lambda: portal.get("/healthz")[0] == 200, 30)

    # Ctrl-C ends all of it.
    assert portal.interrupt() in (0, 130, -signal.SIGINT)
    assert portal.processes() == []

    # It starts again in seconds, with the data of before, and may be killed outright.
    database = portal.data / "db.sqlite3"
    before = database.stat().st_ino
    portal = start()
    portal.wait_until_ready(LATER_START)
    assert database.stat().st_ino == before
    os.kill(portal.process.pid, signal.SIGKILL)
    portal.eventually(lambda: portal.processes() == [], 30)
