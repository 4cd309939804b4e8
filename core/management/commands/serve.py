import os
import signal
import socket
import sys
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.management.supervisor import Child, Supervisor

QUEUES = "deadlines,imports,notices"
SLOW_START = 30.0
ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 (shown as 127.0.0.1)
WORKER = f"""-q worker --pool threads --concurrency 4 --queues {QUEUES} --loglevel WARNING
    --without-gossip --without-mingle --without-heartbeat"""
WEB = """--worker-class gthread --workers 2 --threads 4 --no-control-socket
    --timeout 50 --graceful-timeout 10 --log-level warning"""
AS_ROOT = "ignore:You're running the worker with superuser privileges"
BEAT = "-q beat --loglevel WARNING"


class Command(BaseCommand):
    help = "嵌入模式:一条命令运行网站、后台任务和定时任务,按 Ctrl-C 全部结束"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--host", default=os.environ.get("HOST") or "127.0.0.1", help="监听地址(环境变量 HOST)"
        )
        parser.add_argument("--port", default=os.environ.get("PORT") or "8000", help="端口(环境变量 PORT)")
        parser.add_argument("--with-parent", action="store_true", help="启动本命令的进程结束时,一同结束")

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], _port(options["port"])
        _refuse_taken(host, port)
        call_command("collectstatic", interactive=False, verbosity=0)
        address = f"http://{'127.0.0.1' if host in ANY_ADDRESS else host}:{port}"
        supervisor = Supervisor(
            children=_children(host, port),
            say=self._say,
            is_ready=_Readiness(address, self._say),
            on_ready=lambda: self._say(f"已就绪:{address}/  (按 Ctrl-C 结束)"),
            with_parent=options["with_parent"],
        )
        if status := supervisor.run():
            sys.exit(status)
        self._say("已全部结束。")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _children(host: str, port: int) -> list[Child]:
    """Ended from the last to the first: no new work, no new requests, then the work at hand."""
    module, _, attribute = settings.WSGI_APPLICATION.rpartition(".")
    celery = [
        sys.executable,
        "-W",
        AS_ROOT,
        "-m",
        "celery",
        "-A",
        settings.SETTINGS_MODULE.rpartition(".")[0],
    ]
    gunicorn = [sys.executable, "-m", "gunicorn", f"{module}:{attribute}", "--bind", f"{host}:{port}"]
    schedule = str(Path(settings.DATA_DIR) / f"beat-schedule-{port}")
    return [
        # Its warm shutdown would last as long as its longest job; a job that is killed is taken up again.
        Child("后台任务", [*celery, *WORKER.split()], on_orphan=signal.SIGKILL),
        Child("网站", [*gunicorn, *WEB.split()]),
        Child("定时任务", [*celery, *BEAT.split(), "--schedule", schedule, "--pidfile", ""]),
    ]


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise CommandError(f"端口应为 1 至 65535 的整数,现为“{text}”。")
    return int(text)


def _refuse_taken(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"不能使用 {host}:{port}({error.strerror})。请结束占用它的程序,或换一个端口:PORT={port + 1} make run"
            ) from error


class _Readiness:
    """Asks /healthz; after SLOW_START seconds says once what it hears."""

    def __init__(self, address: str, say: Any) -> None:
        self.address = address.removeprefix("http://")
        self.say = say
        self.speaks_at: float | None = time.monotonic() + SLOW_START

    def __call__(self) -> bool:
        heard = self._ask()
        if isinstance(heard, int) and heard < 400:
            return True
        if self.speaks_at and time.monotonic() > self.speaks_at:
            self.say(f"网站尚未就绪,继续等待(/healthz:{heard})。")
            self.speaks_at = None
        return False

    def _ask(self) -> int | str:
        connection = HTTPConnection(self.address, timeout=2)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status
        except (OSError, HTTPException) as error:
            return str(error)
        finally:
            connection.close()
