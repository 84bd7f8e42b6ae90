"""Whose turn it is: what the threads of one notifier share, so that an address that hangs holds up no other."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import TYPE_CHECKING

from graphitepager.pacing import Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from datetime import datetime, timedelta

    from graphitepager.model import Delivery

# How many sends to one address may hang, each in a thread that cannot be ended: beyond that none is begun.
_MOST_HANGING = 8


class Turns:
    """An address is sent to by one thread at a time, so that what goes there stays in order. Any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pace: Pace | None = None
        self._busy: set[str] = set()
        self._hanging: defaultdict[str, list[threading.Event]] = defaultdict(list)

    def begin(self, per_minute: Callable[[], int | None], sent: Callable[[], Iterable[tuple[str, datetime]]]) -> None:
        """Learn how fast may be sent and what was sent before this process began, once; both may take their time."""
        with self._lock:
            if self._pace is None:
                pace = Pace(per_minute())
                for address, at in sent():
                    pace.attempted(address, at)
                self._pace = pace

    def take(self, now: datetime, claim: Callable[[Collection[str]], list[Delivery]]) -> Delivery | None:
        """Have one delivery claimed that is for none of the addresses which it is given; its address is busy then."""
        with self._lock:
            claimed = claim(self._known().paused(now).keys() | self._busy)
            if not claimed:
                return None
            address = claimed[0].route.address
            self._busy.add(address)
            self._known().attempted(address, now)
            return claimed[0]

    def give_back(self, address: str) -> None:
        """Say that nothing is being sent there any more."""
        with self._lock:
            self._busy.discard(address)

    def closed(self, now: datetime) -> tuple[dict[str, datetime], frozenset[str]]:
        """The addresses that wait, and until when; and those that something is being sent to."""
        with self._lock:
            return self._known().paused(now), frozenset(self._busy)

    def accepted(self, address: str) -> None:
        """It takes what it is sent."""
        with self._lock:
            self._known().accepted(address)

    def throttled(self, address: str) -> int:
        """It has had too much; return how many times in a row that is now."""
        with self._lock:
            return self._known().throttled(address)

    def pause(self, address: str, now: datetime, length: timedelta) -> None:
        """Let it rest for so long."""
        with self._lock:
            self._known().pause(address, now, length)

    def hanging(self, address: str) -> int:
        """How many sends to it hang, if that is as many as may; else 0."""
        with self._lock:
            left = [each for each in self._hanging.pop(address, ()) if not each.is_set()]
            if left:
                self._hanging[address] = left
            return len(left) if len(left) >= _MOST_HANGING else 0

    def hangs(self, address: str, has_ended: threading.Event) -> None:
        """Note a send that has been given up and goes on, until that is set."""
        with self._lock:
            self._hanging[address].append(has_ended)

    def _known(self) -> Pace:
        if self._pace is None:  # nothing has been sent yet
            return Pace(None)
        return self._pace
