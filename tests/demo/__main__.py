"""Runs a real Graphite, the strict fake PagerDuty and graphite-pager, and shows an incident open and end.

Exit code 0 when both were seen, 1 otherwise; it ends by itself within two minutes.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.demo.screen import Incidents, Screen
from tests.demo.story import ARCHIVES, BREACH_AT_S, HISTORY_S, RECOVERY_AT_S, Fleet
from tests.fakes.pagerduty import FakePagerDuty
from tests.graphite_server.client import Graphite

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent.parent
ROUTING_KEY = "d3m0" * 8
HEARTBEAT_S = 2
GIVE_UP_AFTER_S = 110


def main() -> int:
    """Tell the story; return the exit code."""
    screen = Screen()
    incidents = Incidents(screen)
    stop = threading.Event()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="graphite-pager-demo-")))
        pagerduty = stack.enter_context(FakePagerDuty(on_event=incidents.show))
        graphite = stack.enter_context(Graphite(folder, max_seconds=GIVE_UP_AFTER_S + 60))
        began = int(time.time())
        fleet = Fleet(began)
        metrics = fleet.metrics(range(-HISTORY_S, 1))
        graphite.write(metrics, archives=ARCHIVES)
        screen.say("demo", "This takes half a minute. Ctrl-C ends it.")
        screen.say("Graphite", f"a real graphite-web at {graphite.url}, {len(metrics)} metrics, a point a second")
        screen.say("PagerDuty", f"a strict stand-in at {pagerduty.url}")
        stack.enter_context(_feeding(graphite, fleet, began, screen, stop))
        stack.enter_context(_paging(graphite.url, pagerduty.url, folder, screen))
        finished = incidents.over.wait(GIVE_UP_AFTER_S)
        stop.set()
    if not finished:
        screen.say("demo", "The incident did not open and resolve in time: that should not happen.", "bold red")
        return 1
    screen.say("demo", "An incident opened and ended by itself. Now with your own Graphite:")
    screen.say("demo", "  edit alerts.yml, then  GRAPHITE_URL=https://graphite.example.com PAGERDUTY_KEY=... make run")
    return 0


@contextlib.contextmanager
def _feeding(graphite: Graphite, fleet: Fleet, began: int, screen: Screen, stop: threading.Event) -> Iterator[None]:
    """Write every second's points as the second passes."""
    told = {
        BREACH_AT_S: "db1 begins to hold its MongoDB lock most of the time",
        RECOVERY_AT_S: "db1 recovers",
    }

    def feed() -> None:
        done_s = 0
        while not stop.wait(0.1):
            for elapsed_s in range(done_s + 1, int(time.time()) - began + 1):
                done_s = elapsed_s
                graphite.write(fleet.metrics([elapsed_s]), archives=ARCHIVES)
                if elapsed_s in told:
                    screen.say("Graphite", told[elapsed_s], "cyan")

    thread = threading.Thread(target=feed, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextlib.contextmanager
def _paging(graphite_url: str, events_url: str, folder: Path, screen: Screen) -> Iterator[None]:
    """Run graphite-pager as anybody would: the command, the shipped alerts.yml, the environment."""
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "GRAPHITE_URL": graphite_url,
        "PAGERDUTY_KEY": ROUTING_KEY,
        "PAGERDUTY_EVENTS_URL": events_url,
        "HEARTBEAT_SECONDS": str(HEARTBEAT_S),
        "DATABASE_URL": f"sqlite:///{folder / 'state.db'}",
    }
    command = [sys.executable, "-m", "graphitepager", "run", "-c", "alerts.yml"]
    screen.say("pager", "graphite-pager run  (" + f"alerts.yml as shipped, a poll every {HEARTBEAT_S} s)", "bold")
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )

    def relay() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            screen.say("pager", line.rstrip(), "dim")

    thread = threading.Thread(target=relay, daemon=True)
    thread.start()
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        thread.join()
        if process.stdout is not None:
            process.stdout.close()


if __name__ == "__main__":
    try:
        code = main()
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
