"""The loop: a tick every heartbeat, an outbox for each notifier beside it, reload, and an orderly end."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING

from graphitepager import notifiers
from graphitepager.errors import ConfigError, PagerError, StoreError, describe_bug
from graphitepager.graphite import Fetcher
from graphitepager.outbox import Outbox
from graphitepager.poller import Poller
from graphitepager.telemetry import log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from graphitepager.model import Config
    from graphitepager.notifiers import Notifier
    from graphitepager.signals import Orders
    from graphitepager.store import Store

# A send that is under way at SIGTERM may finish in this time; if not, its row is still there for the next process.
_LAST_SEND_S = 0.5
# How long `run --once` goes on trying to hand over what its poll led to.
_ONCE_DRAIN_S = 60.0


class Daemon:
    """Polls and sends until its orders are to stop.

    `reload` reads the configuration again, and raises PagerError when it cannot be used. `clock` is the wall clock.
    """

    def __init__(
        self,
        config: Config,
        store: Store,
        orders: Orders,
        *,
        reload: Callable[[], Config],
        clock: Callable[[], datetime],
    ) -> None:
        self._config = config
        self._store = store
        self._orders = orders
        self._reload = reload
        self._clock = clock
        self._poller = Poller(store, clock)
        self._fetcher = Fetcher(config.settings)
        self._outboxes = [Outbox(name, store, self._load_notifier, clock) for name in notifiers.NOTIFIERS]
        self._told_by: Config | None = None  # the configuration by which what is open was last routed

    def run(self) -> None:
        """Poll every heartbeat until told to stop.

        Raises PagerError when Graphite has never given a usable answer and does not give one now: on a first start
        that is a mistake in the configuration, later it is an outage, which ends by itself.
        """
        with self._sending():
            while not self._orders.stop.is_set():
                began = time.monotonic()
                self._orders.changed.clear()
                if self._orders.take_reload():
                    self._reload_config()
                self._tick()
                remaining = self._config.settings.heartbeat_s - (time.monotonic() - began)
                if not self._orders.stop.is_set():
                    self._orders.changed.wait(max(remaining, 0))
        log.info("stopped")

    def run_once(self) -> bool:
        """Poll once and send what that leads to; False when a fetch failed or something could not be handed over."""
        stop = self._orders.stop
        given_up = self._store.backlog().dead
        tick = self._poller.tick(self._config, self._fetcher, stop)
        self._tell_untold()
        until = time.monotonic() + _ONCE_DRAIN_S
        while not stop.is_set() and time.monotonic() < until:
            for outbox in self._outboxes:
                outbox.send_due(stop)
            due = self._store.next_due(self._clock())
            if due is None:
                break
            stop.wait(min(max((due - self._clock()).total_seconds(), 0.05), until - time.monotonic()))
        self._close()
        backlog = self._store.backlog()
        all_sent = not backlog.pending and backlog.dead == given_up
        return tick is not None and not tick.failures and all_sent

    def _tick(self) -> None:
        is_first = not self._poller.has_seen_graphite
        try:
            tick = self._poller.tick(self._config, self._fetcher, self._orders.stop)
        except StoreError as error:
            log.error("poll_not_recorded", reason=str(error))
            return
        except Exception as error:  # noqa: BLE001 - the loop must outlive any bug
            log.error("poll_failed", reason=describe_bug(error))
            return
        if tick is None:
            return
        try:
            self._tell_untold()
        except StoreError as error:  # the next tick tries again
            log.error("outbox_store_failed", reason=str(error))
        self._wake_outboxes()
        if is_first and tick.failures and not tick.record.answered:
            raise PagerError(f"Graphite gives no usable answer: {tick.failures[0]}")

    def _tell_untold(self) -> None:
        """Once for each configuration: see that what is open is told wherever it is to be told now."""
        if self._told_by is not self._config:
            self._poller.tell_untold(self._config)
            self._told_by = self._config

    def _reload_config(self) -> None:
        try:
            config = self._reload()
        except PagerError as error:
            reasons = [one.headline for one in error.problems] if isinstance(error, ConfigError) else [str(error)]
            for reason in reasons:
                log.error("config_rejected", problem=reason)
            log.error("config_kept", reason="the running configuration goes on")
            return
        if config.settings.database_url != self._config.settings.database_url:
            log.warning("restart_needed", reason="DATABASE_URL has changed; it is read at start only")
        self._fetcher.close()
        self._fetcher = Fetcher(config.settings)
        self._config = config
        log.info("config_loaded", alerts=len(config.alerts))

    def _load_notifier(self, name: str) -> Notifier:
        return notifiers.load(name, self._config.settings)

    def _wake_outboxes(self) -> None:
        for outbox in self._outboxes:
            outbox.wake()

    @contextlib.contextmanager
    def _sending(self) -> Iterator[None]:
        """Run the outboxes beside the loop; at the end let a send that is under way finish, but not for long."""
        stop = threading.Event()
        threads = [
            threading.Thread(target=outbox.run, args=(stop,), name="outbox", daemon=True) for outbox in self._outboxes
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            self._wake_outboxes()
            give_up_at = time.monotonic() + _LAST_SEND_S
            for thread in threads:
                thread.join(max(give_up_at - time.monotonic(), 0))
            self._close()

    def _close(self) -> None:
        self._fetcher.close()
        for outbox in self._outboxes:
            with contextlib.suppress(StoreError):  # a claim that is not given back ends with its lease
                outbox.release()
