"""A strict mail server on a loopback port: what it takes, it parses; and it fails as mail servers fail."""

from __future__ import annotations

import contextlib
import email.policy
import socketserver
import threading
from email import message_from_bytes
from typing import TYPE_CHECKING, Self

from tests.fakes.receivers import Fault

if TYPE_CHECKING:
    import ssl
    from email.message import EmailMessage
    from types import TracebackType

_DRIP_S = 0.03
_REPLIES = {
    Fault.INVALID: b"554 5.6.0 Message content rejected\r\n",
    Fault.FORBIDDEN: b"550 5.7.1 Relaying denied\r\n",
    Fault.SERVER_ERROR: b"451 4.3.0 Local error in processing\r\n",
    Fault.RATE_LIMITED: b"450 4.7.1 Too much mail\r\n",
    Fault.GARBAGE: b"\x00\xff<html>{[\r\n",
    Fault.HUGE: b"250-" + b"x" * 10_000_000 + b"\r\n",
}


class FakeMail:
    """Takes mail; `context` is its side of TLS, without which it offers none. `is_tls`: from the start of it."""

    def __init__(self, context: ssl.SSLContext | None = None, *, is_tls: bool = False) -> None:
        self.context = context
        self.is_tls = is_tls
        self.fault: Fault | None = None
        self.received: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.objections: list[str] = []
        self.was_encrypted: list[bool] = []
        self.closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Conversation)
        self._server.fake = self
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    fake: FakeMail


class _Conversation(socketserver.StreamRequestHandler):
    """One client's; a fault strikes where the mail itself is told, so that everything before it was right."""

    server: _Server

    def handle(self) -> None:
        fake = self.server.fake
        with contextlib.suppress(ConnectionError, OSError):
            if fake.fault in {Fault.HANG, Fault.DRIP, Fault.RESET}:
                self._stall(fake)
                return
            if fake.is_tls:
                self._encrypt(fake)
            self._say(b"220 mail.example.com ESMTP\r\n")
            self._converse(fake)
        self.request.close()  # TLS has put its own in the place of the server's

    def _stall(self, fake: FakeMail) -> None:
        while fake.fault is Fault.DRIP and not fake.closing.wait(_DRIP_S):
            self.wfile.write(b"2")
        if fake.fault is Fault.HANG:
            fake.closing.wait()

    def _converse(self, fake: FakeMail) -> None:
        recipients: list[str] = []
        is_encrypted = fake.is_tls
        while line := self.rfile.readline(2000):
            if not line.endswith(b"\r\n"):
                fake.objections.append(f"a line that does not end: {line!r}")
                return
            word = line[:4].upper().strip()
            if word == b"QUIT":
                self._say(b"221 bye\r\n")
                return
            if word == b"EHLO":
                offers = b"250-STARTTLS\r\n" if fake.context and not is_encrypted else b""
                self._say(b"250-mail.example.com\r\n" + offers + b"250 8BITMIME\r\n")
            elif word == b"STAR" and fake.context:
                self._say(b"220 go on\r\n")
                self._encrypt(fake)
                is_encrypted = True
            elif word == b"MAIL" and fake.fault in _REPLIES:
                self._say(_REPLIES[fake.fault])
                fake.fault = None
            elif word == b"RCPT":
                recipients.append(line.decode().partition("<")[2].partition(">")[0])
                self._say(b"250 ok\r\n")
            elif word == b"DATA":
                self._say(b"354 go on\r\n")
                self._take(fake)
                fake.recipients.append(recipients)
                fake.was_encrypted.append(is_encrypted)
                self._say(b"250 queued\r\n")
            else:
                self._say(b"250 ok\r\n")

    def _encrypt(self, fake: FakeMail) -> None:
        assert fake.context is not None
        self.request = fake.context.wrap_socket(self.request, server_side=True)
        self.setup()

    def _take(self, fake: FakeMail) -> None:
        lines = []
        while (line := self.rfile.readline(2000)) != b".\r\n":
            if len(line) > 1000 or not line.endswith(b"\r\n"):
                fake.objections.append(f"a line of {len(line)} bytes")
            lines.append(line[1:] if line.startswith(b"..") else line)
        parsed = message_from_bytes(b"".join(lines), policy=email.policy.default)
        fake.objections += [str(defect) for part in parsed.walk() for defect in part.defects]
        fake.objections += [f"{name} twice" for name in set(parsed.keys()) if len(parsed.get_all(name, [])) > 1]
        fake.received.append(parsed)

    def _say(self, text: bytes) -> None:
        self.wfile.write(text)
