"""How long a failed send waits, and how fast one address is sent to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphitepager import outbox
from graphitepager.notifiers import rate_per_minute
from graphitepager.notifiers.pagerduty import PagerDuty
from graphitepager.outbox import backoff
from graphitepager.pacing import Pace

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.mark.parametrize(
    ("attempts", "shortest_s", "longest_s"), [(1, 1, 2), (2, 2, 4), (5, 16, 32), (6, 30, 60), (9999, 30, 60)]
)
def test_the_wait_doubles_up_to_a_minute(attempts: int, shortest_s: float, longest_s: float) -> None:
    assert backoff(attempts, 0.0) == shortest_s * SECOND
    assert backoff(attempts, 1.0) == longest_s * SECOND


def test_a_receiver_that_asks_for_longer_gets_it() -> None:
    assert backoff(1, 0.0, 30 * SECOND) == 30 * SECOND
    assert backoff(1, 0.0, timedelta(0)) == SECOND


def test_nothing_waits_for_more_than_a_minute_whatever_is_asked_for() -> None:
    assert backoff(1, 0.0, timedelta(days=9)) == MINUTE


def test_a_claim_outlasts_a_send_and_that_the_notifiers_own_deadline() -> None:
    assert PagerDuty("https://events.pagerduty.com")._deadline_s < outbox.SEND_DEADLINE_S
    assert outbox.SEND_DEADLINE_S * SECOND < outbox.LEASE


def test_a_notifier_says_how_fast_it_may_be_sent_to() -> None:
    assert [rate_per_minute(name) for name in ("pagerduty", "stdout", "gone")] == [100, None, None]


def test_an_address_is_full_until_the_first_of_its_minute_is_over() -> None:
    pace = Pace(3)
    for seconds in (0, 10, 20):
        assert pace.paused(NOON + seconds * SECOND) == {}
        pace.attempted("key", NOON + seconds * SECOND)
    assert pace.paused(NOON + 20 * SECOND) == {"key": NOON + MINUTE}
    assert pace.paused(NOON + MINUTE) == {}
    pace.attempted("key", NOON + MINUTE)
    assert pace.paused(NOON + MINUTE) == {"key": NOON + MINUTE + 10 * SECOND}


def test_each_address_has_a_minute_of_its_own() -> None:
    pace = Pace(1)
    pace.attempted("full", NOON)
    assert pace.paused(NOON) == {"full": NOON + MINUTE}


def test_without_a_rate_nothing_is_ever_full() -> None:
    pace = Pace(None)
    for _ in range(1000):
        pace.attempted("key", NOON)
    assert pace.paused(NOON) == {}


def test_a_history_that_is_longer_than_the_limit_is_waited_for() -> None:
    """A limit may have been lower when the process before this one sent it."""
    pace = Pace(2)
    for seconds in range(5):
        pace.attempted("key", NOON + seconds * SECOND)
    assert pace.paused(NOON + 5 * SECOND) == {"key": NOON + 3 * SECOND + MINUTE}


def test_a_pause_holds_until_its_end_and_with_a_full_minute_until_the_later_one() -> None:
    pace = Pace(1)
    pace.pause("key", NOON, 30 * SECOND)
    assert pace.paused(NOON + 29 * SECOND) == {"key": NOON + 30 * SECOND}
    pace.attempted("key", NOON + 29 * SECOND)
    assert pace.paused(NOON + 29 * SECOND) == {"key": NOON + 29 * SECOND + MINUTE}
    assert pace.paused(NOON + 29 * SECOND + MINUTE) == {}


def test_throttled_answers_in_a_row_are_counted_for_each_address() -> None:
    pace = Pace(100)
    assert [pace.throttled("key"), pace.throttled("key"), pace.throttled("other")] == [1, 2, 1]
    pace.accepted("key")
    pace.accepted("never throttled")
    assert [pace.throttled("key"), pace.throttled("other")] == [1, 2]


def test_a_clock_that_was_set_back_prolongs_neither_a_pause_nor_a_full_minute() -> None:
    pace = Pace(1)
    pace.pause("paused", NOON, 30 * SECOND)
    pace.attempted("full", NOON)
    earlier = NOON - timedelta(hours=5)
    assert pace.paused(earlier) == {"paused": earlier + 30 * SECOND, "full": earlier + MINUTE}
    assert pace.paused(earlier + MINUTE) == {}


@given(st.lists(st.integers(0, 30_000), max_size=60), st.integers(1, 5))
def test_never_more_than_the_limit_within_any_minute(steps_ms: list[int], limit: int) -> None:
    pace, now, sent = Pace(limit), NOON, list[datetime]()
    for step in steps_ms:
        now = max(now + timedelta(milliseconds=step), pace.paused(now).get("key", now))
        if "key" not in pace.paused(now):
            pace.attempted("key", now)
            sent.append(now)
    assert len(sent) == len(steps_ms)
    assert all(later - first >= MINUTE for first, later in zip(sent, sent[limit:], strict=False))
