import socket
from unittest.mock import Mock

import pytest
from django.core.management import CommandError, call_command

from core.management.commands import serve


@pytest.mark.parametrize("port", ["abc", "0", "65536", "-1", "80.5"])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(CommandError, match="端口应为 1 至 65535"):
        call_command("serve", port=port)


def test_a_taken_port_is_refused_and_another_one_proposed():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(CommandError, match=f"PORT={port + 1} make run"):
            call_command("serve", port=str(port))


@pytest.mark.parametrize(
    ("heard", "ready"), [(200, True), (301, True), (400, False), (503, False), ("拒绝连接", False)]
)
def test_only_a_healthy_answer_means_ready(monkeypatch, heard, ready):
    readiness = serve._Readiness("http://127.0.0.1:1", Mock())
    monkeypatch.setattr(readiness, "_ask", lambda: heard)

    assert readiness() is ready


def test_a_slow_start_is_told_once(monkeypatch):
    say = Mock()
    monkeypatch.setattr(serve, "SLOW_START", -1.0)
    readiness = serve._Readiness("http://127.0.0.1:1", say)
    monkeypatch.setattr(readiness, "_ask", lambda: 503)

    readiness()
    readiness()

    say.assert_called_once()
    assert "503" in say.call_args.args[0]
