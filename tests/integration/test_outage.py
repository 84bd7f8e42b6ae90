"""An hour without PagerDuty, and an hour without Graphite, on a clock that takes seconds for it."""

from __future__ import annotations

import itertools
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from graphitepager.incidents import dedup_key
from graphitepager.model import SeriesKey
from graphitepager.rules import Level
from tests.fakes.pagerduty import Fault
from tests.soak import verdict
from tests.soak.rulebook import BAD, FINE, SIMPLE, UNEASY
from tests.soak.run import ground
from tests.soak.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.soak.world import World

HOUR = 60  # minutes
FAULTS = (
    Fault.REFUSED,
    Fault.HANG,
    Fault.UNAVAILABLE,
    Fault.RATE_LIMITED_FOR_SECONDS,
    Fault.RESET_BEFORE_INGEST,
    Fault.ACCEPTED_HTML,
)


@pytest.fixture
def world() -> Iterator[World]:
    with ground() as laid_out:
        world = laid_out.world(Tally())
        world.watch_log()
        yield world
        world.close()


def minute(world: World) -> None:
    world.wait(60)
    for daemon in world.daemons:
        daemon.poll()
        daemon.send()


def summaries(world: World) -> list[str]:
    return sorted(one.title for one in world.pagerduty.open_incidents())


def report(world: World, name: str, capsys: pytest.CaptureFixture[str], record: Callable[[str, object], None]) -> None:
    """Judge the world at rest, print the numbers, and hold them to zero."""
    verdict.come_to_rest(world)
    verdict.judge(world)
    verdict.all_is_well_again(world)
    verdict.judge(world)
    tally = world.tally
    line = (
        f"{tally.polls} polls, {tally.sends} sends: "
        f"missed {tally.missed}, left open {tally.left_open}, duplicate incidents {tally.duplicates}"
    )
    with capsys.disabled():
        sys.stdout.write(f"\n{name}: {line}\n")
    record("outage", line)
    assert world.complaints == []
    assert (tally.missed, tally.left_open, tally.duplicates) == (0, 0, 0)
    assert summaries(world) == []


def test_an_hour_without_pagerduty_loses_no_page_and_leaves_nothing_open(
    world: World, capsys: pytest.CaptureFixture[str], record_property: Callable[[str, object], None]
) -> None:
    world.graphite.measure("p1", BAD)
    world.graphite.measure("s1", UNEASY)
    for _ in range(4):
        minute(world)
    assert len(summaries(world)) == 2
    faults = itertools.cycle(FAULTS)
    for passed in range(HOUR):
        world.network.standing = next(faults)
        if passed == 5:
            world.graphite.measure("p1", FINE)  # was open before, and ends meanwhile
            world.graphite.measure("p2", BAD)  # begins, and lasts
            world.graphite.measure("p3", BAD)  # begins, and ends unheard
        if passed == 25:
            world.graphite.measure("p3", FINE)
            world.graphite.measure("p4", UNEASY)  # begins as a warning, and gets worse
        if passed == 40:
            world.graphite.measure("p4", BAD)
        if passed % 10 == 9:
            world.daemons[0].die()
        minute(world)
    assert len(summaries(world)) == 2  # as it was an hour ago
    world.network.standing = None
    back_at = world.true_time
    paged_after: dict[str, timedelta] = {}
    for _ in range(20):
        world.wait(5)
        world.daemons[0].send()
        for name in ("p2", "p4"):
            key = dedup_key(SeriesKey(SIMPLE, name), Level.CRITICAL)
            if any(one.dedup_key == key for one in world.pagerduty.open_incidents()):
                paged_after.setdefault(name, world.true_time - back_at)
    assert paged_after.keys() == {"p2", "p4"}
    assert max(paged_after.values()) <= timedelta(seconds=65), paged_after
    assert not any("p1" in one or "p3" in one for one in summaries(world))
    report(world, "an hour without PagerDuty", capsys, record_property)


def test_an_hour_without_graphite_ends_nothing_and_pages_once_for_itself(
    world: World, capsys: pytest.CaptureFixture[str], record_property: Callable[[str, object], None]
) -> None:
    world.graphite.measure("p1", BAD)
    for _ in range(2):
        minute(world)
    (before,) = summaries(world)
    world.graphite.down = frozenset(rule.name for rule in world.book.rules)
    for passed in range(HOUR):
        if passed == 20:
            world.graphite.measure("p1", FINE)
            world.graphite.measure("p2", BAD)
        if passed % 10 == 9:
            world.daemons[0].die()
        minute(world)
        outage = [one for one in summaries(world) if one != before]
        assert len(outage) == (passed >= 4) or passed in {2, 3}, (passed, outage)
        assert before in summaries(world)  # nobody knows that it has ended
    world.graphite.down = frozenset()
    minute(world)
    minute(world)
    (after,) = summaries(world)
    assert "p2" in after
    assert sum("Graphite" in one.title for one in world.pagerduty.incidents()) == 1
    report(world, "an hour without Graphite", capsys, record_property)
