"""How many pictures somebody gets in a minute who has not logged in. Its memory is bounded."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque

_WINDOW_S = 60.0
_REMEMBERED = 1_000


class Pace:
    """Allows each address `from_one` in a minute, and all together `in_all`. Thread-safe."""

    def __init__(self, from_one: int, in_all: int) -> None:
        self._from_one = from_one
        self._in_all = in_all
        self._lock = threading.Lock()
        self._by_address: OrderedDict[str, deque[float]] = OrderedDict()
        self._all: deque[float] = deque()

    def wait_s(self, address: str, now: float) -> float:
        """Count one more, and return 0; or, where that is too many, for how long to wait."""
        with self._lock:
            own = self._by_address.setdefault(address, deque())
            self._by_address.move_to_end(address)
            if len(self._by_address) > _REMEMBERED:
                self._by_address.popitem(last=False)
            for moments, most in ((own, self._from_one), (self._all, self._in_all)):
                while moments and now - moments[0] >= _WINDOW_S:
                    moments.popleft()
                if len(moments) >= most:
                    return _WINDOW_S - (now - moments[0])
            own.append(now)
            self._all.append(now)
            return 0.0
