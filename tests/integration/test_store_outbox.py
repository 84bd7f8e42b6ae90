"""The outbox on a real store: in order, and whatever a notifier does, it goes on."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from graphitepager.errors import SendError
from graphitepager.notifiers.pagerduty import PagerDuty
from graphitepager.notifiers.stdout import Stdout
from graphitepager.records import Backlog, DeliveryStatus
from tests.fakes.pagerduty import FakePagerDuty, Fault
from tests.integration.outbox_support import (
    MINUTE,
    ROUTE,
    SECOND,
    STDOUT,
    Clock,
    Scripted,
    drain,
    history,
    outbox_of,
    pages,
    send,
)
from tests.integration.store_support import record, resolved, triggered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from graphitepager.model import Message
    from graphitepager.store import Store

# One kind of database is enough: what the others do differently is tested elsewhere.
pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def test_a_resolve_never_overtakes_its_trigger(store: Store, clock: Clock, fake: FakePagerDuty) -> None:
    outbox = outbox_of(store, clock, PagerDuty(fake.url))
    record(store, triggered("a", ROUTE))
    fake.fail_next(Fault.RESET_AFTER_INGEST)
    send(outbox)
    record(store, resolved("a"))
    drain(outbox, store, clock)
    assert [event.action for event in fake.events()] == ["trigger", "resolve"]
    assert fake.open_incidents() == ()


def test_a_bug_in_a_notifier_costs_one_attempt_and_no_page(store: Store, clock: Clock) -> None:
    bugs = [ZeroDivisionError("oops")]

    def answer(message: Message, address: str) -> str:
        if bugs:
            raise bugs.pop()
        return "202"

    record(store, triggered("a", ROUTE))
    drain(outbox_of(store, clock, Scripted(answer)), store, clock)
    ((error, answer_),) = history(store, "last_error", "answer")
    assert error.startswith("ZeroDivisionError: oops (test_store_outbox.py:")
    assert answer_ == "202"


@pytest.mark.parametrize(("answer", "kept"), [(202, "202"), (None, ""), ("a\nb\0", "a\\nb\\x00")])
def test_whatever_a_notifier_answers_the_message_is_sent_once(
    store: Store, clock: Clock, answer: Any, kept: str
) -> None:
    record(store, triggered("a", ROUTE))
    notifier = Scripted(lambda _message, _address: answer)
    drain(outbox_of(store, clock, notifier), store, clock)
    assert len(notifier.sent) == 1
    assert history(store, "status", "answer") == [(DeliveryStatus.SENT, kept)]


def test_a_notifier_that_asks_for_the_end_of_the_program_costs_one_attempt(store: Store, clock: Clock) -> None:
    def leave(_message: Message, _address: str) -> str:
        sys.exit("fatal")

    record(store, triggered("a", ROUTE))
    send(outbox_of(store, clock, Scripted(leave)))
    assert history(store, "attempts", "last_error") == [(1, "the notifier asked for the end of the program (fatal)")]


def test_a_loop_wakes_when_a_pause_ends_and_stops_when_it_is_told(store: Store) -> None:
    clock = Clock()
    refusals = [SendError("429", is_throttled=True)]

    def answer(message: Message, address: str) -> str:
        if refusals:
            clock.now += 1 * SECOND  # the wait is over by the time that the loop looks at it
            raise refusals.pop()
        return "202"

    record(store, triggered("a", ROUTE), triggered("b", ROUTE))
    outbox = outbox_of(store, clock, Scripted(answer))
    stop = threading.Event()
    thread = threading.Thread(target=outbox.run, args=(stop,))
    thread.start()
    give_up_at = time.monotonic() + 5
    while store.backlog().pending and time.monotonic() < give_up_at:
        clock.now += SECOND
        time.sleep(0.02)
    stop.set()
    outbox.wake()
    thread.join(5)
    assert (thread.is_alive(), store.backlog()) == (False, Backlog(pending=0, dead=0))


# What never ends.


@contextmanager
def full_pipe() -> Iterator[tuple[Stdout, Callable[[], bytes]]]:
    """Standard output into a pipe that nobody reads, already full; and a way to read it at last."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"." * 65536)
    except BlockingIOError:
        os.set_blocking(writer, True)
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        yield Stdout(stream), partial(os.read, reader, 1 << 20)
        while threading.active_count() > 1 and any(one.name.startswith("within") for one in threading.enumerate()):
            os.read(reader, 1 << 20)
            time.sleep(0.01)
    os.close(reader)


def test_a_notifier_that_hangs_is_given_up_and_goes_on_once_it_can(store: Store, clock: Clock) -> None:
    with full_pipe() as (stdout, read):
        record(store, triggered("a", STDOUT))
        outbox = outbox_of(store, clock, stdout, "stdout", deadline_s=0.05)
        send(outbox)
        assert history(store, "attempts", "last_error") == [(1, "no answer from stdout within 0.05 s")]
        assert read().startswith(b"....")
        clock.now += MINUTE
        # Of how long the first one takes to leave the pipe's lock nothing is said.
        for _ in range(20):
            send(outbox)
            if not store.backlog().pending:
                break
            time.sleep(0.05)
            clock.now += MINUTE
        assert store.backlog() == Backlog(pending=0, dead=0)


def test_hanging_sends_do_not_pile_up(store: Store, clock: Clock) -> None:
    release = threading.Event()
    begun = Counter[str]()

    def hang(message: Message, address: str) -> str:
        begun[message.series] += 1
        release.wait(10)
        return "printed"

    record(store, *pages(20, STDOUT))
    outbox = outbox_of(store, clock, Scripted(hang), "stdout", deadline_s=0.01)
    send(outbox)
    assert begun.total() == 8
    assert Counter(error for (error,) in history(store, "last_error")) == {
        "no answer from stdout within 0.01 s": 8,
        "8 sends hang already, so that this one was not begun": 12,
    }
    release.set()
    clock.now += MINUTE
    for _ in range(50):
        time.sleep(0.01)
        clock.now += MINUTE
        send(outbox)
    assert store.backlog() == Backlog(pending=0, dead=0)


def test_a_template_that_failed_is_told_when_the_page_is_sent(
    store: Store, clock: Clock, logged: Sequence[Mapping[str, Any]]
) -> None:
    failed = triggered("a", ROUTE)
    errors = {"template_errors": "summary: there is no 3"}
    record(store, replace(failed, message=replace(failed.message, details=errors)))
    refusals = [SendError("500")]

    def answer(message: Message, address: str) -> str:
        if refusals:
            raise refusals.pop()
        return "202"

    drain(outbox_of(store, clock, Scripted(answer)), store, clock)
    assert [entry["event"] for entry in logged] == ["send_failed", "sent", "template_failed"]
    told = {"alert": "Load", "series": "a", "reason": "summary: there is no 3", "log_level": "warning"}
    assert told.items() <= logged[-1].items()
