"""Real processes, killed at any moment, on real databases, before a PagerDuty that fails in every way it can.

Eight arenas side by side, each with a database, a Graphite and a PagerDuty of its own. Every round starts one process
or two, changes what Graphite shows, and ends with a SIGKILL. Afterwards it goes quiet, and all has to be in order.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from signal import Signals
from typing import TYPE_CHECKING

import pytest

from graphitepager.incidents import dedup_key
from graphitepager.model import SeriesKey
from graphitepager.rules import Level
from tests.fakes.graphite import FakeGraphite, respond
from tests.fakes.pagerduty import Effect, FakePagerDuty, Fault
from tests.integration.pager_process import Pager
from tests.integration.store_support import KINDS, empty_database

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.fakes.pagerduty import Answer
    from tests.fakes.pagerduty.door import Request

ROUNDS, ARENAS = 25, 4  # of each kind of database
ROUTING_KEY = "0123456789abcdef0123456789abcdef"
ALERTS = """
no_data_notification_threshold: 10000
alerts:
  - {name: Load, target: load, warning: 50, critical: 70, storm_limit: 1000}
  - {name: Depth, target: depth, warning: 50, critical: 70, storm_limit: 1000, keep_firing_for: 1s}
"""
SERIES = {alert: [f"{alert.lower()}{number}" for number in range(12)] for alert in ("Load", "Depth")}
FINE, UNEASY, BAD = 10.0, 60.0, 90.0
LEVELS = {FINE: Level.OK, UNEASY: Level.WARNING, BAD: Level.CRITICAL}
# Four ends of incidents in an hour would be flapping, which keeps one open for a quarter of an hour.
CHANGES = 6
# Nobody can mend a resolve that is refused for good, and a wish for a minute and a half outlasts this test.
NOT_FOR_RESOLVES = {Fault.REDIRECT, Fault.RATE_LIMITED_UNTIL_DATE}
FAULTS = [
    one for one in Fault if one not in {Fault.REFUSED, Fault.UNKNOWN_KEY, Fault.ACCEPT_WITHOUT_INCIDENT, Fault.HANG}
]
QUIET_S = 100.0


class Unreliable(FakePagerDuty):
    """Draws a fault for more than every other request."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.draw = random.Random(seed)  # noqa: S311 - no secret
        self.is_unreliable = True
        self.met: Counter[str] = Counter()

    def _take(self, request: Request) -> Answer:
        if self.is_unreliable and self.draw.random() < 0.6:
            fault = Fault.HANG if self.draw.random() < 0.03 else self.draw.choice(FAULTS)
            if fault in NOT_FOR_RESOLVES and b'"resolve"' in (request.body or b""):
                fault = Fault.RESET_AFTER_INGEST
            self.met[fault.name.lower()] += 1
            self._queued_faults = deque([fault])
        return super()._take(request)


class Arena:
    """One database, and what is around it."""

    def __init__(
        self, seed: int, folder: Path, database_url: str, graphite: FakeGraphite, pagerduty: Unreliable
    ) -> None:
        self.draw = random.Random(seed)  # noqa: S311 - no secret
        self.graphite = graphite
        self.pagerduty = pagerduty
        self.values = {(alert, name): FINE for alert, names in SERIES.items() for name in names}
        self.changes = dict.fromkeys(self.values, CHANGES)
        self.began: Counter[str] = Counter()  # breaches, by dedup key
        self.kills = 0
        self._folder = folder
        self._environment = {
            "GRAPHITE_URL": graphite.url,
            "PAGERDUTY_KEY": ROUTING_KEY,
            "PAGERDUTY_EVENTS_URL": pagerduty.url,
            "HEARTBEAT_SECONDS": "0.4",
            "DATABASE_URL": database_url,
        }
        self._pagers: list[Pager] = []
        (folder / "alerts.yml").write_text(ALERTS)

    def play(self) -> None:
        """Play all rounds, then let it come to rest."""
        try:
            self.show()
            self.start(1)
            self._pagers[0].wait_for("event=poll ", timeout_s=60)
            for number in range(ROUNDS):
                self.start(1 + number % 2)
                self.disturb()
                self.kill()
            self.come_to_rest()
        finally:
            for pager in self._pagers:
                pager.end(Signals.SIGKILL)

    def start(self, count: int) -> None:
        """Have so many processes, or one more where one has survived."""
        while len(self._pagers) < count:
            self._pagers.append(Pager(self._environment, self._folder))

    def disturb(self) -> None:
        """Change values, and let Graphite and PagerDuty be gone for a while."""
        ends_at = time.monotonic() + self.draw.uniform(1.0, 6.5)
        self.pagerduty.fault = Fault.REFUSED if self.draw.random() < 0.15 else None
        is_down = self.draw.random() < 0.15
        asked = self.pagerduty.request_count()
        while time.monotonic() < ends_at:
            for key in self.draw.sample(list(self.values), 2):
                if self.changes[key] and self.draw.random() < 0.4:
                    self.change(key, self.draw.choice([FINE, UNEASY, BAD]))
            self.show(is_down=is_down)
            if self.draw.random() < 0.5 and self.is_asked_again(asked):
                time.sleep(self.draw.choice([0, 0, 0.002, 0.01, 0.05]))
                if self.draw.random() < 0.3:
                    return  # while the answer is on its way
            else:
                time.sleep(self.draw.uniform(0.05, 0.4))
            asked = self.pagerduty.request_count()

    def is_asked_again(self, asked: int) -> bool:
        return self.pagerduty.wait_until(lambda: self.pagerduty.request_count() > asked, timeout_s=0.5)

    def change(self, key: tuple[str, str], value: float) -> None:
        if value != self.values[key]:
            self.values[key] = value
            self.changes[key] -= 1
            if value != FINE:
                self.began[dedup_key(SeriesKey(*key), LEVELS[value])] += 1

    def show(self, *, is_down: bool = False) -> None:
        """What Graphite answers from now on."""
        end = int(time.time()) + 1
        for alert, names in SERIES.items():
            lines = [f"{name},{end - 2},{end},1|{self.values[alert, name]},None\n" for name in names]
            answer = respond(b"no", status="500 Oops") if is_down else respond("".join(lines).encode())
            self.graphite.answers[alert.lower()] = answer

    def kill(self) -> None:
        """End one of the processes without a word, or all of them."""
        survivors = self._pagers[1:] if self.draw.random() < 0.6 else []
        self.draw.shuffle(self._pagers)
        for pager in self._pagers[len(survivors) :]:
            assert pager.process.poll() is None, pager.output
            pager.process.send_signal(Signals.SIGKILL)
        for pager in self._pagers[len(survivors) :]:
            pager.end(Signals.SIGKILL)
            self.kills += 1
        self._pagers = self._pagers[: len(survivors)]

    def come_to_rest(self) -> None:
        self.pagerduty.is_unreliable = False
        self.pagerduty.fault = None
        self.start(1)
        ends_at = time.monotonic() + QUIET_S
        settled = 0
        while settled < 5 and time.monotonic() < ends_at:  # nothing may move any more
            self.show()
            self.pagerduty.wait_until(lambda: False, timeout_s=0.5)
            settled = 0 if self.missed() or self.left_open() else settled + 1

    def _open(self) -> set[str]:
        return {one.dedup_key for one in self.pagerduty.open_incidents()}

    def _wanted(self) -> set[str]:
        return {dedup_key(SeriesKey(*key), LEVELS[value]) for key, value in self.values.items() if value != FINE}

    def missed(self) -> set[str]:
        return self._wanted() - self._open()

    def left_open(self) -> set[str]:
        return self._open() - self._wanted()

    def duplicates(self) -> dict[str, int]:
        """Incidents that were opened more often than there was a breach."""
        opened = Counter(one.dedup_key for one in self.pagerduty.events() if one.effect is Effect.OPENED)
        return {key: count for key, count in opened.items() if count > self.began[key]}


@pytest.mark.timeout(600)
def test_whatever_is_killed_whenever_nothing_is_missed_or_left_open(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], record_property: Callable[[str, object], None]
) -> None:
    began = time.monotonic()
    with ExitStack() as stack:
        arenas = []
        for number in range(ARENAS):
            for kind in KINDS:
                folder = tmp_path / f"{kind}{number}"
                folder.mkdir()
                url = stack.enter_context(empty_database(kind, folder))
                arenas.append(
                    Arena(
                        number,
                        folder,
                        url.render_as_string(hide_password=False),
                        stack.enter_context(FakeGraphite().serve()),
                        stack.enter_context(Unreliable(number)),
                    )
                )
        pool = stack.enter_context(ThreadPoolExecutor(len(arenas)))
        for done in [pool.submit(arena.play) for arena in arenas]:
            done.result()
        missed = [key for arena in arenas for key in arena.missed()]
        left_open = [key for arena in arenas for key in arena.left_open()]
        duplicates = [key for arena in arenas for key in arena.duplicates()]
        events = [event for arena in arenas for event in arena.pagerduty.events()]
        faults = sum((arena.pagerduty.met for arena in arenas), Counter[str]())
        assert not any(arena.pagerduty.rejected() for arena in arenas)
    opened = sum(event.effect is Effect.OPENED for event in events)
    kills, breaches = (sum(counts) for counts in zip(*((one.kills, one.began.total()) for one in arenas), strict=True))
    lines = [
        f"rounds {ROUNDS * len(arenas)}, processes killed {kills}, in {time.monotonic() - began:.0f} s",
        f"breaches {breaches}, events accepted {len(events)}, incidents opened {opened}",
        "faults: " + ", ".join(f"{name} {count}" for name, count in sorted(faults.items())),
        f"missed {len(missed)}, left open {len(left_open)}, duplicate incidents {len(duplicates)}",
    ]
    with capsys.disabled():
        sys.stdout.write("\nkill -9: " + "\n         ".join(lines) + "\n")
    record_property("kill", lines)
    assert (missed, left_open, duplicates) == ([], [], [])
