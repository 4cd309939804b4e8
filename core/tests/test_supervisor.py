"""The supervisor of the embedded mode, with small processes in the place of web, worker and beat."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.management import supervisor
from core.management.supervisor import Child

# Each child notes its process id, then waits; "stubborn" ones do not end when asked.
CHILD = """
import pathlib, signal, sys, time
name, stubborn = sys.argv[1:]
if stubborn == "True":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
with open(f"{name}.pids", "a") as file:
    file.write(f"{__import__('os').getpid()}\\n")
signal.sigtimedwait([], 60)
"""
SUPERVISOR = """
import sys
from core.management import supervisor
from core.management.supervisor import Child, Supervisor
supervisor.FIRST_DELAY = Child.delay = 0.1
child, stubborn = sys.argv[1:]
children = [Child(name, [sys.executable, "-c", child, name, stubborn]) for name in ("first", "second")]
ready = Supervisor(children, say=lambda text: print(text, flush=True), on_ready=lambda: print("ready", flush=True), grace=0.5)
sys.exit(ready.run())
"""


class Run:
    def __init__(self, folder: Path, *, stubborn: bool = False) -> None:
        self.folder = folder
        root = Path(__file__).resolve().parents[2]
        self.process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR, CHILD, str(stubborn)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(root)},
            stdout=subprocess.PIPE,
            text=True,
        )

    def pids(self, name: str) -> list[int]:
        path = self.folder / f"{name}.pids"
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def wait_for_starts(self, name: str, count: int) -> list[int]:
        eventually(lambda: len(self.pids(name)) >= count)
        return self.pids(name)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    runs: list[Run] = []

    def _start(**options: bool) -> Run:
        runs.append(Run(tmp_path, **options))
        return runs[-1]

    yield _start
    for run in runs:
        run.process.kill()
        run.process.communicate()


def eventually(holds: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie waits only for its parent to look.
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_children(start, number):
    run = start()
    pids = run.wait_for_starts("first", 1) + run.wait_for_starts("second", 1)

    run.process.send_signal(number)

    assert run.process.wait(10) == 0
    assert not [pid for pid in pids if is_alive(pid)]


def test_a_child_that_does_not_end_when_asked_is_killed(start):
    run = start(stubborn=True)
    pids = run.wait_for_starts("first", 1) + run.wait_for_starts("second", 1)

    run.process.send_signal(signal.SIGTERM)

    assert run.process.wait(10) == 0
    assert not [pid for pid in pids if is_alive(pid)]


def test_a_child_that_dies_is_started_again_and_the_other_left_alone(start):
    run = start()
    (second,) = run.wait_for_starts("second", 1)
    assert run.process.stdout.readline() == "ready\n"

    os.kill(run.wait_for_starts("first", 1)[0], signal.SIGKILL)

    run.wait_for_starts("first", 2)
    assert "first 已退出" in run.process.stdout.readline()
    assert run.pids("second") == [second]
    assert is_alive(second)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="PR_SET_PDEATHSIG is Linux's")
def test_killing_the_supervisor_leaves_no_orphan(start):
    run = start()
    pids = run.wait_for_starts("first", 1) + run.wait_for_starts("second", 1)

    run.process.kill()

    eventually(lambda: not any(map(is_alive, pids)))


def test_a_child_that_cannot_start_ends_it_all_with_a_message():
    said: list[str] = []
    broken = Child("网站", [sys.executable, "-c", "raise SystemExit(3)"])
    steady = Child("后台任务", [sys.executable, "-c", "import time; time.sleep(60)"])
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        status = supervisor.Supervisor([steady, broken], say=said.append, is_ready=lambda: False).run()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)

    assert status == 1
    assert said == ["网站 未能启动(返回 3),原因见上。"]
    assert not steady.is_running()


def test_the_wait_before_a_restart_doubles_up_to_a_bound():
    child = Child("网站", ["true"])
    child.started_at = time.monotonic()

    waits = [child.plan_restart() for _ in range(7)]

    assert waits == [1, 2, 4, 8, 16, 30, 30]


def test_who_ran_long_is_started_again_at_once():
    child = Child("网站", ["true"], delay=30)
    child.started_at = time.monotonic() - supervisor.STEADY_AFTER - 1

    assert child.plan_restart() == supervisor.FIRST_DELAY
