"""Warnings that are collected and told together, on real databases: at their time, and nothing waits for them."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from graphitepager.errors import SendError
from graphitepager.model import EventKind, Message
from graphitepager.outbox import Outbox
from graphitepager.rules import Level, Route
from graphitepager.store import Store
from tests.integration.store_support import KINDS, NOON, empty_database, record, repeated, resolved, triggered

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from graphitepager.records import Change

SLACK = Route("slack", "https://hooks.slack.com/x")
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


class Chat:
    """A notifier, and the clock by which it is sent to; it refuses as often as it is told."""

    def __init__(self) -> None:
        self.now = NOON
        self.sent: list[Message] = []
        self.refusals: list[SendError] = []

    def clock(self) -> datetime:
        return self.now

    def send(self, message: Message, address: str) -> str:
        self.sent.append(message)
        if self.refusals:
            raise self.refusals.pop()
        return "200 ok"


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with empty_database(request.param, tmp_path) as url, Store.open(url) as opened:
        yield opened


@pytest.fixture
def chat() -> Chat:
    return Chat()


def collected(series: str, level: Level = Level.WARNING) -> Change:
    change = triggered(series, SLACK, level=level)
    return replace(change, digests={SLACK: HOUR}) if level is Level.WARNING else change


def look(store: Store, chat: Chat, after: timedelta) -> list[tuple[EventKind, str]]:
    """What is sent when a new process looks so long after noon."""
    chat.now, before = NOON + after, len(chat.sent)
    Outbox("slack", store, lambda _: chat, chat.clock, lambda: 0.0).send_due(threading.Event())
    return [(message.kind, message.series) for message in chat.sent[before:]]


def test_warnings_wait_for_the_full_hour_and_are_one_message_then(store: Store, chat: Chat) -> None:
    record(store, collected("a"), collected("b"))
    assert look(store, chat, 59 * MINUTE) == []
    assert store.backlog().pending == 0
    assert store.backlog().oldest_page is None
    assert store.next_due(chat.now) == NOON + HOUR
    assert look(store, chat, HOUR) == [(EventKind.DIGEST, "2 messages")]
    [digest] = chat.sent
    assert digest.summary == "DIGEST of warnings: 2 began"
    assert list(digest.details.values()) == ["12:00 UTC Warning: a", "12:00 UTC Warning: b"]
    assert look(store, chat, 3 * HOUR) == []


def test_a_critical_page_waits_for_no_digest_and_neither_does_its_end(store: Store, chat: Chat) -> None:
    record(store, collected("a", Level.CRITICAL))
    assert look(store, chat, MINUTE) == [(EventKind.TRIGGERED, "a")]
    record(store, collected("a"), resolved("a", level=Level.CRITICAL))
    assert look(store, chat, 2 * MINUTE) == [(EventKind.RESOLVED, "a")]


def test_the_end_of_what_was_told_in_a_digest_is_told_in_the_next_one(store: Store, chat: Chat) -> None:
    record(store, collected("a"), collected("b"))
    look(store, chat, HOUR)
    later = NOON + HOUR + MINUTE
    record(store, resolved("a", at=later), repeated("b", at=later))
    assert look(store, chat, HOUR + 2 * MINUTE) == []
    look(store, chat, 2 * HOUR)
    assert chat.sent[-1].summary == "DIGEST of warnings: 1 ended, 1 went on"


def test_what_came_and_went_before_its_digest_is_not_told(store: Store, chat: Chat) -> None:
    record(store, collected("a"))
    assert [change.message.series for change in record(store, resolved("a"))] == ["a"]
    assert look(store, chat, 2 * HOUR) == []


def test_a_digest_of_one_is_that_message(store: Store, chat: Chat) -> None:
    record(store, collected("a"))
    assert look(store, chat, HOUR) == [(EventKind.TRIGGERED, "a")]


def test_a_digest_that_fails_is_sent_again_as_a_whole(store: Store, chat: Chat) -> None:
    record(store, collected("a"), collected("b"))
    chat.refusals = [SendError("503")]
    assert look(store, chat, HOUR) == [(EventKind.DIGEST, "2 messages")]
    assert store.backlog().pending == 2
    assert look(store, chat, HOUR + MINUTE) == [(EventKind.DIGEST, "2 messages")]
    assert chat.sent[0].id == chat.sent[1].id
    assert store.backlog().pending == 0


def test_a_digest_that_is_refused_for_good_is_dead_as_a_whole(store: Store, chat: Chat) -> None:
    record(store, collected("a"), collected("b"))
    chat.refusals = [SendError("404", permanent=True)]
    look(store, chat, HOUR)
    assert (store.backlog().dead, store.backlog().pending) == (2, 0)


def test_a_clock_that_was_set_back_holds_no_digest_back_for_long(store: Store, chat: Chat) -> None:
    record(store, collected("a"))
    assert look(store, chat, -5 * HOUR) == [(EventKind.TRIGGERED, "a")]


def test_a_digest_that_was_being_sent_when_its_process_died_is_sent_by_the_next(store: Store, chat: Chat) -> None:
    record(store, collected("a"), collected("b"))
    [first] = store.claim(NOON + HOUR, worker="dead", lease=MINUTE, limit=1)
    assert len(store.claim_digest(NOON + HOUR, first, worker="dead", lease=MINUTE)) == 1
    assert look(store, chat, HOUR) == []
    assert look(store, chat, HOUR + 2 * MINUTE) == [(EventKind.DIGEST, "2 messages")]
