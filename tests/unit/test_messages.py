"""What people read: summaries that fit a phone, details, and links that open."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from graphitepager.messages import SUMMARY_LIMIT, minimal, render, runbook_link
from graphitepager.model import COUNT, WHOLE_ALERT, Event, EventKind, Message, SeriesKey, Silence
from graphitepager.rules import Compare, Level, Query, Ratio
from graphitepager.silences import parse_matcher, silencing
from graphitepager.thresholds import Operator, format_number, parse, parse_unit, threshold_of
from tests.examples import GRAPHITE_URL, KEY, MINUTE, NOON, entry

if TYPE_CHECKING:
    from graphitepager.rules import Entry


def message(kind: EventKind, level: Level, **other: object) -> Message:
    fields = {"key": KEY, "at": NOON, "since": NOON, "value": 82.4, "entry": entry()} | other
    return render(Event(kind=kind, level=level, **fields), GRAPHITE_URL)  # type: ignore[arg-type]


def summary(level: Level, **other: object) -> str:
    return message(EventKind.TRIGGERED, level, **other).summary


def resolved(level: Level, **other: object) -> str:
    return message(EventKind.RESOLVED, level, since=NOON - 12 * MINUTE, **other).summary


def test_a_critical_page_says_what_is_how_bad() -> None:
    assert summary(Level.CRITICAL) == "CRITICAL MongoDB lock: db1 is 82.4 (critical at 70)"


def test_a_warning_names_the_warning_threshold() -> None:
    assert summary(Level.WARNING, value=52.5) == "WARNING MongoDB lock: db1 is 52.5 (warning at 50)"


def test_where_low_is_bad_the_threshold_says_so() -> None:
    low = entry(warning=20, critical=10)
    assert (
        summary(Level.CRITICAL, value=3.25, entry=low) == "CRITICAL MongoDB lock: db1 is 3.25 (critical at 10 or less)"
    )


def with_thresholds(warning: str | None, critical: str | None, unit: str | None = None) -> Entry:
    conditions = [None if text is None else parse(text) for text in (warning, critical)]
    series_unit = None if unit is None else parse_unit(unit)
    both = [
        None if one is None else threshold_of(one, one.operator or Operator.AT_LEAST, series_unit) for one in conditions
    ]
    return replace(entry(), warning=both[0], critical=both[1])


@pytest.mark.parametrize(
    ("critical", "unit", "value", "text"),
    [
        ("500ms", None, 0.82, "db1 is 820ms (critical at 500ms)"),
        ("500ms", "ms", 820, "db1 is 820ms (critical at 500ms)"),
        ("> 80%", None, 91.2, "db1 is 91.2% (critical above 80%)"),
        ("== 0", None, 0, "db1 is 0 (critical at exactly 0)"),
        ("outside 10..20", None, 9.5, "db1 is 9.5 (critical outside 10..20)"),
    ],
)
def test_value_and_bound_are_in_the_unit_of_the_threshold(
    critical: str, unit: str | None, value: float, text: str
) -> None:
    one = with_thresholds(None, critical, unit)
    assert summary(Level.CRITICAL, value=value, entry=one) == f"CRITICAL MongoDB lock: {text}"
    was = resolved(Level.CRITICAL, value=value, entry=one, reason="x")
    assert was == f"RESOLVED MongoDB lock: {text.partition(' (')[0]}, was Critical for 12min (x)"


def test_each_level_speaks_in_its_own_unit() -> None:
    one = with_thresholds("> 200ms", "> 1s")
    assert summary(Level.WARNING, value=0.25, entry=one).endswith("db1 is 250ms (warning above 200ms)")
    assert summary(Level.CRITICAL, value=2.5, entry=one).endswith("db1 is 2.5s (critical above 1s)")


def test_details_and_graph_hold_the_bounds_that_there_are() -> None:
    one = message(EventKind.TRIGGERED, Level.CRITICAL, value=0.82, entry=with_thresholds(None, "outside 10..500ms"))
    assert (one.details["value"], one.details["critical"]) == ("820ms", "outside 10ms..500ms")
    assert "warning" not in one.details
    assert parse_qs(urlsplit(one.links[0].href).query)["target"] == [
        "servers.*.lock",
        'threshold(0.01,"Critical","red")',
        'threshold(0.5,"Critical","red")',
    ]


def test_no_data_says_since_when() -> None:
    text = summary(Level.NO_DATA, value=None, since=NOON - 3 * MINUTE)
    assert text == "NO DATA MongoDB lock: db1 has had no datapoint for 3min"


def test_no_data_says_why_where_that_is_known() -> None:
    text = summary(Level.NO_DATA, value=None, since=NOON - 3 * MINUTE, detail="no partner in servers.*.total")
    assert text == "NO DATA MongoDB lock: db1 has had no datapoint for 3min (no partner in servers.*.total)"


def test_an_alert_that_watches_nothing_names_its_target() -> None:
    text = summary(Level.NO_DATA, value=None, key=SeriesKey(KEY.alert, WHOLE_ALERT), since=NOON - 3 * MINUTE)
    assert text == "NO DATA MongoDB lock: Graphite has returned no series for servers.*.lock for 3min"


@pytest.mark.parametrize("series", [WHOLE_ALERT, COUNT, WHOLE_ALERT + "critical×23", "", "db1"])
def test_the_series_of_a_page_is_what_a_silence_fits(series: str) -> None:
    key = SeriesKey(KEY.alert, series)
    size = 23 if "×" in series else 0
    one = message(
        EventKind.TRIGGERED, Level.CRITICAL, key=key, value=None, size=size, entry=entry(runbook_base="https://x")
    )
    assert one.series == one.details["series"] == key.words[1]
    matchers = (parse_matcher(f"series={one.series}"), parse_matcher(f"alert={one.alert}"))
    silence = Silence(id=1, matchers=matchers, author="", comment="", begins_at=NOON, ends_at=NOON + MINUTE)
    assert silencing([silence], *key.words, Level.CRITICAL, NOON) is silence


def test_the_runbook_of_an_alert_as_a_whole_is_at_its_target() -> None:
    whole = {"key": SeriesKey(KEY.alert, WHOLE_ALERT), "entry": entry(runbook_base="https://x")}
    assert (
        message(EventKind.TRIGGERED, Level.NO_DATA, **whole).links[0].href == "https://x/MongoDB%20lock#servers.*.lock"
    )


def test_a_resolve_says_for_how_long_and_why() -> None:
    text = resolved(Level.CRITICAL, value=12.1, reason="back to Nominal")
    assert text == "RESOLVED MongoDB lock: db1 is 12.1, was Critical for 12min (back to Nominal)"


def test_a_resolve_of_a_removed_alert_needs_no_entry() -> None:
    text = resolved(Level.CRITICAL, value=None, entry=None, reason="removed from alerts.yml")
    assert text == "RESOLVED MongoDB lock: db1 was Critical for 12min (removed from alerts.yml)"


def test_a_page_that_was_held_back_says_for_how_long_it_has_been_so() -> None:
    text = summary(Level.CRITICAL, since=NOON - 12 * MINUTE)
    assert text == "CRITICAL MongoDB lock: db1 is 82.4 (critical at 70), for 12min"


def test_a_repeat_says_that_it_is_still_so() -> None:
    text = message(EventKind.REPEATED, Level.CRITICAL, since=NOON - 240 * MINUTE).summary
    assert text == "CRITICAL MongoDB lock: db1 is still 82.4 (critical at 70), for 4h"


def test_a_series_that_flaps_says_what_that_means() -> None:
    assert message(EventKind.FLAPPING, Level.CRITICAL).summary == (
        "FLAPPING CRITICAL MongoDB lock: db1 fires for the 4th time within 1h; open until it is quiet for 15min"
    )


class TestStorm:
    """One incident for many series."""

    key = SeriesKey(KEY.alert, WHOLE_ALERT + "critical×23")

    def test_its_page_names_some_of_them(self) -> None:
        text = summary(
            Level.CRITICAL, key=self.key, value=None, size=23, detail="23 series together: db1, db2 and 21 more"
        )
        assert text == "CRITICAL MongoDB lock: 23 series together: db1, db2 and 21 more"

    def test_its_repeat_and_its_end_say_how_many(self) -> None:
        fields = {"key": self.key, "value": None, "size": 23, "since": NOON - 12 * MINUTE}
        assert message(EventKind.REPEATED, Level.CRITICAL, **fields).summary == (
            "CRITICAL MongoDB lock: 23 series together still fire, for 12min"
        )
        assert message(EventKind.RESOLVED, Level.CRITICAL, reason="over", **fields).summary == (
            "RESOLVED MongoDB lock: 23 series together were Critical for 12min (over)"
        )


def test_the_least_that_can_be_sent_is_plain_and_short() -> None:
    hostile = message(EventKind.TRIGGERED, Level.CRITICAL, key=SeriesKey("größe", "x" * 5000))
    least = minimal(hostile)
    assert least.summary.startswith("CRITICAL gr??e: xxx")
    assert (least.details, least.links, least.dedup_key) == ({}, (), hostile.dedup_key)
    assert all(text.isascii() and len(text) <= 200 for text in (least.summary, least.series, least.alert))


def test_a_series_without_a_name_is_called_that() -> None:
    text = summary(Level.CRITICAL, key=SeriesKey("Load", ""))
    assert text == "CRITICAL Load: (series without a name) is 82.4 (critical at 70)"


def test_a_summary_is_one_printable_line_of_at_most_1024_characters() -> None:
    hostile = "a\nb\x1b[31m\u202e\0" + "x" * 5000
    text = summary(Level.CRITICAL, key=SeriesKey("Load", hostile))
    assert len(text) == SUMMARY_LIMIT
    assert text.isprintable()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (82.4, "82.4"),
        (70.0, "70"),
        (0.1 + 0.2, "0.3"),
        (69.97, "69.97"),
        (82.1206, "82.12"),
        (9876.5, "9876"),
        (1e-05, "1e-05"),
        (123456.7, "123457"),
        (1234567.8, "1234568"),
        (-2.5e9, "-2500000000"),
        (1e16, "1e+16"),
        (math.inf, "inf"),
    ],
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert format_number(value) == text


def test_details_hold_what_a_responder_asks_for() -> None:
    assert message(EventKind.TRIGGERED, Level.CRITICAL).details == {
        "alert": "MongoDB lock",
        "series": "db1",
        "level": "Critical",
        "value": 82.4,
        "warning": "50",
        "critical": "70",
        "target": "servers.*.lock",
        "window": "from -1min until now",
        "since": "2026-01-15T12:00:00+00:00",
    }


def test_an_infinite_value_is_a_word_in_the_details() -> None:
    assert message(EventKind.TRIGGERED, Level.CRITICAL, value=math.inf).details["value"] == "inf"


class TestRunbookLink:
    """`{docs_url}/{alert name}#{series}`."""

    @pytest.mark.parametrize("name", ["MongoDB", "Disk-free_root.2", "host/load", "a(b),c*d!e'f;g:h@i&j=k+l$m~n"])
    def test_plain_ascii_names_stay_byte_for_byte(self, name: str) -> None:
        assert runbook_link("https://wiki/x", name, name) == f"https://wiki/x/{name}#{name}"

    def test_what_a_url_cannot_hold_is_encoded(self) -> None:
        link = runbook_link("https://wiki/x", "MongoDB lock % #1?", "größe y#z")
        assert link == "https://wiki/x/MongoDB%20lock%20%25%20%231%3F#gr%C3%B6%C3%9Fe%20y%23z"

    def test_a_trailing_slash_is_not_doubled(self) -> None:
        assert runbook_link("https://wiki/x/", "a", "b") == "https://wiki/x/a#b"

    def test_it_comes_first_and_only_where_a_base_is_known(self) -> None:
        with_runbook = message(EventKind.TRIGGERED, Level.CRITICAL, entry=entry(runbook_base="https://wiki"))
        assert [link.text for link in with_runbook.links] == ["Runbook", "Graph"]
        assert with_runbook.links[0].href == "https://wiki/MongoDB%20lock#db1"
        assert [link.text for link in message(EventKind.TRIGGERED, Level.CRITICAL).links] == ["Graph"]


def test_the_graph_shows_the_target_and_both_thresholds_over_the_last_20_minutes() -> None:
    target = "aliasByNode(scale(a.*.b, 100), 1)&x=1"
    (graph,) = message(EventKind.TRIGGERED, Level.CRITICAL, entry=entry(target)).links
    parts = urlsplit(graph.href)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://graphite.example.com/render"
    assert parse_qs(parts.query) == {
        "width": ["586"],
        "height": ["308"],
        "from": ["-20min"],
        "target": [target, 'threshold(50,"Warning","orange")', 'threshold(70,"Critical","red")'],
    }


RATIO = Ratio(to=Query("servers.*.total", "-1min", None), by=(1,))
YESTERDAY = Compare(queries=(Query("servers.*.lock", "-1441min", "-1440min"),), ago=timedelta(days=1))


@pytest.mark.parametrize(
    ("keys", "targets"),
    [
        ({"ratio": RATIO}, ["servers.*.lock", "servers.*.total"]),
        (
            {"ratio": replace(RATIO, is_rate=True)},
            ["nonNegativeDerivative(servers.*.lock)", "nonNegativeDerivative(servers.*.total)"],
        ),
        ({"compare": YESTERDAY}, ["servers.*.lock", 'timeShift(servers.*.lock,"86400s")']),
        (
            {"compare": YESTERDAY, "ratio": RATIO},
            [
                "servers.*.lock",
                'timeShift(servers.*.lock,"86400s")',
                "servers.*.total",
                'timeShift(servers.*.total,"86400s")',
            ],
        ),
    ],
)
def test_the_graph_of_what_is_computed_here_shows_what_it_is_made_of(keys: dict[str, Any], targets: list[str]) -> None:
    (graph,) = message(EventKind.TRIGGERED, Level.CRITICAL, entry=entry(**keys)).links
    assert parse_qs(urlsplit(graph.href).query)["target"] == targets


def test_details_name_all_that_a_value_is_computed_from() -> None:
    details = message(EventKind.TRIGGERED, Level.CRITICAL, entry=entry(ratio=RATIO, compare=YESTERDAY)).details
    assert (details["target"], details["divided by"]) == ("servers.*.lock", "servers.*.total")
    assert details["compared"] == "percent against 1d earlier"
