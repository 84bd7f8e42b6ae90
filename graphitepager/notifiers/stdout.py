"""Print each message as one line: for trying things out, and beside PagerDuty for a log that people read."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, TextIO

from graphitepager.config.notifying import NotifierKeys
from graphitepager.errors import SendError
from graphitepager.model import EventKind
from graphitepager.notifiers import Kind
from graphitepager.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphitepager.model import Message
    from graphitepager.rules import Settings


def from_settings(_settings: Settings) -> Stdout:
    """Make the notifier that prints to this process's own standard output."""
    return Stdout(sys.stdout)


class Keys(NotifierKeys):
    """A line for each message on standard output."""


KIND = Kind(keys=Keys, make=from_settings)


class Stdout:
    """Writes to a stream, a line at a time however many threads send. The address means nothing."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def send(self, message: Message, address: str) -> str:
        text = printable(" ".join(_words(message)))
        # A stream that is not UTF-8 must not cost the message.
        encoding = self._stream.encoding or "utf-8"
        text = text.encode(encoding, "backslashreplace").decode(encoding)
        try:
            with self._lock:
                self._stream.write(text + "\n")
                self._stream.flush()
        except (OSError, ValueError) as error:
            raise SendError(f"standard output: {error}") from error
        return "printed"


def _words(message: Message) -> Iterator[str]:
    """`CRITICAL MongoDB lock: db1 is 82.4 (critical at 70) runbook=https://… graph=https://…`."""
    yield message.summary
    if message.kind is EventKind.DIGEST:
        yield from (f"| {line}" for line in message.details.values())
    for link in message.links:
        yield f"{link.text.lower()}={link.href}"
