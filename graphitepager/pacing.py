"""How fast one notifier may send to each of its addresses. Pure bookkeeping: `now` is passed in."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

WINDOW = timedelta(minutes=1)


def digest_at(at: datetime, interval: timedelta) -> datetime:
    """When what happens at that time is told, of a digest: on the hour, where it is one an hour."""
    return at + (interval - (at - datetime.fromtimestamp(0, UTC)) % interval)


class _Pause(NamedTuple):
    until: datetime
    length: timedelta


class Pace:
    """At most `per_minute` attempts within any minute to one address, and none while that is paused.

    None for `per_minute` means no limit. It belongs to one thread.
    """

    def __init__(self, per_minute: int | None) -> None:
        self._per_minute = per_minute
        self._attempts: defaultdict[str, deque[datetime]] = defaultdict(deque)
        self._pauses: dict[str, _Pause] = {}
        self._throttled: Counter[str] = Counter()

    def attempted(self, address: str, at: datetime) -> None:
        """Count one more: whether it was accepted cannot always be told."""
        if self._per_minute is not None:
            self._attempts[address].append(at)

    def accepted(self, address: str) -> None:
        """It takes what it is sent."""
        self._throttled.pop(address, None)

    def throttled(self, address: str) -> int:
        """It has had too much; return how many times in a row that is now."""
        self._throttled[address] += 1
        return self._throttled[address]

    def pause(self, address: str, now: datetime, length: timedelta) -> None:
        """Let it rest for so long."""
        self._pauses[address] = _Pause(now + length, length)

    def paused(self, now: datetime) -> dict[str, datetime]:
        """The addresses that may not be sent to now, and when they may again."""
        self._forget(now)
        ends = {address: pause.until for address, pause in self._pauses.items()}
        for address, attempts in self._attempts.items():
            if self._per_minute is not None and len(attempts) >= self._per_minute:
                free_at = attempts[-self._per_minute] + WINDOW
                ends[address] = max(free_at, ends.get(address, free_at))
        return ends

    def _forget(self, now: datetime) -> None:
        """Drop what is over, and pull in what a clock that has been set back since wrote down."""
        self._pauses = {
            address: _Pause(min(pause.until, now + pause.length), pause.length)
            for address, pause in self._pauses.items()
            if pause.until > now
        }
        for address, attempts in list(self._attempts.items()):
            recent = deque(min(at, now) for at in attempts if at > now - WINDOW)
            if recent:
                self._attempts[address] = recent
            else:
                del self._attempts[address]
