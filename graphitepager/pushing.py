"""Sends the pager's metrics about itself to Carbon, from a thread of its own: nothing waits or fails for that."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from graphitepager import __version__, ownmetrics
from graphitepager.carbon import Carbon
from graphitepager.errors import GraphiteError, StoreError, describe_bug
from graphitepager.telemetry import log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from graphitepager.rules import CarbonPlace, Settings
    from graphitepager.store import Store

# The finest that most Carbons keep for long; a slow heartbeat is to be seen as late before it is over.
_LONGEST_PAUSE_S = 60.0
_WAIT_S = 5.0
_DEADLINE_S = 10.0
_LAST_WORDS_S = 0.1


class Pushing:
    """Reads what the database knows and sends it, again and again. What goes wrong is logged once, until it changes."""

    def __init__(self, store: Store, settings: Callable[[], Settings], clock: Callable[[], datetime]) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._last_outcome: tuple[str, str | None] | None = None  # to where, and what was wrong

    def push(self) -> None:
        """Send what is known now, where there is a Carbon to send it to. Returns soon, and raises nothing."""
        settings = self._settings()
        if settings.carbon is None:
            return
        try:
            self._send(settings.carbon, settings.heartbeat_s)
        except (GraphiteError, StoreError) as error:
            self._note(settings.carbon, str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, paging goes on
            self._note(settings.carbon, describe_bug(error))
        else:
            self._note(settings.carbon, None)

    def _send(self, where: CarbonPlace, heartbeat_s: float) -> None:
        now = self._clock()
        taken = ownmetrics.samples(self._store.glance(now), heartbeat_s=heartbeat_s, version=__version__)
        carbon = Carbon(where.host, where.port, _WAIT_S, longest_s=_DEADLINE_S)
        carbon.send([ownmetrics.carbon_lines(taken, prefix=where.prefix, at=now)])

    def _note(self, where: CarbonPlace, reason: str | None) -> None:
        to = f"{where.host}:{where.port}"
        if (to, reason) == self._last_outcome:
            return
        self._last_outcome = (to, reason)
        if reason is None:
            log.info("metrics_sent", to=to)
        else:
            log.warning("metrics_not_sent", to=to, reason=reason)

    @contextlib.contextmanager
    def running(self, stop: threading.Event) -> Iterator[None]:
        """Push every heartbeat inside the block, and at least once a minute, until `stop` is set."""
        over = threading.Event()
        thread = threading.Thread(target=self._run, args=(stop, over), name="metrics", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(_LAST_WORDS_S)

    def _run(self, stop: threading.Event, over: threading.Event) -> None:
        while not stop.is_set():
            self.push()
            if over.wait(min(self._settings().heartbeat_s, _LONGEST_PAUSE_S)):
                return
