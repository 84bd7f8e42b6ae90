"""What the PagerDuty notifier sends, over real sockets to a strict fake."""

from __future__ import annotations

import json
import math
import threading
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from graphitepager.model import EventKind, Image, Link, Message
from graphitepager.notifiers import load
from graphitepager.notifiers.pagerduty import PagerDuty
from graphitepager.rules import Level, Settings, Severity
from tests.fakes.pagerduty import Effect, Event, FakePagerDuty
from tests.integration.pagerduty.support import KEY, NOON, message

RESOLVED = message(EventKind.RESOLVED)

pytestmark = pytest.mark.usefixtures("key_stays_secret")


def sent_event(fake: FakePagerDuty, notifier: PagerDuty, sent: Message) -> Event:
    notifier.send(sent, KEY)
    return fake.events()[-1]


def sent_details(fake: FakePagerDuty, notifier: PagerDuty, **details: Any) -> dict[str, Any]:
    event = sent_event(fake, notifier, message(details=details))
    found: dict[str, Any] = event.payload["custom_details"]
    return found


def test_a_trigger_says_all_that_pagerduty_can_show(fake: FakePagerDuty, notifier: PagerDuty) -> None:
    assert notifier.send(message(), KEY) == "202 Event processed"
    assert fake.events()[0].body == {
        "routing_key": KEY,
        "event_action": "trigger",
        "dedup_key": "lock/db1/critical",
        "client": "graphite-pager",
        "links": [{"href": "https://wiki.example.com/alerts/MongoDB%20lock#db1", "text": "Runbook"}],
        "payload": {
            "summary": "CRITICAL MongoDB lock: db1 is 82.4 (critical at 70)",
            "source": "db1",
            "severity": "critical",
            "timestamp": "2026-03-01T12:00:00+00:00",
            "component": "db1",
            "class": "MongoDB lock",
            "custom_details": {"value": 82.4, "critical": "70", "since": None},
        },
    }


def test_a_resolve_is_only_the_key_of_what_it_ends(fake: FakePagerDuty, notifier: PagerDuty) -> None:
    notifier.send(message(), KEY)
    assert notifier.send(RESOLVED, KEY) == "202 Event processed"
    assert fake.events()[1].body == {
        "routing_key": KEY,
        "event_action": "resolve",
        "dedup_key": "lock/db1/critical",
    }
    assert [incident.is_open for incident in fake.incidents()] == [False]


@pytest.mark.parametrize("kind", [EventKind.REPEATED, EventKind.FLAPPING])
def test_what_is_told_again_joins_its_incident(fake: FakePagerDuty, notifier: PagerDuty, kind: EventKind) -> None:
    notifier.send(message(), KEY)
    event = sent_event(fake, notifier, message(kind, summary="still on"))
    assert (event.action, event.effect, event.payload["summary"]) == ("trigger", Effect.MERGED, "still on")


@pytest.mark.parametrize(
    ("level", "severity"),
    [(Level.CRITICAL, "critical"), (Level.WARNING, "warning"), (Level.NO_DATA, "error")],
)
def test_each_level_has_its_severity(fake: FakePagerDuty, notifier: PagerDuty, level: Level, severity: str) -> None:
    assert sent_event(fake, notifier, message(level=level)).payload["severity"] == severity


@pytest.mark.parametrize("severity", Severity)
def test_the_alerts_own_severity_wins(fake: FakePagerDuty, notifier: PagerDuty, severity: Severity) -> None:
    for level in (Level.WARNING, Level.NO_DATA):
        event = sent_event(fake, notifier, message(level=level, severity=severity))
        assert event.payload["severity"] == severity.value


def test_a_description_keeps_its_lines(fake: FakePagerDuty, notifier: PagerDuty) -> None:
    assert sent_details(fake, notifier, description="one\ntwo\x1b") == {"description": "one\ntwo\\x1b"}


def test_the_registry_makes_one_for_the_region_in_the_settings(fake: FakePagerDuty) -> None:
    settings = Settings(graphite_url="http://graphite", pagerduty_events_url=fake.url)
    assert load("pagerduty", settings).send(message(), KEY) == "202 Event processed"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (math.nan, "nan"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (Decimal("82.4"), 82.4),
        (Decimal("NaN"), "NaN"),
        (NOON, "2026-03-01T12:00:00+00:00"),
        (NOON.date(), "2026-03-01"),
        (timedelta(minutes=5), "0:05:00"),
        ("caf\udce9", "caf\\udce9"),
        ("Größe 測定 🔥", "Größe 測定 🔥"),
        ({"inner": [math.nan, {"at": NOON}]}, {"inner": ["nan", {"at": "2026-03-01T12:00:00+00:00"}]}),
        (True, True),
        (None, None),
    ],
)
def test_no_detail_can_keep_a_page_from_going_out(
    fake: FakePagerDuty, notifier: PagerDuty, value: object, shown: object
) -> None:
    assert sent_details(fake, notifier, value=value) == {"value": shown}


def test_names_that_are_not_quite_text_go_out_as_text(fake: FakePagerDuty, notifier: PagerDuty) -> None:
    odd = message(summary="a\ud800 is 1", series="a\ud800", alert="b\ud800", dedup_key="\ud800", details={"\ud800": 1})
    event = sent_event(fake, notifier, odd)
    assert [event.payload[name] for name in ("summary", "source", "class")] == ["a\\ud800 is 1", "a\\ud800", "b\\ud800"]
    notifier.send(message(EventKind.RESOLVED, dedup_key="\ud800"), KEY)
    assert fake.open_incidents() == ()


def test_a_summary_of_1024_characters_is_left_whole_and_a_longer_one_is_cut(
    fake: FakePagerDuty, notifier: PagerDuty
) -> None:
    whole = sent_event(fake, notifier, message(summary="ä" * 1024)).payload["summary"]
    cut = sent_event(fake, notifier, message(summary="ä" * 1025)).payload["summary"]
    assert (whole, cut) == ("ä" * 1024, "ä" * 1021 + "…")


def test_blank_names_are_replaced_by_what_is_known(fake: FakePagerDuty, notifier: PagerDuty) -> None:
    payload = sent_event(fake, notifier, message(summary=" ", series="")).payload
    assert (payload["summary"], payload["source"]) == ("MongoDB lock", "MongoDB lock")
    payload = sent_event(fake, notifier, message(summary="", series="", alert="")).payload
    assert (payload["summary"], payload["source"]) == ("graphite-pager alert", "Graphite")


@pytest.mark.parametrize("key", ["", "x" * 256, "ä\ud800" * 60])
def test_a_dedup_key_that_pagerduty_would_refuse_still_ends_what_it_began(
    fake: FakePagerDuty, notifier: PagerDuty, key: str
) -> None:
    notifier.send(message(dedup_key=key), KEY)
    notifier.send(message(EventKind.RESOLVED, dedup_key=key), KEY)
    assert [event.effect for event in fake.events()] == [Effect.OPENED, Effect.RESOLVED]


@pytest.mark.parametrize(
    ("href", "sent"),
    [
        ("http://graphite/render?target=a.*&from=-20min", "http://graphite/render?target=a.*&from=-20min"),
        ("https://wiki/Größe von db1", "https://wiki/Gr%C3%B6%C3%9Fe%20von%20db1"),
        ("https://[::1]:8080/x", "https://[::1]:8080/x"),
        ("wiki/alerts", None),
        ("javascript:alert(1)", None),
        ("https://", None),
        ("https://[wiki", None),
        ("https://wiki:port/", None),
        ("https://wi ki/", None),
        ("", None),
    ],
)
def test_a_link_is_sent_as_a_link_or_at_least_as_text(
    fake: FakePagerDuty, notifier: PagerDuty, href: str, sent: str | None
) -> None:
    event = sent_event(fake, notifier, message(links=(Link(href, "Runbook"),)))
    assert event.body["links"] == ([{"href": sent, "text": "Runbook"}] if sent else [])
    assert event.payload["custom_details"].get("Runbook") == (None if sent else href)


@pytest.mark.parametrize(
    "details",
    [{"log": "ä" * 600_000}, {f"detail {number}": "x" * 99 for number in range(9000)}, {"nested": [["🔥"]] * 60_000}],
)
def test_huge_details_are_shortened_and_say_so(
    fake: FakePagerDuty, notifier: PagerDuty, details: dict[str, object]
) -> None:
    shown = sent_details(fake, notifier, **details)
    assert "more than PagerDuty takes" in shown["shortened"]
    assert set(shown) - {"shortened"} <= set(details)
    assert fake.events()[0].body["links"] != []


def test_a_huge_link_is_left_out(fake: FakePagerDuty, notifier: PagerDuty) -> None:
    event = sent_event(fake, notifier, message(links=(Link("https://graphite/" + "x" * 600_000, "Graph"),)))
    assert event.body["links"] == []
    assert "1 links" in event.payload["custom_details"]["shortened"]


@pytest.mark.parametrize(("bytes_left", "is_whole"), [(100, True), (1, False), (-1, False)])
def test_details_are_shortened_only_near_the_limit(
    fake: FakePagerDuty, notifier: PagerDuty, bytes_left: int, *, is_whole: bool
) -> None:
    body = sent_event(fake, notifier, message(details={"log": ""})).body
    overhead = len(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())
    log = "x" * (512_000 - overhead - bytes_left)
    assert (sent_details(fake, notifier, log=log) == {"log": log}) == is_whole


def test_every_message_can_be_sent_again_from_json(fake: FakePagerDuty, notifier: PagerDuty) -> None:
    """The outbox sends from stored rows, and Python's JSON reads back what is no JSON."""
    stored = json.loads(json.dumps({"value": math.nan, "name": "\ud800"}))
    assert sent_details(fake, notifier, **stored) == {"value": "nan", "name": "\\ud800"}


def test_many_threads_can_send_at_once(fake: FakePagerDuty) -> None:
    notifier = PagerDuty(fake.url)
    threads = [
        threading.Thread(target=notifier.send, args=(message(dedup_key=f"db{number}"), KEY)) for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert {incident.dedup_key for incident in fake.open_incidents()} == {f"db{number}" for number in range(8)}


def test_control_characters_are_shown_as_their_escapes(fake: FakePagerDuty, notifier: PagerDuty) -> None:
    event = sent_event(fake, notifier, message(series="a\x1b[2J\x00", details={"series": "a\u202e"}))
    assert event.payload["source"] == event.payload["component"] == r"a\x1b[2J\x00"
    assert event.payload["custom_details"]["series"] == r"a\u202e"


def test_the_chart_of_a_message_is_its_image(fake: FakePagerDuty, notifier: PagerDuty) -> None:
    chart = Image("https://ops.example.com/charts/abc.png", "MongoDB lock: db1")
    assert sent_event(fake, notifier, message(image=chart)).body["images"] == [{"src": chart.src, "alt": chart.text}]


def test_a_chart_that_pagerduty_would_refuse_is_left_out(fake: FakePagerDuty, notifier: PagerDuty) -> None:
    chart = Image("http://10.0.0.1/charts/abc.png", "db1")
    assert "images" not in sent_event(fake, notifier, message(image=chart)).body
