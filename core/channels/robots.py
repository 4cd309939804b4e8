"""One call to a group robot of WeCom or DingTalk: only to hosts that the operator named, and bounded.

The formats are the platforms' own: a JSON text message, answered by HTTP 200 with `errcode` 0. Anything
else, a 200 with another `errcode` too, is a failure.
"""

import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import socket
import ssl
import threading
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError

from core import clock
from core.models import Robot

# Seconds to connect, and again for the whole answer.
PATIENCE = 5
MOST_ANSWERED = 16 * 1024
# WeCom takes 2048 bytes of text in UTF-8.
MOST_SENT = 2048


class NotTaken(Exception):
    """The robot was not reached, or did not take the message; the text is for people to read."""


def check_address(address: str) -> SplitResult:
    """The parts of an address that may be called. Raises ValidationError.

    WEBHOOK_ALLOWED_HOSTS names hosts (`oapi.dingtalk.com`, then HTTPS on port 443) or whole origins
    (`http://10.1.2.3:8080`, a relay inside); what is not named there exactly is not called.
    """
    try:
        parts = urlsplit(address)
        origin = (parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme))
    except ValueError:
        raise ValidationError("地址格式不对，请整行复制群机器人的 Webhook 地址。") from None
    if parts.scheme not in _PORTS or not parts.hostname or parts.username is not None:
        raise ValidationError("地址格式不对，请整行复制群机器人的 Webhook 地址（https:// 开头）。")
    if not address.isascii() or any(mark.isspace() for mark in address):
        raise ValidationError("地址中有空格或中文，请整行复制群机器人的 Webhook 地址。")
    if origin not in {_origin(entry) for entry in settings.WEBHOOK_ALLOWED_HOSTS}:
        raise ValidationError(
            f"平台未获准向 {parts.scheme}://{parts.netloc} 发送。请运维人员核实后在 WEBHOOK_ALLOWED_HOSTS 中加入该主机。"
        )
    return parts


_PORTS = {"https": 443, "http": 80}


def _origin(entry: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(entry if "://" in entry else f"https://{entry}")
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def compose(texts: list[str]) -> str:
    """One message of at most MOST_SENT bytes; what does not fit is counted."""
    head, foot = f"【{settings.PORTAL_NAME}】", f"请登录平台查看：{settings.SITE_URL}/notices/"
    lines: list[str] = []
    for number, text in enumerate(texts, start=1):
        line = f"{number}. {' '.join(text.split())}"
        rest = f"另有 {len(texts) - number + 1} 条。"
        if len("\n".join([head, *lines, line, rest, foot]).encode()) > MOST_SENT:
            return "\n".join([head, *lines, rest, foot])
        lines.append(line)
    return "\n".join([head, *lines, foot])


def send(robot: Robot, text: str) -> None:
    """Raises NotTaken."""
    try:
        parts = check_address(robot.address)
    except ValidationError as error:
        raise NotTaken(error.messages[0]) from None
    target = f"{parts.path or '/'}?{parts.query}"
    if robot.format == Robot.Format.DINGTALK and robot.secret:
        target += signature(robot.secret, int(clock.real_now().timestamp() * 1000))
    answer = _post(parts, target, json.dumps({"msgtype": "text", "text": {"content": text}}).encode())
    if answer.get("errcode") != 0:
        raise NotTaken(f"群机器人没有接受：{answer.get('errcode')} {answer.get('errmsg', '')}"[:200])


def signature(secret: str, milliseconds: int) -> str:
    """What DingTalk's 加签 wants added to the address; it takes times within an hour of its own."""
    signed = hmac.new(secret.encode(), f"{milliseconds}\n{secret}".encode(), hashlib.sha256).digest()
    return f"&timestamp={milliseconds}&sign={quote(base64.b64encode(signed), safe='')}"


def _post(parts: SplitResult, target: str, body: bytes) -> dict[str, Any]:
    """The JSON object answered. Redirects are not followed: the answer of one is a failure."""
    connection = _connection(parts)
    late = threading.Event()
    try:
        connection.connect()
        watch = threading.Timer(PATIENCE, _hang_up, [connection.sock, late])
        watch.start()
        try:
            connection.request("POST", target, body, {"Content-Type": "application/json; charset=utf-8"})
            response = connection.getresponse()
            content = response.read(MOST_ANSWERED + 1)
        finally:
            watch.cancel()
    except (OSError, http.client.HTTPException, ValueError) as error:
        if late.is_set() or isinstance(error, TimeoutError):
            raise NotTaken(f"群机器人 {PATIENCE} 秒内没有回应。") from None
        raise NotTaken(f"连不上群机器人：{type(error).__name__}") from None
    finally:
        connection.close()
    if late.is_set():
        raise NotTaken(f"群机器人 {PATIENCE} 秒内没有回应。")
    if response.status != 200:
        raise NotTaken(f"群机器人回应 HTTP {response.status}。")
    return _object(content)


def _connection(parts: SplitResult) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, parts.port, timeout=PATIENCE, context=context)
    return http.client.HTTPConnection(host, parts.port, timeout=PATIENCE)


def _hang_up(sock: socket.socket, late: threading.Event) -> None:
    # A socket's own time-out begins anew with each byte; this one bounds the whole answer.
    late.set()
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _object(content: bytes) -> dict[str, Any]:
    if len(content) > MOST_ANSWERED:
        raise NotTaken("群机器人的回应过长，请核对地址。")
    try:
        answer = json.loads(content)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise NotTaken("群机器人的回应不是约定的格式，请核对地址。")
    return answer


def host(robot: Robot) -> str:
    """What of the address may be shown: the rest of it is the key to the group."""
    return urlsplit(robot.address).netloc
