"""Real receivers on this machine: a mail server and a group robot, each in a thread of its own."""

import base64
import hashlib
import hmac
import json
import socketserver
import threading
from contextlib import contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class _Smtp(socketserver.StreamRequestHandler):
    """Enough of RFC 5321 for one message after another."""

    def handle(self):
        self.say(220, "ready")
        for line in self.rfile:
            verb = line.split(b" ", 1)[0].strip().upper()
            if verb == b"DATA":
                self.take()
            elif verb == b"QUIT":
                return self.say(221, "bye")
            elif verb == b"RCPT" and self.server.refuses:
                self.say(550, "no such box")
            else:
                self.say(250, "ok")
        return None

    def take(self):
        self.say(354, "go on")
        lines = iter(self.rfile.readline, b".\r\n")
        content = b"".join(line[1:] if line.startswith(b"..") else line for line in lines)
        self.server.received.append(message_from_bytes(content, policy=policy.default))
        self.say(250, "taken")

    def say(self, code, words):
        self.wfile.write(f"{code} {words}\r\n".encode())


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def __init__(self, port=0):
        super().__init__(("127.0.0.1", port), _Smtp)
        self.received, self.refuses = [], False


class _Robot(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append(self.text_of(body))
        self.server.meanwhile()
        status, answer = self.server.answer
        self.send_response(status)
        if status == 302:
            self.send_header("Location", f"{self.server.address}/elsewhere")
        self.end_headers()
        self.server.dribble(self.wfile, answer.encode())

    def text_of(self, body):
        """What a real robot would show; it is as particular as they are."""
        assert self.headers["Content-Type"].startswith("application/json")
        message = json.loads(body)
        assert set(message) == {"msgtype", "text"}
        assert message["msgtype"] == "text"
        content = message["text"]["content"]
        assert len(content.encode()) <= 2048
        if self.server.secret:
            self.check_signature(parse_qs(urlsplit(self.path).query))
        return content

    def check_signature(self, query):
        key, stamp = self.server.secret.encode(), query["timestamp"][0]
        signed = hmac.new(key, stamp.encode() + b"\n" + key, hashlib.sha256).digest()
        if query["sign"] != [base64.b64encode(signed).decode()]:
            self.server.answer = (200, '{"errcode": 310000, "errmsg": "sign not match"}')

    def log_message(self, *args):
        pass


class RobotServer(ThreadingHTTPServer):
    daemon_threads = True
    OK = (200, '{"errcode": 0, "errmsg": "ok"}')

    def __init__(self, port=0):
        super().__init__(("127.0.0.1", port), _Robot)
        self.received, self.answer, self.secret = [], self.OK, ""
        self.meanwhile = lambda: None
        self.dribble = lambda out, content: out.write(content)

    @property
    def port(self):
        return self.server_address[1]

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}"

    def handle_error(self, request, client_address):
        """The caller hung up: that is what some tests are for."""


@contextmanager
def running(server):
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def free_port():
    """One on which nobody listens."""
    with Server() as server:
        return server.server_address[1]
