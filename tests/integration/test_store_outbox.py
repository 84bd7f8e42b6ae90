"""The outbox on a real store: in order, at the pace that each address bears, and never silent about what is lost."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from sqlalchemy import select

from graphitepager.errors import SendError
from graphitepager.model import EventKind
from graphitepager.notifiers.pagerduty import PagerDuty
from graphitepager.notifiers.stdout import Stdout
from graphitepager.outbox import Outbox
from graphitepager.records import Backlog
from graphitepager.rules import Level, Route
from graphitepager.store import Store, tables
from tests.fakes.pagerduty import Answer, FakePagerDuty, Fault
from tests.integration.store_support import NOON, empty_database, record, repeated, resolved, triggered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from graphitepager.model import Message

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
KEY, OTHER_KEY = "R0utingKey0123456789abcdefgh7XqZ", "0therKey00123456789abcdefgh7XqZ0"
ROUTE, OTHER_ROUTE = Route("pagerduty", KEY), Route("pagerduty", OTHER_KEY)
STDOUT = Route("stdout", "")
INVALID = Answer.of_json(400, {"message": "Event object is invalid", "errors": ["'links' are bad"]})


class Clock:
    """Stands until it is moved. Each look may take `step`, as sending does in life."""

    def __init__(self, step: timedelta = timedelta()) -> None:
        self.now = NOON
        self.step = step

    def __call__(self) -> datetime:
        self.now += self.step
        return self.now


class Scripted:
    """A notifier that does as it is told: for each message an error, or an answer."""

    def __init__(self, behave: Callable[[Message, str], str]) -> None:
        self.behave = behave
        self.sent: list[tuple[EventKind, str, str]] = []

    def send(self, message: Message, address: str) -> str:
        self.sent.append((message.kind, message.series, address))
        return self.behave(message, address)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with empty_database("sqlite", tmp_path) as url, Store.open(url) as store:
        yield store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fake(clock: Clock) -> Iterator[FakePagerDuty]:
    """A fake that lives by the test's clock, and that nothing of ours may be refused by."""
    with FakePagerDuty(clock=lambda: clock.now) as running:
        yield running
        assert running.rejected() == ()


@pytest.fixture
def logged() -> Iterator[Sequence[Mapping[str, Any]]]:
    with structlog.testing.capture_logs() as entries:
        yield entries


def outbox_of(store: Store, clock: Clock, notifier: Any, name: str = "pagerduty", **other: Any) -> Outbox:
    return Outbox(name, store, lambda _name: notifier, clock, lambda: 0.0, **other)


def send(outbox: Outbox) -> None:
    outbox.send_due(threading.Event())


def drain(outbox: Outbox, store: Store, clock: Clock, until: Callable[[], object] = lambda: False) -> None:
    """Let the outbox live until nothing waits: the clock goes from one moment at which it wakes to the next."""
    for _ in range(1000):
        send(outbox)
        due = outbox.next_due()
        if due is None or until():
            return
        clock.now = max(clock.now, due)
    raise AssertionError(f"still waiting: {store.backlog()}")


def history(store: Store, *names: str) -> list[tuple[Any, ...]]:
    with store._reader.begin() as db:
        columns = [tables.deliveries.c[name] for name in names]
        return [tuple(row) for row in db.execute(select(*columns).order_by(tables.deliveries.c.id))]


def pages(count: int, route: Route = ROUTE) -> list[Any]:
    return [triggered(f"web{number}", route) for number in range(count)]


def fullest_minute(fake: FakePagerDuty) -> int:
    times = sorted(event.at for event in fake.events())
    return max(sum(start <= at < start + MINUTE for at in times) for start in times)


# Pace.


def test_three_hundred_pages_at_once_take_as_many_requests_and_no_minute_holds_more_than_a_hundred(
    store: Store, clock: Clock, fake: FakePagerDuty, capsys: pytest.CaptureFixture[str]
) -> None:
    record(store, *pages(300))
    drain(outbox_of(store, clock, PagerDuty(fake.url)), store, clock)
    with capsys.disabled():
        print(f"\n300 pages: {fake.request_count()} requests, the last after {clock.now - NOON}")  # noqa: T201
    assert (fake.request_count(), len(fake.open_incidents()), fullest_minute(fake)) == (300, 300, 100)
    assert clock.now - NOON == 2 * MINUTE


@pytest.mark.parametrize(("tells", "most_requests"), [(True, 306), (False, 345)])
def test_a_receiver_that_takes_less_than_we_send_costs_few_requests(
    store: Store, clock: Clock, capsys: pytest.CaptureFixture[str], most_requests: int, *, tells: bool
) -> None:
    """Other tools send with the same key."""
    record(store, *pages(300))
    with FakePagerDuty(clock=lambda: clock.now, rate_limit=60, tells_retry_after=tells) as fake:
        drain(outbox_of(store, clock, PagerDuty(fake.url)), store, clock)
        spent = f"{fake.request_count()} requests, the last after {clock.now - NOON}"
        with capsys.disabled():
            print(f"\n300 pages at 60 a minute, Retry-After {tells}: {spent}")  # noqa: T201
        assert len(fake.open_incidents()) == 300
        assert fake.request_count() <= most_requests
    assert store.backlog() == Backlog(pending=0, dead=0)


def test_after_a_429_a_critical_page_leaves_with_the_next_free_slot(
    store: Store, clock: Clock, fake: FakePagerDuty
) -> None:
    record(store, *pages(20))
    outbox = outbox_of(store, clock, PagerDuty(fake.url))
    fake.fail_next(Fault.RATE_LIMITED_FOR_SECONDS)
    send(outbox)
    assert fake.request_count() == 1
    record(store, triggered("critical", ROUTE, level=Level.CRITICAL), resolved("web0"))
    send(outbox)
    assert (fake.request_count(), outbox.next_due()) == (1, NOON + 30 * SECOND)
    clock.now = NOON + 30 * SECOND
    send(outbox)
    assert fake.events()[0].payload["severity"] == "critical"


def test_while_one_key_rests_the_others_go_on(store: Store, clock: Clock, fake: FakePagerDuty) -> None:
    record(store, *pages(3), triggered("other", OTHER_ROUTE))
    fake.fail_next(Fault.RATE_LIMITED)
    send(outbox_of(store, clock, PagerDuty(fake.url)))
    assert [event.routing_key for event in fake.events()] == [OTHER_KEY]
    assert fake.request_count() == 2


def test_throttled_again_and_again_a_key_rests_longer_whatever_is_sent_first(store: Store, clock: Clock) -> None:
    def refuse(message: Message, address: str) -> str:
        raise SendError("429", is_throttled=True)

    notifier = Scripted(refuse)
    outbox = outbox_of(store, clock, notifier)
    waits = []
    for number in range(8):
        record(store, triggered(f"{number}", ROUTE, level=Level.CRITICAL, at=NOON - number * SECOND))
        send(outbox)
        due = outbox.next_due()
        assert due is not None
        waits.append((due - clock.now).total_seconds())
        clock.now = due
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]
    assert len(notifier.sent) == 8


def test_a_restart_begins_no_new_minute_and_a_critical_page_gets_its_first_slot(store: Store, clock: Clock) -> None:
    record(store, *pages(150))
    notifier = Scripted(lambda _message, _address: "202")
    send(outbox_of(store, clock, notifier))
    clock.now += 30 * SECOND
    record(store, triggered("critical", ROUTE, level=Level.CRITICAL))
    restarted = outbox_of(store, clock, notifier)
    send(restarted)
    assert (len(notifier.sent), restarted.next_due()) == (100, NOON + MINUTE)
    clock.now = NOON + MINUTE
    send(restarted)
    assert (len(notifier.sent), notifier.sent[100][1]) == (151, "critical")


def test_standard_output_has_no_limit(store: Store, clock: Clock) -> None:
    record(store, *pages(250, STDOUT))
    notifier = Scripted(lambda _message, _address: "printed")
    send(outbox_of(store, clock, notifier, "stdout"))
    assert len(notifier.sent) == 250


# Waiting.


@pytest.mark.parametrize("change", [triggered, repeated, resolved], ids=lambda one: str(one)[:20])
def test_nothing_waits_for_longer_than_a_minute(store: Store, clock: Clock, change: Callable[..., Any]) -> None:
    errors: list[SendError] = []

    def answer(message: Message, address: str) -> str:
        if errors:
            raise errors.pop()
        return "202"

    outbox = outbox_of(store, clock, Scripted(answer))
    if change is not triggered:
        record(store, triggered("a", ROUTE))
        send(outbox)
    record(store, triggered("a", ROUTE) if change is triggered else change("a"))
    errors.append(SendError("503", retry_after=timedelta(hours=2)))
    send(outbox)
    assert store.next_due(clock.now) == NOON + MINUTE


def test_a_resolve_that_a_proxy_refuses_for_a_while_arrives_all_the_same(store: Store, clock: Clock) -> None:
    refusals = [SendError("PagerDuty answered 307", permanent=True) for _ in range(30)]

    def answer(message: Message, address: str) -> str:
        if message.kind is EventKind.RESOLVED and refusals:
            raise refusals.pop()
        return "202"

    outbox = outbox_of(store, clock, Scripted(answer))
    record(store, triggered("a", ROUTE))
    send(outbox)
    record(store, resolved("a"))
    drain(outbox, store, clock)
    assert (store.backlog(), history(store, "attempts")) == (Backlog(pending=0, dead=0), [(0,), (30,)])


def test_one_that_is_refused_for_an_hour_is_given_up(store: Store, clock: Clock) -> None:
    def answer(message: Message, address: str) -> str:
        if message.kind is EventKind.RESOLVED:
            raise SendError("PagerDuty answered 403", permanent=True)
        return "202"

    outbox = outbox_of(store, clock, Scripted(answer))
    record(store, triggered("a", ROUTE))
    send(outbox)
    record(store, resolved("a"))
    drain(outbox, store, clock)
    assert store.backlog() == Backlog(pending=0, dead=1)
    assert timedelta(hours=1) <= clock.now - NOON < timedelta(hours=1, minutes=2)


def test_a_page_waits_behind_a_throttled_resolve_for_a_minute_only(store: Store, clock: Clock) -> None:
    wishes = [SendError("429", is_throttled=True, retry_after=timedelta(minutes=8))]

    def answer(message: Message, address: str) -> str:
        if message.kind is EventKind.RESOLVED and wishes:
            raise wishes.pop()
        return "202"

    notifier = Scripted(answer)
    outbox = outbox_of(store, clock, notifier)
    record(store, triggered("a", ROUTE))
    send(outbox)
    record(store, resolved("a"))
    send(outbox)
    record(store, triggered("a", ROUTE))
    clock.now = NOON + MINUTE
    send(outbox)
    assert [kind for kind, _, _ in notifier.sent] == [
        EventKind.TRIGGERED,
        EventKind.RESOLVED,
        EventKind.RESOLVED,
        EventKind.TRIGGERED,
    ]


def test_a_page_that_fails_is_tried_again_until_it_is_taken(store: Store, clock: Clock, fake: FakePagerDuty) -> None:
    record(store, triggered("a", ROUTE))
    fake.fail_next(Fault.SERVER_ERROR, times=4)
    drain(outbox_of(store, clock, PagerDuty(fake.url)), store, clock)
    assert clock.now - NOON == (1 + 2 + 4 + 8) * SECOND
    ((attempts, error, answer),) = history(store, "attempts", "last_error", "answer")
    assert (attempts, error[:22], answer) == (4, "PagerDuty answered 500", "202 Event processed")


# What the receiver refuses.


def test_a_message_that_is_found_invalid_is_sent_at_once_with_as_little_as_can_be(
    store: Store, clock: Clock, fake: FakePagerDuty, logged: Sequence[Mapping[str, Any]]
) -> None:
    record(store, triggered("wĕb1", ROUTE))
    fake.fail_next(INVALID)
    send(outbox_of(store, clock, PagerDuty(fake.url)))
    (event,) = fake.events()
    assert event.payload["summary"] == "Warning: w?b1"
    assert (event.body["links"], event.payload["custom_details"]) == ([], {})
    assert event.dedup_key == triggered("wĕb1").message.dedup_key
    assert [(entry["log_level"], entry["event"]) for entry in logged] == [
        ("error", "message_refused"),
        ("info", "sent"),
    ]
    ((attempts, error, answer),) = history(store, "attempts", "last_error", "answer")
    assert (attempts, answer) == (1, "202 Event processed")
    assert "'links' are bad" in error
    record(store, resolved("wĕb1"))
    send(outbox_of(store, clock, PagerDuty(fake.url)))
    assert fake.open_incidents() == ()


def test_a_message_that_is_invalid_even_so_is_given_up_loudly(
    store: Store, clock: Clock, fake: FakePagerDuty, logged: Sequence[Mapping[str, Any]]
) -> None:
    record(store, triggered("a", ROUTE))
    fake.fault = INVALID
    drain(outbox_of(store, clock, PagerDuty(fake.url)), store, clock)
    assert (fake.request_count(), store.backlog()) == (2, Backlog(pending=0, dead=1, unheard=1))
    assert [(entry["log_level"], entry["event"]) for entry in logged] == [
        ("error", "message_refused"),
        ("error", "not_delivered"),
    ]
    assert history(store, "attempts") == [(2,)]


@pytest.mark.parametrize("fault", [Fault.REDIRECT, Answer(401), Answer(403), Answer(404)])
def test_what_a_proxy_may_have_refused_is_tried_for_an_hour(
    store: Store, clock: Clock, fake: FakePagerDuty, fault: Fault | Answer
) -> None:
    record(store, triggered("a", ROUTE))
    fake.fault = fault
    drain(outbox_of(store, clock, PagerDuty(fake.url)), store, clock)
    assert store.backlog() == Backlog(pending=0, dead=1, unheard=1)
    assert timedelta(hours=1) <= clock.now - NOON < timedelta(hours=1, minutes=2)


def test_a_page_that_was_refused_for_once_arrives(store: Store, clock: Clock, fake: FakePagerDuty) -> None:
    record(store, triggered("a", ROUTE))
    fake.fail_next(Answer(403))
    drain(outbox_of(store, clock, PagerDuty(fake.url)), store, clock)
    assert len(fake.open_incidents()) == 1


def test_a_key_that_pagerduty_does_not_know_is_given_up_at_once(
    store: Store, clock: Clock, fake: FakePagerDuty, logged: Sequence[Mapping[str, Any]]
) -> None:
    record(store, triggered("a", ROUTE))
    fake.fault = Fault.UNKNOWN_KEY
    drain(outbox_of(store, clock, PagerDuty(fake.url)), store, clock)
    assert (fake.request_count(), store.backlog()) == (1, Backlog(pending=0, dead=1, unheard=1))
    assert [entry["event"] for entry in logged] == ["not_delivered"]


def test_the_minimal_form_outlives_a_restart(store: Store, clock: Clock, fake: FakePagerDuty) -> None:
    record(store, triggered("a", ROUTE))
    fake.fail_next(INVALID)
    fake.fail_next(Fault.BAD_GATEWAY)
    send(outbox_of(store, clock, PagerDuty(fake.url)))
    clock.now += MINUTE
    send(outbox_of(store, clock, PagerDuty(fake.url)))
    assert [event.payload["custom_details"] for event in fake.events()] == [{}]


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


# Order.


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
