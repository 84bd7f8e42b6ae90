"""Send a message by mail, in plain text and HTML; what is told of one incident is one thread in the reader's inbox."""

from __future__ import annotations

import html
import json
import re
import smtplib
import socket
import ssl
import threading
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, Field

from graphitepager.config.fields import Names, Secret, Text, refuse
from graphitepager.config.notifying import NotifierKeys
from graphitepager.config.urls import is_loopback
from graphitepager.deadlines import run_within
from graphitepager.errors import SendError
from graphitepager.model import EventKind
from graphitepager.notifiers import Kind
from graphitepager.notifiers.posting import USUAL_LIMITS, one_line, web_address
from graphitepager.printable import encodable, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphitepager.model import Message
    from graphitepager.notifiers.posting import Limits
    from graphitepager.rules import Settings

_PORTS = {"smtp": 587, "smtps": 465}
# 500 itself says that a command was not understood, and smtplib's own words for an answer without end.
_NOT_UNDERSTOOD = 500
# A mailbox as an envelope takes it; not all that a header could hold.
_MAILBOX = re.compile(r"[^\s<>,;:\\\"()\[\]@]+@[A-Za-z0-9.-]+")
_SUBJECT = 300


def _server(value: str) -> str:
    """Never quotes what it was given: it holds a password."""
    try:
        parts = urlsplit(value.strip())
        is_sound = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_sound = False
    if not is_sound or parts.path.strip("/") or parts.query or parts.fragment or re.search(r"\s", value.strip()):
        hint = "percent-encode the password; smtps:// is for TLS from the start"
        raise refuse("expected a URL like smtp://mail.example.com:587, with user and password before the host", hint)
    return value.strip()


def _mailbox(value: str) -> str:
    if not _MAILBOX.fullmatch(value.strip()) or not value.isascii():
        raise refuse("expected a mail address such as ops@example.com")
    return value.strip()


Mailbox = Annotated[Text, AfterValidator(_mailbox)]


def _some(value: list[str]) -> list[str]:
    if not value:
        raise refuse("expected at least one mail address")
    return value


class Keys(NotifierKeys):
    """People with a mailbox."""

    server: Annotated[Secret, AfterValidator(_server)] = Field(
        description="The mail server: smtp:// with STARTTLS, port 587 by default, or smtps:// with TLS, port 465.",
        examples=["smtp://user:password@mail.example.com"],
    )
    from_: Mailbox = Field(alias="from", description="Who the mails are from.", examples=["pager@example.com"])
    to: Annotated[list[Mailbox], Names.__metadata__[0], AfterValidator(_some)] = Field(
        description="Who gets them, one address or more.", examples=["ops@example.com"]
    )

    def address(self) -> str:
        return json.dumps({"server": self.server, "from": self.from_, "to": self.to})

    def secrets(self) -> Iterable[str]:
        password = urlsplit(self.server).password
        return [self.server, *([password, unquote(password)] if password else [])]


def from_settings(_settings: Settings) -> Mail:
    """Make the notifier; its address says everything."""
    return Mail()


KIND = Kind(keys=Keys, make=from_settings, rate_per_minute=60)


class Mail:
    """Sends by the server in the address, a JSON object with `server`, `from` and `to`.

    Names and passwords travel encrypted, except to a server on loopback. `context` is how TLS is verified.
    """

    def __init__(self, limits: Limits = USUAL_LIMITS, context: ssl.SSLContext | None = None) -> None:
        self._limits = limits
        self._context = context

    def send(self, message: Message, address: str) -> str:
        place = json.loads(address)
        host = urlsplit(place["server"]).hostname
        secrets = [part for part in (urlsplit(place["server"]).password,) if part]
        secrets += [unquote(secret) for secret in secrets]
        session = _Session(place["server"], self._limits.timeout_s, self._context or ssl.create_default_context())
        try:
            mail = _mail(message, place["from"], place["to"])
            refused = run_within(self._limits.deadline_s, lambda: session.deliver(mail, place["from"], place["to"]))
        except TimeoutError:
            session.cut()
            raise SendError(f"{host} did not take the mail within {self._limits.deadline_s:g} s") from None
        except Exception as error:  # noqa: BLE001 - smtplib lets through what the network throws
            raise _refusal(error, host or "", secrets) from None
        return f"250 accepted, but not for {', '.join(refused)}" if refused else "250 accepted"


class _Session:
    """One conversation with a mail server, which can be cut off from another thread."""

    def __init__(self, server: str, timeout_s: float, context: ssl.SSLContext) -> None:
        self._parts = urlsplit(server)
        self._context = context
        # Left alone, it asks DNS for our own name, for as long as that takes.
        name = socket.gethostname() or "localhost"
        if self._parts.scheme == "smtps":
            self._smtp: smtplib.SMTP = smtplib.SMTP_SSL(timeout=timeout_s, context=context, local_hostname=name)
        else:
            self._smtp = smtplib.SMTP(timeout=timeout_s, local_hostname=name)
        self._lock = threading.Lock()
        self._is_cut = False

    def deliver(self, mail: EmailMessage, sender: str, recipients: list[str]) -> list[str]:
        """Hand it over; return the recipients that the server does not want, unless that is all of them."""
        parts, host = self._parts, self._parts.hostname or ""
        self._smtp._host = host  # type: ignore[attr-defined]  # noqa: SLF001 - what TLS verifies, or only SMTP(host) sets it
        code, text = self._smtp.connect(host, parts.port or _PORTS[parts.scheme])
        try:
            if code != 220:  # noqa: PLR2004 - SMTP's welcome
                raise smtplib.SMTPConnectError(code, text)
            self._secure(host)
            if parts.username:
                self._smtp.login(unquote(parts.username), unquote(parts.password or ""))
            self._go_on()
            return sorted(self._smtp.send_message(mail, sender, recipients))
        finally:
            self._smtp.close()

    def _secure(self, host: str) -> None:
        if self._parts.scheme == "smtps":
            return
        self._smtp.ehlo()
        if self._smtp.has_extn("starttls"):
            self._smtp.starttls(context=self._context)
        elif not is_loopback(host):
            raise smtplib.SMTPNotSupportedError("it offers no STARTTLS, and mails travel encrypted only")

    def _go_on(self) -> None:
        with self._lock:
            if self._is_cut:
                raise ConnectionAbortedError("given up")

    def cut(self) -> None:
        """End it for good: what arrived later could overtake what is sent after it."""
        with self._lock:
            self._is_cut = True
            connection = self._smtp.sock
        if connection is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def _refusal(error: Exception, host: str, secrets: Iterable[str]) -> SendError:
    """What a failure means. A server's 5xx is for good; but some say so on a bad day, so it may pass."""
    text: bytes | str
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, text = error.smtp_code, error.smtp_error
    elif isinstance(error, smtplib.SMTPNotSupportedError | ssl.SSLCertVerificationError | UnicodeError):
        return SendError(f"{host}: {one_line(str(error), secrets)}", permanent=True, may_pass=True)
    else:
        return SendError(f"{host} gave no answer: {one_line(str(error), secrets) or type(error).__name__}")
    said = one_line(text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text), secrets)
    is_permanent = code > _NOT_UNDERSTOOD
    return SendError(f"{host} answered {code}: {said}", permanent=is_permanent, may_pass=is_permanent)


def _mail(message: Message, sender: str, recipients: list[str]) -> EmailMessage:
    """The mail. The first one of an incident names its thread; the others say that they belong to it."""
    domain = sender.rpartition("@")[2]
    thread = f"<{message.incident_id}@{domain}>"
    mail = EmailMessage(policy=SMTP)
    # The email package decodes what looks like an encoded word, line breaks and all, and older ones write those out.
    mail["Subject"] = _line(message.summary)[:_SUBJECT].replace("=?", "= ?")
    mail["From"] = sender
    mail["To"] = ", ".join(recipients)
    mail["Date"] = message.at
    mail["Auto-Submitted"] = "auto-generated"  # so that no absence note comes back
    if message.kind is EventKind.TRIGGERED:
        mail["Message-ID"] = thread
    else:
        mail["Message-ID"] = f"<{message.id}@{domain}>"
        mail["In-Reply-To"] = thread
        mail["References"] = thread
    mail.set_content(_text(message), cte="quoted-printable")
    mail.add_alternative(_html(message), subtype="html", cte="quoted-printable")
    return mail


def _rows(message: Message) -> list[tuple[str, str]]:
    return [(_line(name), encodable(str(value))) for name, value in message.details.items() if value is not None]


def _text(message: Message) -> str:
    lines = [_line(message.summary), "", *(f"{name}: {value}" for name, value in _rows(message)), ""]
    return "\n".join([*lines, *(f"{_line(link.text)}: {_line(link.href)}" for link in message.links)]).rstrip() + "\n"


def _html(message: Message) -> str:
    """The same, for those who read HTML; every word is escaped, whoever named the series."""
    rows = "".join(
        f"<tr><td>{html.escape(name)}</td><td>{html.escape(value)}</td></tr>\n" for name, value in _rows(message)
    )
    links = " · ".join(
        f'<a href="{html.escape(href)}">{html.escape(_line(link.text))}</a>'
        for link in message.links
        if (href := web_address(link.href))
    )
    summary = f"<p><strong>{html.escape(_line(message.summary))}</strong></p>\n"
    return f"<html><body>\n{summary}<table>\n{rows}</table>\n<p>{links}</p>\n</body></html>\n"


def _line(text: str) -> str:
    """On one line, so that no name can add a header of its own."""
    return printable(encodable(text))
