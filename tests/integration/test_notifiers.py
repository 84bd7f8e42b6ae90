"""The contract that every notifier keeps: one message once, or an error that says what to do about it; and in time."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from graphitepager.errors import SendError
from graphitepager.model import EventKind, Link, Message
from graphitepager.rules import Level
from graphitepager.samples import samples
from tests.fakes.pagerduty import assert_no_secret
from tests.fakes.receivers import Fault
from tests.integration.notifier_benches import BENCHES
from tests.integration.pagerduty.support import message
from tests.support import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.notifier_benches import Bench

GOLDEN = Path(__file__).parents[1] / "data" / "messages"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
GRAPHITE = "https://graphite.example.com"
SAMPLES = dict(samples(NOON, GRAPHITE, "https://wiki.example.com/runbooks"))
HOSTILE = [
    "<!channel> <@U123> <!here|x> & <https://evil.example.com|click>",
    "a\nBcc: everybody@example.com\r\n\r\n.\r\nQUIT",
    "=?utf-8?q?a=0D=0ABcc:_everybody@example.com=0D=0A=0D=0Abody?=",
    "[click](https://evil.example.com) *b* _c_ <at>all</at>",
    "<script>alert(1)</script>",
    "a\udce9\0\x1b[2J\u202e",
    "Größe 測定 🔥",
    "x" * 5000,
    "&" * 4000,
    "$(touch /tmp/x); `id` ' \" | &",
    "",
]


@pytest.fixture(params=BENCHES)
def bench(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Each notifier in turn. Whatever it is given, its receiver may not find anything wrong with it."""
    monkeypatch.setenv("PAGERDUTY_KEY", "SecretOfTheEnvironment")
    with BENCHES[request.param](tmp_path) as one:
        yield one
        assert one.objections() == []


def refusal(bench: Bench, *, to: str | None = None, sent: Message | None = None, hurried: bool = False) -> SendError:
    """Send what cannot be delivered, and return why, in which no secret may show."""
    notifier = bench.hurried if hurried else bench.notifier
    with pytest.raises(SendError) as caught:
        notifier.send(sent or message(), to or bench.address)
    assert_no_secret(f"{caught.value!r} {caught.value.__cause__!r}", bench.secrets)
    assert len(caught.value.reason) < 600
    assert caught.value.reason.isprintable()
    return caught.value


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_kind_of_message_arrives_as_its_golden_file_says(
    bench: Bench, sample: str, request: pytest.FixtureRequest
) -> None:
    answer = bench.notifier.send(SAMPLES[sample], bench.address)
    assert answer
    [text] = bench.received()
    file = GOLDEN / request.node.callspec.params["bench"] / f"{sample.replace(' ', '-')}.txt"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert text == file.read_text(), "look at the difference; UPDATE_GOLDEN=1 writes it down"


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_of_a_series_can_do_anything(bench: Bench, name: str) -> None:
    details = {"series": name, name: name, "value": 1.5, "none": None}
    links = (Link(f"https://wiki.example.com/{name}", name), Link(name, "x"), Link("javascript:alert(1)", "y"))
    sent = message(summary=name or "-", series=name, alert=name, details=details, links=links)
    bench.notifier.send(sent, bench.address)
    [text] = bench.received()
    head, _, _ = text.partition("\n\n")
    assert "\nBcc:" not in head
    assert "<script>" not in text.partition("<html>")[2]


@pytest.mark.parametrize("name", sorted(BENCHES.keys() - {"slack-bot"}))  # whose place is not in its address
def test_nobody_there_is_told_as_temporary(name: str, tmp_path: Path) -> None:
    with BENCHES[name](tmp_path) as bench:
        error = refusal(bench, to=bench.nowhere)
    assert (error.permanent and not error.may_pass, error.is_invalid, error.is_throttled) == (False, False, False)


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.DRIP])
def test_silence_and_a_trickle_end_with_the_deadline_and_leave_no_thread(bench: Bench, fault: Fault) -> None:
    before = threading.active_count()
    bench.fail(fault)
    begun = time.monotonic()
    error = refusal(bench, hurried=True)
    assert time.monotonic() - begun < 3
    assert not error.permanent
    assert eventually(lambda: threading.active_count() <= before + 1)  # the receiver's own may be left


@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.GARBAGE, Fault.HUGE, Fault.RATE_LIMITED])
def test_what_may_pass_is_told_as_temporary(bench: Bench, fault: Fault) -> None:
    bench.fail(fault)
    error = refusal(bench)
    assert (error.permanent, error.is_invalid) == (False, False)
    if error.is_throttled:
        assert fault is Fault.RATE_LIMITED
        assert error.retry_after == timedelta(seconds=30)


@pytest.mark.parametrize("name", ["slack", "slack-bot", "teams", "webhook"])
def test_too_many_makes_the_address_wait_as_long_as_it_asks(name: str, tmp_path: Path) -> None:
    with BENCHES[name](tmp_path) as bench:
        bench.fail(Fault.RATE_LIMITED)
        error = refusal(bench)
        assert (error.is_throttled, error.retry_after) == (True, timedelta(seconds=30))


@pytest.mark.parametrize("name", ["exec", "slack", "slack-bot", "teams", "webhook"])
def test_a_message_that_is_found_invalid_is_told_as_such(name: str, tmp_path: Path) -> None:
    with BENCHES[name](tmp_path) as bench:
        bench.fail(Fault.INVALID)
        error = refusal(bench)
        assert (error.permanent, error.is_invalid) == (True, True)


@pytest.mark.parametrize("name", ["mail", "slack", "slack-bot", "teams", "webhook"])
def test_an_address_that_is_refused_is_told_as_permanent(name: str, tmp_path: Path) -> None:
    with BENCHES[name](tmp_path) as bench:
        bench.fail(Fault.FORBIDDEN)
        error = refusal(bench)
        assert (error.permanent, error.is_invalid) == (True, False)


def test_after_a_failure_the_same_message_can_be_sent_again(bench: Bench) -> None:
    bench.fail(Fault.SERVER_ERROR)
    refusal(bench)
    sent = message(EventKind.TRIGGERED, level=Level.WARNING)
    assert bench.notifier.send(sent, bench.address)
    assert len(bench.received()) == 1
