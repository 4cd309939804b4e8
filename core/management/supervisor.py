"""Runs several processes as one: restarts what dies, ends all together, leaves no orphan behind."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

TICK = 0.2
FIRST_DELAY = 1.0
LONGEST_DELAY = 30.0
STEADY_AFTER = 60.0  # who ran this long starts again from FIRST_DELAY
PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """One process, in a session of its own, so that Ctrl-C reaches the supervisor alone.

    `on_orphan` is what the kernel sends it when the supervisor itself is killed (Linux only).
    """

    name: str
    command: Sequence[str]
    on_orphan: signal.Signals = signal.SIGTERM
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    due_at: float = 0.0
    delay: float = FIRST_DELAY

    def start(self) -> None:
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_die_with_parent(self.on_orphan),
        )

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def plan_restart(self) -> float:
        """Seconds until the next start: longer each time that it dies soon."""
        if time.monotonic() - self.started_at > STEADY_AFTER:
            self.delay = FIRST_DELAY
        wait, self.delay = self.delay, min(self.delay * 2, LONGEST_DELAY)
        self.due_at = time.monotonic() + wait
        self.process = None
        return wait

    def signal_group(self, number: signal.Signals) -> None:
        # The group outlives its leader as long as a grandchild does.
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)


@dataclass
class Supervisor:
    """`run()` returns the exit status once every child has ended."""

    children: Sequence[Child]
    say: Callable[[str], None]
    is_ready: Callable[[], bool] = lambda: True
    on_ready: Callable[[], None] = lambda: None
    grace: float = 20.0
    with_parent: bool = False
    _stopping: bool = field(default=False, init=False)
    _interrupts: int = field(default=0, init=False)
    _ready: bool = field(default=False, init=False)

    def run(self) -> int:
        parent = os.getppid()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # ignored: started by nohup
            signal.signal(signal.SIGHUP, self._on_signal)
        status = 0
        try:
            for child in self.children:
                child.start()
            while not self._stopping:
                if self.with_parent and os.getppid() != parent:
                    break
                if not self._watch():
                    status = 1
                    break
                time.sleep(TICK)
        finally:
            self._stop_all()
        return status

    def _on_signal(self, number: int, frame: object) -> None:
        self._stopping = True
        self._interrupts += number == signal.SIGINT

    def _watch(self) -> bool:
        """One look at everything; False if a child died before all was ready for the first time."""
        for child in self.children:
            if child.process is None:
                if time.monotonic() >= child.due_at:
                    child.start()
            elif not child.is_running():
                code = child.process.returncode
                if not self._ready:
                    self.say(f"{child.name} 未能启动(返回 {code}),原因见上。")
                    return False
                child.signal_group(signal.SIGKILL)
                self.say(f"{child.name} 已退出(返回 {code}),{child.plan_restart():.0f} 秒后重启。")
        if not self._ready and self.is_ready():
            self._ready = True
            self.on_ready()
        return True

    def _stop_all(self) -> None:
        """Ask each in turn, last started first; a second Ctrl-C or the end of the grace kills."""
        deadline = time.monotonic() + self.grace
        for child in reversed(self.children):
            child.signal_group(signal.SIGTERM)
            while child.is_running() and time.monotonic() < deadline and self._interrupts < 2:
                time.sleep(TICK / 4)
        for child in self.children:
            child.signal_group(signal.SIGKILL)
            if child.process is not None:
                child.process.wait()


def _die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def ask_kernel() -> None:
        libc.prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # it died before the call
            os._exit(1)

    return ask_kernel
