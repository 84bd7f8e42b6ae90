"""The notifiers: one file each, and one line each in the registry below.

A notifier delivers one message once. It keeps no state, decides nothing, never retries and never logs: it returns
what the receiver answered, or raises SendError(permanent, is_invalid, is_throttled, retry_after). Every call it makes
ends within its own timeout. Which message goes where, when and how often is decided by routing.py and outbox.py.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from graphitepager.errors import SendError

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphitepager.model import Message
    from graphitepager.rules import Settings

# Route's names for them, and where their factories are: imported when first wanted, for their clients load slowly.
NOTIFIERS = {
    "pagerduty": "graphitepager.notifiers.pagerduty:from_settings",
    "stdout": "graphitepager.notifiers.stdout:from_settings",
}

# How many messages a minute each address of a notifier is sent; no limit for those that are not here. PagerDuty itself
# takes about 120 for a routing key, which other tools of the same people may use as well.
RATES_PER_MINUTE = {"pagerduty": 100}


class Notifier(Protocol):
    """Delivers a message to an address (a routing key, a URL: a secret), once. Any thread may call it."""

    def send(self, message: Message, address: str) -> str:
        """Return the receiver's answer in a few words, for the history; raise SendError when it did not accept."""
        ...


def load(name: str, settings: Settings) -> Notifier:
    """Make the notifier of that name; SendError when there is none, as a stored delivery may be older than that."""
    if name not in NOTIFIERS:
        raise SendError(f"there is no notifier called {name!r}; there are {', '.join(NOTIFIERS)}", permanent=True)
    module, _, factory = NOTIFIERS[name].partition(":")
    from_settings: Callable[[Settings], Notifier] = getattr(import_module(module), factory)
    return from_settings(settings)
