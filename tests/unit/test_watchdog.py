"""The watchdog: who is silent for too long ends the process, but not for a machine that slept."""

from __future__ import annotations

import threading

import pytest
from structlog.testing import capture_logs

from graphitepager.watchdog import Watchdog

LIMIT_S = 180.0


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Case:
    """A watchdog that only notes that it would end the process."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.codes: list[int] = []
        self.well_at: list[float] = []
        self.watchdog = Watchdog(
            clock=self.clock, leave=self.codes.append, well=lambda: self.well_at.append(self.clock.now)
        )
        self.watchdog.beat("loop", LIMIT_S)

    def look_after(self, seconds: float) -> None:
        self.clock.now += seconds
        self.watchdog.look()


@pytest.fixture
def case() -> Case:
    return Case()


def test_who_gives_a_sign_of_life_in_time_is_left_alone(case: Case) -> None:
    for _ in range(10):
        case.look_after(LIMIT_S)
        case.watchdog.beat("loop", LIMIT_S)
    assert case.codes == []


def test_who_is_overdue_at_two_looks_ends_the_process_with_all_stacks_in_the_log(case: Case) -> None:
    case.look_after(LIMIT_S + 1)
    assert case.codes == []
    with capture_logs() as lines:
        case.look_after(20)
    assert case.codes == [70]
    assert lines[0] == {"event": "hung", "log_level": "critical", "part": "loop", "silent_s": LIMIT_S + 21}
    (mine,) = (line for line in lines if line.get("thread") == threading.current_thread().name)
    assert "test_watchdog.py:" in mine["stack"]
    assert "look_after < test_watchdog.py:" in mine["stack"]
    assert {line.get("thread") for line in lines[1:]} >= {thread.name for thread in threading.enumerate()}


def test_from_outside_it_looks_well_only_while_nobody_is_overdue(case: Case) -> None:
    case.look_after(20)
    case.look_after(LIMIT_S)
    case.watchdog.beat("loop", LIMIT_S)
    case.look_after(20)
    assert case.well_at == [1020, 1040 + LIMIT_S]


def test_a_machine_that_slept_gets_time_to_come_round(case: Case) -> None:
    case.look_after(24 * 3600)
    case.watchdog.beat("loop", LIMIT_S)
    case.look_after(20)
    assert case.codes == []
    case.look_after(24 * 3600)  # asleep again: still the first look at this silence
    assert case.codes == []


def test_each_part_has_its_own_limit_which_it_may_change(case: Case) -> None:
    case.watchdog.beat("lease", 10 * LIMIT_S)
    case.watchdog.beat("loop", 10 * LIMIT_S)
    case.look_after(5 * LIMIT_S)
    case.look_after(20)
    assert case.codes == []


def test_who_has_ended_in_order_is_no_longer_expected(case: Case) -> None:
    case.watchdog.forget("loop")
    case.look_after(10 * LIMIT_S)
    case.look_after(20)
    assert case.codes == []
