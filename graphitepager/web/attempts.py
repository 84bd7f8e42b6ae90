"""How often logins have failed, by address and in all; who fails too often waits. Its memory is bounded."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass

_WINDOW_S = 300.0
_FROM_ONE_ADDRESS = 10
_IN_ALL = 200
_REMEMBERED = 1000
# Whoever has an IPv6 address has at least so many bits of them.
_IPV6_PREFIX = 64


@dataclass(slots=True)
class _Count:
    since: float
    failures: int = 0


class Attempts:
    """Counts failures; times are seconds of a clock that never goes back. Not safe to share between threads.

    Past the limit in all, only those wait who have not logged in before: a stranger shuts nobody out.
    """

    def __init__(self) -> None:
        self._by_place: OrderedDict[str, _Count] = OrderedDict()
        self._welcome: OrderedDict[str, None] = OrderedDict()
        self._in_all = _Count(0.0)

    def wait_s(self, address: str, now: float) -> float:
        """For how long this address may not try; 0 where it may."""
        place = _place(address)
        counts = [(self._by_place.get(place), _FROM_ONE_ADDRESS)]
        if place not in self._welcome:
            counts.append((self._in_all, _IN_ALL))
        return max(_left_s(count, limit, now) for count, limit in counts)

    def failed(self, address: str, now: float) -> None:
        place = _place(address)
        count = self._by_place.pop(place, _Count(now))
        self._by_place[place] = _counted(count, now)
        self._in_all = _counted(self._in_all, now)
        while len(self._by_place) > _REMEMBERED:
            self._by_place.popitem(last=False)

    def succeeded(self, address: str, now: float) -> None:
        place = _place(address)
        self._by_place.pop(place, None)
        self._welcome[place] = None
        self._welcome.move_to_end(place)
        while len(self._welcome) > _REMEMBERED:
            self._welcome.popitem(last=False)


def _counted(count: _Count, now: float) -> _Count:
    return _Count(count.since, count.failures + 1) if now - count.since < _WINDOW_S else _Count(now, 1)


def _left_s(count: _Count | None, limit: int, now: float) -> float:
    if count is None or count.failures < limit:
        return 0.0
    return max(count.since + _WINDOW_S - now, 0.0)


def _place(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:100]
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((found, _IPV6_PREFIX), strict=False))
