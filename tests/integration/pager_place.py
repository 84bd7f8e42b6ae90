"""Where pagers of one database are tried out: an alerts.yml, a Graphite with one series, a PagerDuty."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.fakes.graphite import respond
from tests.integration.pager_process import running

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.fakes.graphite import FakeGraphite
    from tests.fakes.pagerduty import FakePagerDuty, Incident
    from tests.integration.pager_process import Pager

ALERTS = "alerts:\n  - {name: Queue, target: a.b, warning: 50, critical: 70}\n"
HIGH = "CRITICAL Queue: mail is 82.4 (critical at 70)"


class Place:
    """All that a pager needs, and nothing that is slow."""

    def __init__(self, graphite: FakeGraphite, pagerduty: FakePagerDuty, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.graphite = graphite
        self.pagerduty = pagerduty
        self.environment = {
            "GRAPHITE_URL": graphite.url,
            "PAGERDUTY_KEY": "0123456789abcdef0123456789abcdef",
            "PAGERDUTY_EVENTS_URL": pagerduty.url,
            "HEARTBEAT_SECONDS": "0.4",
            "DATABASE_URL": database_url,
        }
        self.configure(ALERTS)
        self.measure(10)

    def configure(self, text: str) -> None:
        (self.folder / "alerts.yml").write_text(text)

    def measure(self, value: float) -> None:
        end = int(time.time()) // 10 * 10
        self.graphite.default = respond(f"mail,{end - 60},{end},10|{','.join([str(value)] * 6)}\n".encode())

    def pager(self, *arguments: str) -> AbstractContextManager[Pager]:
        return running(self.environment, self.folder, *arguments)

    def wait_for_open(self, *words: str) -> tuple[Incident, ...]:
        """Wait until as many incidents are open as there are words, each with its own in the title."""

        def as_wanted() -> bool:
            titles = sorted(one.title for one in self.pagerduty.open_incidents())
            return len(titles) == len(words) and all(map(str.__contains__, titles, sorted(words)))

        assert self.pagerduty.wait_until(as_wanted, 15), [one.title for one in self.pagerduty.open_incidents()]
        return self.pagerduty.open_incidents()
