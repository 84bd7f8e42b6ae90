"""Two hundred lives of a pager to which everything happens; tests/soak says what, docs/reliability.md what it shows."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.fakes.pagerduty import Fault
from tests.soak import verdict
from tests.soak.faults import SENDING_FAULTS, Blow, Boundary, Doom
from tests.soak.rulebook import BAD, FINE, SIMPLE, UNEASY
from tests.soak.run import STEPS, ground, soak
from tests.soak.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.soak.run import Ground
    from tests.soak.world import World

EXAMPLES = 200

WRITES = ("record", "tell", "claim", "mark_sent", "mark_failed", "mark_dead", "release")
READS = ("load", "silences", "open_incidents", "sent_since")
DOOMS = [
    *(
        Doom(boundary, operation=operation, is_death=is_death)
        for boundary in (Boundary.BEFORE_TRANSACTION, Boundary.BEFORE_COMMIT, Boundary.AFTER_COMMIT)
        for operation in WRITES
        for is_death in (True, False)
    ),
    *(
        Doom(Boundary.BEFORE_READING, operation=operation, is_death=is_death)
        for operation in READS
        for is_death in (True, False)
    ),
    *(
        Doom(boundary, after)
        for boundary in (Boundary.BEFORE_SEND, Boundary.AFTER_INGEST, Boundary.WHILE_FETCHING)
        for after in (0, 1, 2)
    ),
]


@pytest.fixture(scope="module")
def place() -> Iterator[Ground]:
    with ground() as laid_out:
        yield laid_out


@pytest.fixture
def world(place: Ground) -> Iterator[World]:
    world = place.world(Tally())
    world.watch_log()
    yield world
    world.close()


@pytest.mark.timeout(900)
def test_after_it_all_goes_quiet_what_is_open_at_pagerduty_is_what_fires(
    capsys: pytest.CaptureFixture[str], record_property: Callable[[str, object], None]
) -> None:
    tally = soak(EXAMPLES)
    with capsys.disabled():
        sys.stdout.write("\nsoak: " + "\n      ".join(tally.lines()) + "\n")
    record_property("soak", tally.lines())
    assert (tally.missed, tally.left_open, tally.duplicates) == (0, 0, 0)
    assert tally.examples >= EXAMPLES
    assert tally.steps >= 0.95 * EXAMPLES * STEPS  # an example may end early
    assert _untried(tally) == []


def _untried(tally: Tally) -> list[str]:
    """Boundaries and faults at which nothing was ever tried: the search would prove nothing for these."""
    struck = [*tally.crashes, *tally.lost_answers]
    boundaries = [one.value for one in Boundary if not any(place.startswith(one.value) for place in struck)]
    faults = {one.name.lower() if isinstance(one, Fault) else "invalid_event" for one in SENDING_FAULTS}
    return boundaries + sorted(faults - tally.faults.keys())


@pytest.mark.parametrize("doom", DOOMS, ids=lambda doom: f"{doom.boundary.name}-{doom.operation}-{doom.is_death}")
def test_each_boundary_may_be_the_last_thing_that_a_process_reaches(world: World, doom: Doom) -> None:
    """A page, its end, an escalation, a new routing key and a refused page, with the doom at the first occasion."""
    (daemon,) = world.daemons
    world.fate.arm(doom)
    for values, blow in (
        ({"p1": BAD, "p2": UNEASY}, Fault.RESET_AFTER_INGEST),
        ({"p1": FINE, "p2": BAD, "p3": BAD}, Fault.UNKNOWN_KEY),
        ({"p1": BAD, "p3": FINE, "p4": BAD}, Fault.UNAVAILABLE),
    ):
        for name, value in values.items():
            world.graphite.measure(name, value)
        world.network.blows = [Blow(blow), Blow(None)]
        for _ in range(2):
            world.wait(20)
            daemon.poll()
            daemon.send()
        if doom.operation == "release":
            daemon.stop()
        world.oracle.check_tables()
        world.book = world.book.edited(SIMPLE, "key")
        world.reroutes += 1
    assert world.tally.crashes.total() + world.tally.lost_answers.total() == 1, "the doom did not strike"
    verdict.come_to_rest(world)
    verdict.judge(world)
    assert any("p1" in one.title for one in world.pagerduty.open_incidents())
    verdict.all_is_well_again(world)
    verdict.judge(world)
    assert world.pagerduty.open_incidents() == ()
    assert world.complaints == []
