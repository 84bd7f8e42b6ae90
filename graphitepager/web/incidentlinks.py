"""Where PagerDuty shows our incidents: asked in the background while somebody looks, and kept."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from graphitepager.errors import PagerError, describe_bug
from graphitepager.notifiers import pagerduty_rest
from graphitepager.telemetry import log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from graphitepager.reconciling import RemoteIncident
    from graphitepager.rules import Settings

# An incident that somebody has just been paged for is to have its link soon; PagerDuty allows many more requests.
_EVERY_S = 30.0
_AFTER_A_FAILURE_S = 120.0


def _in_a_thread(run: Callable[[], None]) -> None:
    threading.Thread(target=run, name="incident-links", daemon=True).start()


class IncidentLinks:
    """Called with a dedup key, it returns a link, or None where none is known. Thread-safe; it never waits.

    Without a token of PagerDuty's REST API it asks nobody. `now` is a clock in seconds that never goes back.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        *,
        listing: Callable[[Settings], Iterable[RemoteIncident]] = pagerduty_rest.open_incidents,
        start: Callable[[Callable[[], None]], None] = _in_a_thread,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._listing = listing
        self._start = start
        self._now = now
        self._lock = threading.Lock()
        self._links: Mapping[str, str] = {}
        self._due_at: float | None = None  # None before the first look
        self._is_asking = False

    def __call__(self, dedup_key: str) -> str | None:
        if not self._settings().pagerduty_api_token:
            return None
        with self._lock:
            is_due = not self._is_asking and (self._due_at is None or self._now() >= self._due_at)
            self._is_asking = self._is_asking or is_due
            known = self._links.get(dedup_key)
        if is_due:
            self._start(self._ask)
        return known

    def _ask(self) -> None:
        pause_s = _AFTER_A_FAILURE_S
        links = self._links
        try:
            listed = self._listing(self._settings())
            links = {one.dedup_key: one.url for one in listed if one.url.startswith("https://")}
            pause_s = _EVERY_S
        except PagerError as error:
            log.warning("incident_links_unknown", reason=str(error))
        except Exception as error:  # noqa: BLE001 - the page does without them
            log.error("incident_links_unknown", reason=describe_bug(error))
        with self._lock:
            self._links = links
            self._due_at = self._now() + pause_s
            self._is_asking = False
