"""The loop: a tick every heartbeat, the outbox beside it, signals, reload, and an end within a second."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING

from graphitepager.errors import ConfigError, PagerError, StoreError, describe_bug
from graphitepager.graphite import Fetcher
from graphitepager.notifiers import Notifier, load
from graphitepager.outbox import Outbox
from graphitepager.poller import Poller
from graphitepager.telemetry import log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from graphitepager.model import Config
    from graphitepager.store import Store

# A send that is under way at SIGTERM may finish in this time; if not, its row is still there for the next process.
_LAST_SEND_S = 0.5
# How long `run --once` goes on trying to hand over what its poll led to.
_ONCE_DRAIN_S = 60.0


class Daemon:
    """Polls and sends until it is told to stop.

    `reload` reads the configuration again, and raises PagerError when it cannot be used. `clock` is the wall clock.
    """

    def __init__(
        self, config: Config, store: Store, *, reload: Callable[[], Config], clock: Callable[[], datetime]
    ) -> None:
        self._config = config
        self._store = store
        self._reload = reload
        self._clock = clock
        self._stop = threading.Event()
        self._wake = threading.Event()  # set with `stop`, and when a reload is wanted
        self._outbox_wake = threading.Event()
        self._reload_wanted = threading.Event()
        self._poller = Poller(store, clock)
        self._fetcher = Fetcher(config.settings)
        self._notifiers: dict[str, Notifier] = {}
        self._told_by: Config | None = None  # the configuration by which what is open was last routed
        self._outbox = Outbox(store, self._notifier, clock)

    def run(self) -> None:
        """Poll every heartbeat until SIGTERM or SIGINT; reload on SIGHUP.

        Raises PagerError when Graphite has never given a usable answer and does not give one now: on a first start
        that is a mistake in the configuration, later it is an outage, which ends by itself.
        """
        with self._signals(), self._sending():
            while not self._stop.is_set():
                began = time.monotonic()
                self._wake.clear()
                if self._reload_wanted.is_set():
                    self._reload_config()
                self._tick()
                remaining = self._config.settings.heartbeat_s - (time.monotonic() - began)
                if not self._stop.is_set():
                    self._wake.wait(max(remaining, 0))
        log.info("stopped")

    def run_once(self) -> bool:
        """Poll once and send what that leads to; False when a fetch failed or something could not be handed over."""
        with self._signals():
            given_up = self._store.backlog().dead
            tick = self._poller.tick(self._config, self._fetcher, self._stop)
            self._tell_untold()
            until = time.monotonic() + _ONCE_DRAIN_S
            while not self._stop.is_set() and time.monotonic() < until:
                self._outbox.send_due(self._stop)
                due = self._store.next_due(self._clock())
                if due is None:
                    break
                self._stop.wait(min(max((due - self._clock()).total_seconds(), 0.05), until - time.monotonic()))
            self._close()
        backlog = self._store.backlog()
        all_sent = not backlog.pending and backlog.dead == given_up
        return tick is not None and not tick.failures and all_sent

    def _tick(self) -> None:
        first = not self._poller.has_seen_series
        try:
            tick = self._poller.tick(self._config, self._fetcher, self._stop)
            if tick is None:
                return
            told = self._tell_untold()
        except StoreError as error:
            log.error("poll_not_recorded", reason=str(error))
            return
        except Exception as error:  # noqa: BLE001 - the loop must outlive any bug
            log.error("poll_failed", reason=describe_bug(error))
            return
        if tick.record.changes or told:
            self._outbox_wake.set()
        if first and tick.failures and not tick.record.series:
            raise PagerError(f"Graphite gives no usable answer: {tick.failures[0]}")

    def _tell_untold(self) -> int:
        """Once for each configuration: see that what is open is told wherever it is to be told now."""
        if self._told_by is self._config:
            return 0
        told = self._poller.tell_untold(self._config)
        self._told_by = self._config
        return told

    def _reload_config(self) -> None:
        self._reload_wanted.clear()
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
        self._notifiers = {}
        self._config = config
        log.info("config_loaded", alerts=len(config.alerts))

    def _notifier(self, name: str) -> Notifier:
        notifiers = self._notifiers  # a reload may put others in its place meanwhile
        if name not in notifiers:
            notifiers[name] = load(name, self._config.settings)
        return notifiers[name]

    @contextlib.contextmanager
    def _sending(self) -> Iterator[None]:
        """Run the outbox beside the loop; at the end let a send that is under way finish, but not for long."""
        thread = threading.Thread(
            target=self._outbox.run, args=(self._stop, self._outbox_wake), name="outbox", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._outbox_wake.set()
            thread.join(_LAST_SEND_S)
            self._close()

    def _close(self) -> None:
        self._fetcher.close()
        with contextlib.suppress(StoreError):  # a claim that is not given back ends with its lease
            self._outbox.release()

    def _on_signal(self, number: int) -> None:
        if number == signal.SIGHUP:
            self._reload_wanted.set()
        else:
            log.info("stopping", signal=signal.Signals(number).name)
            self._stop.set()
            self._outbox_wake.set()
        self._wake.set()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Have a thread act on signals.

        A handler runs in the main thread between any two bytecodes, and would deadlock on the lock of an Event that
        the main thread is about to wait for. So the handlers do nothing, and the interpreter writes each signal's
        number to a socket that a thread reads.
        """
        reader, writer = socket.socketpair()
        writer.settimeout(0)
        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        before = {number: signal.signal(number, lambda *_: None) for number in numbers}
        before_fd = signal.set_wakeup_fd(writer.fileno())

        def listen() -> None:
            while data := reader.recv(1):
                if data[0] in numbers:
                    self._on_signal(data[0])

        thread = threading.Thread(target=listen, name="signals", daemon=True)
        thread.start()
        try:
            yield
        finally:
            signal.set_wakeup_fd(before_fd)
            for number, handler in before.items():
                signal.signal(number, handler)
            writer.close()
            thread.join()
            reader.close()
