"""Who leads: a term ends at once when the lease is lost, and by itself when nobody renews it."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from graphitepager.errors import StoreError
from graphitepager.leading import Leadership, Term, lease_for

HEARTBEAT_S = 0.04


class FakeLease:
    """Answers as it is told to."""

    def __init__(self, *, answer: bool | Exception) -> None:
        self.answer = answer
        self.asked = 0
        self.is_released = False

    def acquire(self, now: datetime) -> bool:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def release(self) -> None:
        self.is_released = True


class Case:
    """A leadership that is asked by hand."""

    def __init__(self, *, answer: bool | Exception) -> None:
        self.lease = FakeLease(answer=answer)
        self.stop = threading.Event()
        self.woken = threading.Event()
        self.leadership = Leadership(
            self.lease,
            heartbeat_s=HEARTBEAT_S,
            stop=self.stop,
            clock=lambda: datetime.now(UTC),
            woken=self.woken.set,
            alive=lambda: None,
        )

    def ask(self) -> Term | None:
        self.leadership._ask()
        return self.leadership.term


def test_a_term_lasts_as_long_as_it_is_renewed() -> None:
    term = Term(threading.Event(), time.monotonic() + 0.05)
    assert not term.is_set()
    assert term.renew(time.monotonic() + 0.1)
    time.sleep(0.06)
    assert not term.is_set()
    time.sleep(0.06)
    assert term.is_set()
    assert not term.renew(time.monotonic() + 10)
    assert term.is_set()


def test_an_order_to_stop_ends_a_term() -> None:
    stop = threading.Event()
    term = Term(stop, time.monotonic() + 10)
    stop.set()
    assert term.is_set()


def test_who_has_the_lease_leads_and_who_has_not_stands_by() -> None:
    case = Case(answer=False)
    with capture_logs() as lines:
        assert (case.ask(), case.ask()) == (None, None)
    assert [line["event"] for line in lines] == ["standby"]
    case.lease.answer = True
    term = case.ask()
    assert term is not None
    assert case.woken.is_set()
    assert case.ask() is term


def test_a_lost_lease_ends_the_term_at_once() -> None:
    case = Case(answer=True)
    term = case.ask()
    assert term is not None
    case.lease.answer = False
    with capture_logs() as lines:
        assert case.ask() is None
    assert term.is_set()
    assert [line["event"] for line in lines] == ["lease_lost", "standby"]
    case.lease.answer = True
    assert case.ask() not in (None, term)


@pytest.mark.parametrize("error", [StoreError("locked"), RuntimeError("a bug")])
def test_in_doubt_a_term_goes_on_until_it_would_have_ended_anyway(error: Exception) -> None:
    case = Case(answer=True)
    case.leadership._lasts_s = 0.05
    term = case.ask()
    case.lease.answer = error
    with capture_logs() as lines:
        assert case.ask() is term
        time.sleep(0.06)
        assert (case.ask(), case.ask()) == (None, None)
    assert [line["event"] for line in lines] == ["lease_failed", "lease_lost"]


def test_the_thread_asks_until_the_end_and_then_gives_the_lease_back() -> None:
    case = Case(answer=True)
    with case.leadership.sought():
        assert case.woken.wait(5)
        term = case.leadership.term
        assert term is not None
    assert term.is_set()
    assert case.lease.is_released


@pytest.mark.parametrize(("heartbeat_s", "lasts_s"), [(0.5, 3), (2, 3), (20, 30), (60, 90), (3600, 90)])
def test_a_lease_lasts_one_and_a_half_heartbeats_within_reason(heartbeat_s: float, lasts_s: float) -> None:
    assert lease_for(heartbeat_s) == timedelta(seconds=lasts_s)
