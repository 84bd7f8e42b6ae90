"""What the tests of the fake PagerDuty and of our notifier share: events, messages, and ways to send them raw."""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from graphitepager.errors import SendError
from graphitepager.model import EventKind, Link, Message
from graphitepager.rules import Level
from tests.fakes.pagerduty import assert_no_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphitepager.notifiers import Notifier
    from tests.fakes.pagerduty import FakePagerDuty

KEY = "R0utingKey0123456789abcdefgh7XqZ"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
JSON = {"Content-Type": "application/json"}


class Reply(NamedTuple):
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def post(
    fake: FakePagerDuty,
    event: object,
    *,
    method: str = "POST",
    path: str = "/v2/enqueue",
    headers: dict[str, str] | None = None,
    timeout_s: float = 5,
) -> Reply:
    """Send `event` as JSON, or as it is when it is bytes."""
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    with closing(http.client.HTTPConnection("127.0.0.1", fake.port, timeout=timeout_s)) as connection:
        connection.request(method, path, body, JSON if headers is None else headers)
        response = connection.getresponse()
        return Reply(response.status, response.headers, response.read())


def trigger(payload: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    complete = {"summary": "db1 is 82.4", "source": "db1", "severity": "critical"} | (payload or {})
    return {"routing_key": KEY, "event_action": "trigger", "dedup_key": "db1", "payload": complete} | fields


def follow_up(action: str, **fields: Any) -> dict[str, Any]:
    return {"routing_key": KEY, "event_action": action, "dedup_key": "db1"} | fields


def without(event: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in names}


def message(kind: EventKind = EventKind.TRIGGERED, **other: Any) -> Message:
    fields: dict[str, Any] = {
        "level": Level.CRITICAL,
        "dedup_key": "lock/db1/critical",
        "alert": "MongoDB lock",
        "series": "db1",
        "summary": "CRITICAL MongoDB lock: db1 is 82.4 (critical at 70)",
        "at": NOON,
        "details": {"value": 82.4, "critical": "70", "since": None},
        "links": (Link("https://wiki.example.com/alerts/MongoDB%20lock#db1", "Runbook"),),
    }
    return Message(kind=kind, **fields | other)


def refusal(notifier: Notifier, sent: Message | None = None) -> SendError:
    """Send what cannot be delivered, and return why. Nobody's key may show in that, nor in what it stems from."""
    with pytest.raises(SendError) as caught:
        notifier.send(sent or message(), KEY)
    assert_no_secret(f"{caught.value!r} {caught.value.__cause__!r}", [KEY])
    assert KEY[-4:] not in caught.value.reason
    return caught.value


@contextlib.contextmanager
def no_log_line_holds_the_key(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Watch all that anybody logs, at every level; what is worth a warning is for the outbox to log."""
    caplog.set_level(logging.DEBUG)
    yield
    records = caplog.get_records("call")  # caplog.text would be that of the teardown we are in
    logged = "\n".join(map(logging.Formatter("%(name)s %(message)s").format, records))
    assert "httpcore2" in logged  # else this would watch nothing
    assert_no_secret(logged, [KEY])
    assert KEY[-4:] not in logged
    assert [record.getMessage() for record in records if record.levelno >= logging.WARNING] == []
