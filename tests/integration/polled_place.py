"""A folder, a Graphite and a PagerDuty, in which a pager has polled: for the commands that look at what it has left."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.fakes.graphite import respond
from tests.fakes.pagerduty import assert_no_secret
from tests.integration.pager_process import run, running

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tests.fakes.graphite import FakeGraphite
    from tests.fakes.pagerduty import FakePagerDuty

KEY, OTHER_KEY = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"

ALERTS = """\
alerts:
  - {name: Load, target: loads, warning: 8, critical: 12}
  - {name: Disk, target: disks, warning: 80, critical: 90}
"""


class PolledPlace:
    """Where a pager polls whenever it is told to."""

    def __init__(self, folder: Path, graphite: FakeGraphite, pagerduty: FakePagerDuty) -> None:
        self.folder, self.graphite, self.pagerduty = folder, graphite, pagerduty
        self.environment = {
            "GRAPHITE_URL": graphite.url,
            "PAGERDUTY_KEY": KEY,
            "PAGERDUTY_EVENTS_URL": pagerduty.url,
        }
        graphite.default = respond(b"")
        (folder / "alerts.yml").write_text(ALERTS)

    def measure(self, target: str, **values: float | None) -> None:
        end = int(time.time()) // 10 * 10
        lines = [f"{name},{end - 60},{end},10|{','.join([str(value)] * 6)}\n" for name, value in values.items()]
        self.graphite.answers[target] = respond("".join(lines).encode())

    def ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command there; nothing that it prints may hold a routing key."""
        done = run(*arguments, environment=self.environment, folder=self.folder)
        assert_no_secret(done.stdout + done.stderr, [KEY, OTHER_KEY])
        assert "Traceback" not in done.stdout + done.stderr
        return done

    def poll(self, text: str | None = None) -> None:
        """Poll once, by this alerts.yml from now on where it is given."""
        if text is not None:
            (self.folder / "alerts.yml").write_text(text)
        self.ask("run", "--once")

    def poll_without_waiting(self) -> None:
        """Poll, and end it as soon as it has tried to tell of that once."""
        with running(self.environment, self.folder, "run") as pager:
            pager.wait_for("event=send_failed")
            pager.end()
