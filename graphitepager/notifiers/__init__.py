"""The notifiers: one file each, and one line each in the registry below.

A notifier delivers one message once. It keeps no state, decides nothing, never retries and never logs: it returns
what the receiver answered, or raises SendError(permanent, retry_after). Every call it makes ends within its own
timeout. Which message goes where, when and how often is decided by routing.py and outbox.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from graphitepager.model import Message


class Notifier(Protocol):
    """Delivers a message to an address (a routing key, a URL: a secret), once."""

    def send(self, message: Message, address: str) -> str:
        """Return the receiver's answer in a few words, for the history; raise SendError when it did not accept."""
        ...
