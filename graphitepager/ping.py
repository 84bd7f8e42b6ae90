"""Tells a watcher outside that all is well; its silence is the alarm."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

from graphitepager import deadlines
from graphitepager.telemetry import log

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from graphitepager.poller import Tick
    from graphitepager.records import Backlog

# A page that has not left for longer is stuck, and whoever waits for our calls has to hear of it.
_STUCK_AFTER = timedelta(minutes=2)

_TIMEOUTS_S = (3.0, 5.0)
_DEADLINE_S = 10.0


def is_well(tick: Tick, backlog: Backlog, now: datetime) -> bool:
    """Whether Graphite answered everything, and every page gets out. A broken alerts.yml pages by itself."""
    is_stuck = backlog.oldest_page is not None and now - backlog.oldest_page >= _STUCK_AFTER
    return not (tick.failures or is_stuck or backlog.unheard)


class Pinger:
    """Calls the URL from a thread of its own, one call at a time."""

    def __init__(self, get: Callable[[str], int] | None = None, deadline_s: float = _DEADLINE_S) -> None:
        self._get = get or _get
        self._deadline_s = deadline_s
        self._thread: threading.Thread | None = None

    def ping(self, url: str) -> None:
        """Have it called, unless the last call is still under way. Returns at once; what goes wrong is logged."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._ping, args=(url,), name="ping", daemon=True)
            self._thread.start()

    def finish(self) -> None:
        """Wait until the call that is under way has ended."""
        if self._thread is not None:
            self._thread.join()

    def _ping(self, url: str) -> None:
        try:
            status = deadlines.run_within(self._deadline_s, lambda: self._get(url))
        except TimeoutError:
            reason = f"no answer within {self._deadline_s:g} s"
        except Exception as error:  # noqa: BLE001 - whatever it is, paging goes on
            reason = type(error).__name__  # its text may hold the URL, which is a secret
        else:
            if status < requests.codes.bad_request:
                return
            reason = f"it answered {status}"
        log.warning("ping_failed", host=_host(url), reason=reason)


def _get(url: str) -> int:
    # Nobody needs the body, and whoever sends one slowly could keep us for ever.
    with requests.get(url, timeout=_TIMEOUTS_S, stream=True) as answer:
        return answer.status_code


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
