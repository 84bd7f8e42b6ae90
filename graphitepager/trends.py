"""The last hour of what people look at, fetched from Graphite by a thread of its own while they do."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from graphitepager.errors import describe_bug
from graphitepager.model import SeriesKey
from graphitepager.pastcurves import ask_graphite, in_a_thread
from graphitepager.retracing import Retrace
from graphitepager.telemetry import log

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from graphitepager.curves import Curve
    from graphitepager.pastcurves import Ask, Start
    from graphitepager.rules import Config

_HOUR_S = 3600
# How many series are kept: an hour of minutes of each takes some 5 MB.
MOST_SERIES = 5_000
# What a page asks for one by one is fetched together.
_GATHERED_WITHIN_S = 0.2
# For so many heartbeats after a look a series is fetched again, and for so many it is kept.
_LOOKED_AT_FOR, _KEPT_FOR = 2, 10
# A series that was not asked for before is fetched earlier than at the next heartbeat, but not all the time.
_SOON_S = 5.0


class Trends:
    """Knows the last hour of a series soon after somebody first asked. Thread-safe; asking never waits.

    Each alert is fetched at most once a heartbeat (earlier when a new series of it is asked for), and only while
    somebody looks. What was not looked at for longest makes room.
    """

    def __init__(
        self,
        configuration: Callable[[], Config],
        clock: Callable[[], datetime],
        ask: Ask | None = None,
        start: Start | None = None,
    ) -> None:
        """Ask nothing yet: the thread begins at the first look, in the process that serves it."""
        self._configuration = configuration
        self._clock = clock
        self._ask = ask or ask_graphite
        self._start = start or in_a_thread
        self._lock = threading.Lock()
        self._asked = threading.Event()
        self._gathering = threading.Event()  # which nobody ever sets
        self._is_running = False
        self._looked_at: OrderedDict[SeriesKey, float] = OrderedDict()
        self._curves: dict[SeriesKey, Curve | None] = {}
        self._fetched_at: dict[str, float] = {}

    def of(self, key: SeriesKey) -> Curve | None:
        """The last hour of a series, as far as it is known by now."""
        if not key.is_series:
            return None
        with self._lock:
            self._looked_at[key] = self._now()
            self._looked_at.move_to_end(key)
            while len(self._looked_at) > MOST_SERIES:
                self._curves.pop(self._looked_at.popitem(last=False)[0], None)
            if key not in self._curves:
                self._asked.set()
            if not self._is_running:
                self._is_running = True
                self._start(self._run)
            return self._curves.get(key)

    def refresh(self) -> None:
        """Fetch what is looked at and has not been fetched for a heartbeat."""
        config = self._configuration()
        end = int(self._now())
        heartbeat_s = max(round(config.settings.heartbeat_s), 1)
        wanted = self._due(heartbeat_s)
        due = [
            Retrace(alert=alert, names=names, begin=end - _HOUR_S, end=end, heartbeat_s=heartbeat_s)
            for alert in config.alerts
            if (names := wanted.get(alert.name))
        ]
        asked = [(retrace, retrace.asked()) for retrace in due]
        queries = {over for _, each in asked for over in each.values()}
        given = self._ask(config.settings, queries) if queries else {}
        for retrace, each in asked:
            try:
                found = retrace.curves({query: given[over] for query, over in each.items()})
            except Exception as error:  # noqa: BLE001 - an odd answer must not end the others' trends
                log.error("trend_failed", alert=retrace.alert.name, reason=describe_bug(error))
                continue
            with self._lock:
                for name in retrace.names:
                    key = SeriesKey(retrace.alert.name, name)
                    if key in self._looked_at:
                        self._curves[key] = found[name].curve if name in found else None

    def _due(self, heartbeat_s: int) -> dict[str, frozenset[str]]:
        """The series to fetch now, by alert; what nobody looks at any more is forgotten."""
        now = self._now()
        with self._lock:
            for key in [key for key, at in self._looked_at.items() if at < now - _KEPT_FOR * heartbeat_s]:
                del self._looked_at[key]
                self._curves.pop(key, None)
            looked_at: dict[str, set[str]] = {}
            new: set[str] = set()
            for key, at in self._looked_at.items():
                if at >= now - _LOOKED_AT_FOR * heartbeat_s:
                    looked_at.setdefault(key.alert, set()).add(key.series)
                    if key not in self._curves:
                        new.add(key.alert)
            self._fetched_at = {alert: at for alert, at in self._fetched_at.items() if alert in looked_at}
            due = {
                alert: frozenset(names)
                for alert, names in looked_at.items()
                if now - self._fetched_at.get(alert, 0.0)
                >= (min(_SOON_S, heartbeat_s) if alert in new else heartbeat_s)
            }
            self._fetched_at |= dict.fromkeys(due, now)
            return due

    def _run(self) -> None:
        while True:
            self._asked.wait(_SOON_S)
            self._gathering.wait(_GATHERED_WITHIN_S)
            self._asked.clear()
            try:
                self.refresh()
            except Exception as error:  # noqa: BLE001 - whatever it is, the next heartbeat may do better
                log.error("trends_failed", reason=describe_bug(error))
            with self._lock:
                if not self._looked_at:
                    self._is_running = False
                    return

    def _now(self) -> float:
        return self._clock().timestamp()
