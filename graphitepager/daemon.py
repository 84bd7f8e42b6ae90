"""The loop: whoever leads ticks every heartbeat, with the outboxes beside it; reload, and an orderly end."""

from __future__ import annotations

import contextlib
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from graphitepager import notifiers, ping
from graphitepager.alertsfile import SETTLED_AFTER_S
from graphitepager.errors import PagerError, StoreError, describe_bug
from graphitepager.following import Following
from graphitepager.graphite import Fetcher
from graphitepager.leading import Leadership, lease_for, unique_name
from graphitepager.poller import Poller
from graphitepager.pushing import Pushing
from graphitepager.sending import Sending
from graphitepager.telemetry import log
from graphitepager.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from graphitepager.alertsfile import AlertsFile
    from graphitepager.leading import Term
    from graphitepager.notifiers import Notifier
    from graphitepager.poller import Tick
    from graphitepager.records import KeptConfig
    from graphitepager.rules import Config, Route
    from graphitepager.signals import Orders
    from graphitepager.store import Store

# How long `run --once` goes on trying to hand over what its poll led to, and how long it waits for its turn.
_ONCE_DRAIN_S = 60.0
_ONCE_PATIENCE_S = 60.0
# What a slow tick may take at most: a fetch has most of a heartbeat, each wait for the database is bounded.
_LONGEST_SILENCE_S = 180.0
# The thread that keeps the lease waits for a database, too.
_LONGEST_LEASE_SILENCE_S = 180.0
_RETRY_S = 1.0
_FORGOTTEN_EVERY = timedelta(hours=1)
_FORGOTTEN_AT_ONCE = 500


class Daemon:
    """Polls and sends while it leads, until its orders are to stop. `clock` is the wall clock."""

    def __init__(
        self,
        file: AlertsFile,
        store: Store,
        orders: Orders,
        *,
        clock: Callable[[], datetime],
        watchdog: Watchdog | None = None,
    ) -> None:
        self._file = file
        self._config = file.config
        self._store = store
        self._orders = orders
        self._clock = clock
        self._watchdog = watchdog or Watchdog()
        self._fetcher = Fetcher(self._config.settings)
        self._pinger = ping.Pinger()
        heartbeat_s = self._config.settings.heartbeat_s
        self._leadership = Leadership(
            store.lease(unique_name(), lease_for(heartbeat_s)),
            heartbeat_s=heartbeat_s,
            stop=orders.stop,
            clock=clock,
            woken=orders.changed.set,
            alive=lambda: self._watchdog.beat("lease", _LONGEST_LEASE_SILENCE_S),
        )
        self._kept: KeptConfig | None = None  # what this process has had the database keep
        self._told_by: Config | None = None  # the configuration by which what is open was last routed
        self._withdrawn_by: Config | None = None  # and that by which the last was ended that it does not name
        self._forgotten_at: datetime | None = None  # when history that is too old was deleted last, all of it
        self._dead = 0  # how many deliveries had been given up when the log last said so

    def run(self) -> None:
        """Poll every heartbeat while this process leads, until told to stop.

        Raises PagerError when Graphite has never given a usable answer and does not give one now: on a first start
        that is a mistake in the configuration, later it is an outage, which ends by itself. And when the database's
        file is not the one any more that was opened.
        """
        with self._watchdog.watching(), self._seeking_to_lead():
            while not self._orders.stop.is_set():
                self._orders.changed.clear()
                self._alive()
                term = self._leadership.term
                if term is not None:
                    self._lead(term)
                elif not self._orders.stop.is_set():
                    self._look_at_file()
                    self._orders.changed.wait(self._config.settings.heartbeat_s)
        log.info("stopped")

    def run_once(self) -> bool:
        """Poll once and send what that leads to; False when a fetch failed or something could not be handed over.

        Raises PagerError when another process leads and goes on leading.
        """
        with self._seeking_to_lead():
            term = self._wait_for_turn()
            return term is None or self._lead_once(term)

    def _wait_for_turn(self) -> Term | None:
        patience_s = min(self._config.settings.heartbeat_s, _ONCE_PATIENCE_S)
        give_up_at = time.monotonic() + patience_s
        while not self._orders.stop.is_set():
            self._orders.changed.clear()
            if term := self._leadership.term:
                return term
            if time.monotonic() >= give_up_at:
                raise PagerError(
                    f"another graphite-pager polls on this database, and went on for {patience_s:g} s: stop it, or "
                    "leave the polling to it"
                )
            self._orders.changed.wait(max(give_up_at - time.monotonic(), 0))
        return None

    def _lead_once(self, term: Term) -> bool:
        given_up = self._store.backlog().dead
        sending = self._sending()
        poller = Poller(self._store, self._clock)
        tick = poller.tick(self._config, self._fetcher, term, file_trouble=self._file.trouble)
        self._reroute(poller)
        self._keep_config()
        self._forget_history()
        self._following().look()
        until = time.monotonic() + _ONCE_DRAIN_S
        while not term.is_set() and time.monotonic() < until:
            sending.send_due(term)
            due = sending.next_due()
            if due is None:
                break
            wait_s = max((due - self._clock()).total_seconds(), 0.05)
            if wait_s > until - time.monotonic():  # a digest, for example
                break
            self._orders.stop.wait(wait_s)
        sending.release()
        self._pushing().push()
        if tick is not None:
            self._tell_watcher(tick, term)
            self._pinger.finish()
        backlog = self._store.backlog()
        all_sent = not backlog.pending and backlog.dead == given_up
        return tick is not None and not tick.failures and all_sent and self._file.trouble is None

    def _lead(self, term: Term) -> None:
        """Poll and send until the term is over."""
        try:
            poller = Poller(self._store, self._clock)
        except StoreError as error:
            log.error("state_not_read", reason=str(error))
            self._orders.changed.wait(_RETRY_S)
            return
        log.info("leading")
        self._told_by = self._withdrawn_by = self._kept = None  # another process may have done otherwise since
        sending = self._sending()
        following = self._following(sending.wake)
        with (
            sending.running(term),
            following.running(term, lambda: self._config.settings.heartbeat_s),
            self._pushing().running(term),
        ):
            while not term.is_set():
                began = time.monotonic()
                self._orders.changed.clear()
                self._alive()
                self._look_at_file()
                self._tick(poller, sending, term)
                remaining = self._config.settings.heartbeat_s - (time.monotonic() - began)
                if not term.is_set():
                    self._orders.changed.wait(max(remaining, 0))

    def _tick(self, poller: Poller, sending: Sending, term: Term) -> None:
        self._store.check_place()
        is_first = not poller.has_seen_graphite
        try:
            tick = poller.tick(self._config, self._fetcher, term, file_trouble=self._file.trouble)
        except StoreError as error:
            log.error("poll_not_recorded", reason=str(error))
            return
        except Exception as error:  # noqa: BLE001 - the loop must outlive any bug
            log.error("poll_failed", reason=describe_bug(error))
            return
        if tick is None:
            return
        sending.wake()
        self._alive()
        try:
            self._reroute(poller)
            self._keep_config()
            self._tell_watcher(tick, term)
            self._forget_history()
        except StoreError as error:  # the next tick tries again
            log.error("outbox_store_failed", reason=str(error))
        sending.wake()
        if is_first and tick.failures and not tick.record.answered:
            raise PagerError(f"Graphite gives no usable answer: {tick.failures[0]}")

    def _reroute(self, poller: Poller) -> None:
        """After each change of the configuration: see that what is open is told where it is to be told now.

        Where it is no longer, it is ended as soon as the new places have it.
        """
        if self._told_by is not self._config and poller.tell_untold(self._config):
            self._told_by = self._config
        if self._withdrawn_by is not self._config and poller.withdraw(self._config):
            self._withdrawn_by = self._config

    def _keep_config(self) -> None:
        if self._kept != self._file.kept:
            self._store.keep_config(self._file.kept, self._clock())
            self._kept = self._file.kept

    def _forget_history(self) -> None:
        """Once an hour, and at every poll while there is more: never so much at once that a page would wait for it."""
        now = self._clock()
        if self._forgotten_at is None or not timedelta(0) <= now - self._forgotten_at < _FORGOTTEN_EVERY:
            is_done = self._store.forget(now - self._config.settings.keep_history, _FORGOTTEN_AT_ONCE)
            self._forgotten_at = now if is_done else None

    def _tell_watcher(self, tick: Tick, term: Term) -> None:
        """Say what is not sent, and if all is well say so to whoever watches us."""
        backlog = self._store.backlog()
        now = self._clock()
        old = backlog.oldest_page and now - backlog.oldest_page
        if backlog.dead != self._dead or (backlog.pending and not tick.record.changes):
            log.warning("backlog", unsent=backlog.pending, dead=backlog.dead, oldest_page_s=old and old.total_seconds())
            self._dead = backlog.dead
        url = self._config.settings.heartbeat_ping_url
        if url and ping.is_well(tick, backlog, now) and not term.is_set():
            self._pinger.ping(url)

    def _look_at_file(self) -> None:
        """Load alerts.yml again where that is asked for, or where it has changed and is not just being written."""
        if self._orders.take_reload():
            is_new = self._file.reload()
        elif self._file.has_changed():
            is_new = self._file.reload(lambda: not self._orders.stop.wait(SETTLED_AFTER_S))
        else:
            return
        if not is_new:
            return
        before, self._config = self._config.settings, self._file.config
        if self._config.settings.database_url != before.database_url:
            log.warning("restart_needed", reason="DATABASE_URL has changed; it is read at start only")
        self._fetcher.close()
        self._fetcher = Fetcher(self._config.settings)

    def _sending(self) -> Sending:
        return Sending(self._store, self._load_notifier, self._clock, self._watchdog, self._called)

    def _following(self, tell: Callable[[], None] = lambda: None) -> Following:
        return Following(self._store, lambda: self._config, self._clock, self._watchdog, tell=tell)

    def _pushing(self) -> Pushing:
        return Pushing(self._store, lambda: self._config.settings, self._clock)

    def _called(self, route: Route) -> str | None:
        return self._config.settings.name_of(route)

    def _load_notifier(self, name: str) -> Notifier:
        return notifiers.load(name, self._config.settings)

    def _alive(self) -> None:
        self._watchdog.beat("loop", max(3 * self._config.settings.heartbeat_s, _LONGEST_SILENCE_S))

    @contextlib.contextmanager
    def _seeking_to_lead(self) -> Iterator[None]:
        """Give back the lease as the last thing of all, so that the next process finds everything done."""
        with self._leadership.sought():
            try:
                yield
            finally:
                self._fetcher.close()
