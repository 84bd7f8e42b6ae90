"""A real Graphite with two workers' load and the strict fake PagerDuty, to try graphite-pager with: the tutorial's.

It ends with Ctrl-C, and by itself after an hour.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.demo.screen import Incidents, Screen
from tests.fakes.pagerduty import FakePagerDuty
from tests.graphite_server.client import STEP_S, Graphite

LASTS_S = 3600
_HISTORY = 180  # datapoints
_LOADS = {"servers.worker-1.loadavg.01": 14.0, "servers.worker-2.loadavg.01": 17.5}


def main() -> int:
    """Serve until somebody ends it."""
    screen = Screen()
    stop = threading.Event()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="graphite-pager-playground-")))
        pagerduty = stack.enter_context(FakePagerDuty(on_event=Incidents(screen).show))
        graphite = stack.enter_context(Graphite(folder, max_seconds=LASTS_S + 60))
        written = _write(graphite, int(time.time()) // STEP_S - _HISTORY)
        screen.say("Graphite", f"a real graphite-web with the load of two workers, a point every {STEP_S} s")
        screen.say("PagerDuty", "a strict stand-in; what it is sent is shown here")
        sys.stdout.write(f"\nexport GRAPHITE_URL={graphite.url}\nexport PAGERDUTY_EVENTS_URL={pagerduty.url}\n\n")
        sys.stdout.flush()  # who reads it through a pipe waits for it
        screen.say("demo", "Paste these two lines where you try graphite-pager. Ctrl-C ends this.")
        end = time.monotonic() + LASTS_S
        with contextlib.suppress(KeyboardInterrupt):
            while time.monotonic() < end and not stop.wait(0.5):
                written = _write(graphite, written)
    return 0


def _write(graphite: Graphite, after: int) -> int:
    """Write the datapoints since the one of that number, and return the number of the newest."""
    newest = int(time.time()) // STEP_S
    times = [number * STEP_S for number in range(after + 1, newest + 1)]
    if times:
        graphite.write({name: [(moment, load) for moment in times] for name, load in _LOADS.items()})
    return newest


if __name__ == "__main__":
    sys.exit(main())
