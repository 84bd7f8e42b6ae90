"""The notifiers: one file each, and one line each in the registry below.

A notifier delivers one message once. It keeps no state, decides nothing, never retries and never logs: it returns
what the receiver answered, or raises SendError(permanent, is_invalid, is_throttled, retry_after). Every call it makes
ends within its own timeout. Which message goes where, when and how often is decided by routing.py and outbox.py.

A package can bring one of its own, by the entry point `graphitepager.notifiers`: docs/how-to/add-a-notifier.md.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module, metadata
from typing import TYPE_CHECKING, Protocol

from graphitepager.errors import PagerError, SendError, describe_bug
from graphitepager.printable import printable

if TYPE_CHECKING:
    from graphitepager.config.notifying import NotifierKeys
    from graphitepager.model import Message
    from graphitepager.rules import Settings

# Their names, in routes and in alerts.yml, and their files: imported when first wanted, for their clients load slowly.
NOTIFIERS = {
    "apprise": "graphitepager.notifiers.apprise",
    "exec": "graphitepager.notifiers.exec",
    "mail": "graphitepager.notifiers.mail",
    "pagerduty": "graphitepager.notifiers.pagerduty",
    "slack": "graphitepager.notifiers.slack",
    "stdout": "graphitepager.notifiers.stdout",
    "teams": "graphitepager.notifiers.teams",
    "webhook": "graphitepager.notifiers.webhook",
}

ENTRY_POINTS = "graphitepager.notifiers"

# Longer than the answer of any of ours.
_ANSWER_LENGTH = 1000


class Notifier(Protocol):
    """Delivers a message to an address (a routing key, a URL: a secret), once. Any thread may call it."""

    def send(self, message: Message, address: str) -> str:
        """Return the receiver's answer in a few words, for the history; raise SendError when it did not accept."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a notifier's file says of it, under the name KIND.

    `keys` are those of its section in alerts.yml, which also name its address and its secrets. `make` makes the
    notifier for one send. `rate_per_minute` is how many messages an address is sent; None for as many as there are.
    """

    keys: type[NotifierKeys]
    make: Callable[[Settings], Notifier]
    rate_per_minute: int | None = None


def names() -> tuple[str, ...]:
    """Every notifier that there is; ours win over those of packages."""
    return tuple(dict.fromkeys((*NOTIFIERS, *sorted(_entry_points()))))


@functools.cache
def kind(name: str) -> Kind:
    """What its file says of it; SendError where there is none, or the package that brings it is no good."""
    if name in NOTIFIERS:
        found: Kind = import_module(NOTIFIERS[name]).KIND
        return found
    if name not in _entry_points():
        # A stored delivery may be older than the configuration.
        raise SendError(f"there is no notifier called {name!r}; there are {', '.join(names())}", permanent=True)
    try:
        loaded = _entry_points()[name].load()
    except Exception as error:  # somebody else's package may fail in any way
        raise SendError(f"the package of notifier {name!r} cannot be loaded: {describe_bug(error)}") from error
    if not isinstance(loaded, Kind):
        raise SendError(f"the package of notifier {name!r} is wrong: its entry point names no Kind", permanent=True)
    return loaded


def load(name: str, settings: Settings) -> Notifier:
    """Make the notifier of that name; SendError as in kind()."""
    return kind(name).make(settings)


def deliver(notifier: Notifier, message: Message, address: str) -> str:
    """Have it sent; return the answer on one line, whatever that is, and raise nothing that could end a thread."""
    try:
        answer: object = notifier.send(message, address)
    except SystemExit as error:  # somebody else's library
        raise SendError(f"the notifier asked for the end of the program ({error.code})") from None
    return "" if answer is None else printable(str(answer)[:_ANSWER_LENGTH])


def rate_per_minute(name: str) -> int | None:
    """How many messages a minute each of its addresses is sent; None for no limit, or no such notifier."""
    try:
        return kind(name).rate_per_minute
    except PagerError:  # which the send will tell
        return None


class _Sections(Mapping[str, "type[NotifierKeys]"]):
    """What each kind takes in alerts.yml, by its name; a file is imported when its section is asked for."""

    def __getitem__(self, name: str) -> type[NotifierKeys]:
        if name not in names():
            raise KeyError(name)
        return kind(name).keys

    def __contains__(self, name: object) -> bool:
        return name in names()

    def __iter__(self) -> Iterator[str]:
        return iter(names())

    def __len__(self) -> int:
        return len(names())


SECTIONS: Mapping[str, type[NotifierKeys]] = _Sections()


@functools.cache
def _entry_points() -> Mapping[str, metadata.EntryPoint]:
    return {point.name: point for point in metadata.entry_points(group=ENTRY_POINTS)}
