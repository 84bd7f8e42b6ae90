"""Passes incidents on beside the loop, from a thread of its own: PagerDuty may take its time to say what is open."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from graphitepager import followups
from graphitepager.errors import PagerError, StoreError, describe_bug
from graphitepager.reconciling import RemoteStatus
from graphitepager.telemetry import log

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from datetime import datetime

    from graphitepager.followups import FollowUp
    from graphitepager.reconciling import RemoteIncident
    from graphitepager.rules import Config, Settings
    from graphitepager.store import Store
    from graphitepager.watchdog import Watchdog

_PART = "followups"
# A listing may take a minute, and each wait for the database is bounded.
_LONGEST_SILENCE_S = 300.0
_LAST_LOOK_S = 0.1
# How many one transaction passes on: a bound below every database's limit of parameters.
_BATCH = 500


def ask_pagerduty(settings: Settings) -> list[RemoteIncident]:
    """What PagerDuty has open; PagerError where it does not say."""
    from graphitepager.notifiers import pagerduty_rest  # noqa: PLC0415 - slow to import, and few need it

    return pagerduty_rest.open_incidents(settings)


class Following:
    """Passes on what a dead notifier did not take, and what nobody has acknowledged. `tell` wakes the outboxes.

    All that it knows is in the database: whoever leads next goes on with it, and nobody is told twice.
    """

    def __init__(
        self,
        store: Store,
        config: Callable[[], Config],
        clock: Callable[[], datetime],
        watchdog: Watchdog,
        *,
        tell: Callable[[], None] = lambda: None,
        ask: Callable[[Settings], list[RemoteIncident]] = ask_pagerduty,
    ) -> None:
        self._store = store
        self._config = config
        self._clock = clock
        self._watchdog = watchdog
        self._tell = tell
        self._ask = ask

    def look(self) -> None:
        """Pass on what is to be passed on now. Raises StoreError."""
        config, now = self._config(), self._clock()
        settings = config.settings
        if not any(one.fallback or one.escalate_to for one in settings.handling.values()):
            return
        told = self._store.told()
        accepted_at = self._store.accepted_since(now - followups.DEAD_AFTER)
        wanted = [*followups.fallbacks(told, settings.handling, followups.dead(told, accepted_at, now))]
        due = self._not_held(followups.unacknowledged(told, settings.handling, now), config, now)
        remote = self._remote(settings) if followups.asks_pagerduty(due) else None
        wanted += followups.escalations(due, settings.handling, remote, now)
        if not wanted:
            return
        queued = [
            one
            for begin in range(0, len(wanted), _BATCH)
            for one in self._store.follow_up(wanted[begin : begin + _BATCH], self._clock())
        ]
        for one in queued:
            alert, series = one.told.key.words
            incident = one.told.level.value
            to = settings.name_of(one.to)
            log.warning("passed_on", alert=alert, series=series, incident=incident, to=to, reason=one.reason)
        self._tell()

    def _not_held(self, due: Collection[FollowUp], config: Config, now: datetime) -> list[FollowUp]:
        alerts = {alert.name: alert for alert in config.alerts}
        memories = self._store.load().memories if followups.can_be_held(due, alerts) else {}
        return followups.not_held(due, alerts, memories, self._store.silences(now), now)

    def _remote(self, settings: Settings) -> Mapping[str, RemoteStatus] | None:
        """Each open incident's status at PagerDuty; of several the one that says that somebody has acknowledged."""
        try:
            listed = self._ask(settings)
        except PagerError as error:
            log.warning("acknowledgements_unknown", reason=str(error))
            return None
        acknowledged = {one.dedup_key for one in listed if one.status is RemoteStatus.ACKNOWLEDGED}
        return {
            one.dedup_key: RemoteStatus.ACKNOWLEDGED if one.dedup_key in acknowledged else RemoteStatus.TRIGGERED
            for one in listed
        }

    @contextlib.contextmanager
    def running(self, stop: threading.Event, interval_s: Callable[[], float]) -> Iterator[None]:
        """Look again and again inside the block, until `stop` is set."""
        over = threading.Event()
        thread = threading.Thread(target=self._run, args=(stop, over, interval_s), name=_PART, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(_LAST_LOOK_S)
            self._watchdog.forget(_PART)

    def _run(self, stop: threading.Event, over: threading.Event, interval_s: Callable[[], float]) -> None:
        while not over.wait(interval_s()) and not stop.is_set():
            self._watchdog.beat(_PART, _LONGEST_SILENCE_S + interval_s())
            try:
                self.look()
            except StoreError as error:
                log.error("followups_failed", reason=str(error))
            except Exception as error:  # noqa: BLE001 - the loop must outlive any bug
                log.error("followups_failed", reason=describe_bug(error))
