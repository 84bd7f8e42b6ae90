"""What is wrong with a configuration: all of it at once, each at its place, and never with a secret in it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphitepager.config import load

DATA = Path(__file__).parent.parent / "data"
KEY = "0123456789abcdef0123456789abcdef"
ENVIRON = {"GRAPHITE_URL": "https://graphite.example.com", "PAGERDUTY_KEY": KEY}
ALERT = "alerts: [{name: a, target: b, warning: 1, critical: 2}]\n"


def headlines(text: str, environ: dict[str, str] | None = None, *, strict: bool = False) -> list[str]:
    loaded = load(text, ENVIRON if environ is None else environ, source="alerts.yml", strict=strict)
    assert (loaded.config is None) == any(problem.is_error for problem in loaded.problems)
    return [problem.headline for problem in loaded.problems]


def alert_with(keys: str) -> str:
    """A file whose one alert, on line 2, has these keys besides the required ones."""
    return f"alerts:\n  - {{name: a, target: b, warning: 1, critical: 2, {keys}}}\n"


def test_a_file_full_of_mistakes_is_told_all_of_them_at_once() -> None:
    environ = {
        "HEARTBEAT_SECONDS": "abc",
        "GRAPHITE_CONCURRENCY": "65",
        "SLACK_URL": "hooks.slack.com/services/T1/B1/xyz",
    }
    loaded = load((DATA / "broken.yml").read_text(), environ, source="alerts.yml")
    rendered = "\n".join(problem.render() for problem in loaded.problems) + "\n"
    assert rendered == (DATA / "broken.txt").read_text()


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("ten", "expected a number, got 'ten'"),
        (
            ".nan",
            "expected a number, got '.nan' (leave it out, and give the other threshold an operator, as in '>= 90')",
        ),
        ("nan", "expected a number, got 'nan'"),
        ("inf", "expected a number, got 'inf'"),
        ("1e999", "expected a number, got '1e999'"),
        ("[1]", "expected a number, got a list"),
    ],
)
def test_a_threshold_that_is_no_number_is_quoted(written: str, complaint: str) -> None:
    text = f"alerts:\n- name: Load\n  target: b\n  warning: 1\n  critical: {written}\n"
    assert headlines(text) == [f"alerts.yml:5:13: alert 'Load', critical: {complaint}"]


def test_a_missing_key_is_told_at_its_entry_with_the_alerts_name() -> None:
    hint = "(write warning and critical, or one with an operator: '> 90')"
    text = "alerts:\n  - name: Load\n    target: t\n    warning: 1\n  - target: t\n    warning: 1\n    critical: \n"
    assert headlines(text) == [
        f"alerts.yml:2:5: alert 'Load': critical is missing {hint}",
        "alerts.yml:5:5: an alert without a name: name is missing (every alert needs a name)",
        f"alerts.yml:7:5: an alert without a name: critical has no value {hint}",
    ]


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ("from: -1m", "from: Graphite has no unit 'm': write -1min for minutes or -1mon for months"),
        ("until: -5x", "until: Graphite has no unit 'x': it knows s, min, h, d, w, mon and y"),
        ("from: 10min", "from: a Graphite offset needs a sign: write -10min"),
        ("exclude: {a: b}", "exclude: expected a list, got a mapping (begin each item with '- ')"),
        ("exclude: [[a]]", "exclude: expected a text, got a list"),
        ("allow_no_data: maybe", "allow_no_data: expected yes or no, got 'maybe'"),
        ("page_on: [nominal]", "page_on: expected warning, critical or no_data, got 'nominal'"),
        ("page_on: {}", "page_on: expected a list, got a mapping (begin each item with '- ')"),
    ],
)
def test_a_bad_value_in_an_alert_says_what_was_expected(keys: str, complaint: str) -> None:
    [headline] = headlines(alert_with(keys))
    assert headline.partition("alert 'a', ")[2] == complaint


@pytest.mark.parametrize("window", ["from: now", "from: -1h, until: -60min", "until: -1min"])
def test_a_window_of_no_length_is_an_error(window: str) -> None:
    complaint = "from and until are the same time, so Graphite has nothing to return"
    assert headlines(alert_with(window)) == [f"alerts.yml:2:5: alert 'a': {complaint}"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("page_on: x\n" + ALERT, "alerts.yml:1:10: page_on: expected warning, critical or no_data, got 'x'"),
        ("graphite_user: [a]\n" + ALERT, "alerts.yml:1:16: graphite_user: expected a text, got a list"),
        (
            "pagerduty: no\n" + ALERT,
            "alerts.yml:1:12: pagerduty: expected keys and values, got a text (write key: value)",
        ),
        ("alerts: {}", "alerts.yml:1:9: alerts: expected a list, got a mapping (begin each item with '- ')"),
        (
            "alerts: [x]",
            "alerts.yml:1:10: an alert without a name: expected keys and values, got a text (write key: value)",
        ),
        (
            "alerts: [~]",
            "alerts.yml:1:10: an alert without a name: expected keys and values, got nothing (write key: value)",
        ),
    ],
)
def test_a_bad_shape_says_what_was_expected(text: str, complaint: str) -> None:
    assert headlines(text) == [complaint]


@pytest.mark.parametrize("text", ["alerts: []", "alerts:", "docs_url: http://x"])
def test_a_file_without_alerts_is_an_error(text: str) -> None:
    [headline] = headlines(text)
    assert "alerts: expected at least one alert, got " in headline


@pytest.mark.parametrize(
    ("text", "environ", "complaint"),
    [
        ("heartbeat_seconds: 0", {}, "alerts.yml:1:20: heartbeat_seconds: expected seconds, more than 0"),
        ("heartbeat_seconds: x", {}, "alerts.yml:1:20: heartbeat_seconds: expected a number, got 'x'"),
        ("", {"HEARTBEAT_SECONDS": "abc"}, "environment: HEARTBEAT_SECONDS: expected a number, got 'abc'"),
        (
            "",
            {"HEARTBEAT_SECONDS": "1e300"},
            "environment: HEARTBEAT_SECONDS: expected seconds, more than 0 and at most",
        ),
        ("", {"GRAPHITE_READ_TIMEOUT_S": "-1"}, "environment: GRAPHITE_READ_TIMEOUT_S: expected seconds, more than 0"),
        ("", {"GRAPHITE_CONCURRENCY": "65"}, "environment: GRAPHITE_CONCURRENCY: expected a whole number from 1 to 64"),
        (
            "",
            {"GRAPHITE_CONCURRENCY": "2.5"},
            "environment: GRAPHITE_CONCURRENCY: expected a whole number from 1 to 64",
        ),
        ("", {"NO_DATA_NOTIFICATION_THRESHOLD": "-1"}, "environment: NO_DATA_NOTIFICATION_THRESHOLD: expected a whole"),
        ("", {"STDOUT_ENABLED": "maybe"}, "environment: STDOUT_ENABLED: expected yes or no, got 'maybe'"),
        (
            "",
            {"GRAPHITE_URL": "graphite.example.com"},
            "environment: GRAPHITE_URL: expected a URL like https://graphite",
        ),
        ("", {"GRAPHITE_URL": "ftp://graphite"}, "environment: GRAPHITE_URL: expected a URL like https://graphite"),
        ("", {"GRAPHITE_URL": "http://g/?x=1"}, "environment: GRAPHITE_URL: expected a URL like https://graphite"),
        ("", {"GRAPHITE_URL": "http://[g"}, "environment: GRAPHITE_URL: expected a URL like https://graphite"),
        ("", {"GRAPHITE_URL": "http://g:99999"}, "environment: GRAPHITE_URL: expected a URL like https://graphite"),
        (
            "",
            {"PAGERDUTY_EVENTS_URL": "http://events.pagerduty.com"},
            "environment: PAGERDUTY_EVENTS_URL: routing keys travel over https only",
        ),
    ],
)
def test_a_bad_variable_is_named_and_placed_where_it_was_set(
    text: str, environ: dict[str, str], complaint: str
) -> None:
    [headline] = headlines(f"{text}\n{ALERT}", ENVIRON | environ)
    assert headline.startswith(complaint)


def test_without_a_graphite_url_it_says_how_to_set_one() -> None:
    [headline] = headlines(ALERT, {"PAGERDUTY_KEY": KEY, "GRAPHITE_URL": ""})
    assert headline == (
        "environment: GRAPHITE_URL is not set "
        "(export GRAPHITE_URL=https://graphite.example.com, or write graphite_url: in alerts.yml)"
    )


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        (KEY[1:], "31 characters, a routing key has 32 letters and digits"),
        ("x", "1 character, a routing key has 32 letters and digits"),
        (KEY[:-1] + "-", "a routing key has 32 letters and digits, and this one holds other characters"),
    ],
)
def test_a_mistyped_routing_key_is_refused_everywhere_and_never_quoted(key: str, complaint: str) -> None:
    places = [
        (f"pagerduty_key: {key}\n{ALERT}", {}, "alerts.yml:1:16: pagerduty_key: "),
        (f"pagerduty: {{critical: {key}}}\n{ALERT}", {}, "alerts.yml:1:23: pagerduty.critical: "),
        (alert_with(f"pagerduty_key: {key}"), {}, "alerts.yml:2:66: alert 'a', pagerduty_key: "),
        (ALERT, {"PAGERDUTY_KEY": key}, "environment: PAGERDUTY_KEY: "),
    ]
    for text, environ, place in places:
        given_environ = {"GRAPHITE_URL": "http://g", **environ}
        [problem] = load(text, given_environ, source="alerts.yml").problems
        assert problem.headline.startswith(place + complaint)
        assert f": {key}" not in problem.render()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "heartbeat_secnds: 3\n" + ALERT,
            "alerts.yml:1:1: {}unknown key 'heartbeat_secnds' (did you mean heartbeat_seconds?)",
        ),
        (alert_with("Form: -1d"), "alerts.yml:2:51: {}unknown key 'Form' (did you mean from?)"),
        ("pagerduty: {error: x}\n" + ALERT, "alerts.yml:1:13: {}unknown key 'error'"),
        (alert_with("zzz: "), "alerts.yml:2:51: {}unknown key 'zzz'"),
    ],
)
def test_an_unknown_key_is_a_warning_and_strictly_an_error(text: str, complaint: str) -> None:
    assert headlines(text) == [complaint.format("warning: ")]
    assert headlines(text, strict=True) == [complaint.format("")]


def test_unknown_keys_do_not_hide_what_else_is_wrong() -> None:
    text = "alerts:\n  - {name: a, target: b, waring: 1, critical: x}\n"
    assert [headline.split(": ", 1)[1] for headline in headlines(text)] == [
        "alert 'a': warning is missing (write warning and critical, or one with an operator: '> 90')",
        "warning: unknown key 'waring' (did you mean warning?)",
        "alert 'a', critical: expected a number, got 'x'",
    ]


def test_what_only_shows_without_the_unknown_keys_is_told_too() -> None:
    assert len(headlines(alert_with("from: now, zzz: 1"))) == 2


def test_keys_for_anchors_are_not_unknown() -> None:
    assert headlines(f"x-any: {{thing: [1]}}\n{ALERT}", strict=True) == []


def test_what_yaml_complains_about_is_not_complained_about_twice() -> None:
    assert headlines("alerts:\n- name: a\n  target: *b\n  warning: 1\n  critical: x\n") == [
        "alerts.yml:3:11: nothing above is marked &b (a text that begins with * must stand in quotes)",
        "alerts.yml:5:13: alert 'a', critical: expected a number, got 'x'",
    ]


def test_a_file_that_is_no_yaml_still_has_its_environment_checked() -> None:
    [syntax, variable] = headlines("alerts: [", {"HEARTBEAT_SECONDS": "abc"})
    assert syntax.startswith("alerts.yml:2:1: ")
    assert variable == "environment: HEARTBEAT_SECONDS: expected a number, got 'abc'"


@pytest.mark.parametrize(
    ("text", "place"),
    [(f"docs_url: wiki\n{ALERT}", "alerts.yml:1:11: warning: docs_url"), (alert_with("doc_url: wiki"), "doc_url")],
)
def test_a_runbook_link_that_nobody_can_follow_is_a_warning(text: str, place: str) -> None:
    [headline] = headlines(text)
    assert f"{place}: expected a URL with http:// or https://, got 'wiki'" in headline


@pytest.mark.parametrize(
    "name",
    [
        "REDIS_URL", "REDISTOGO_URL", "INCIDENT_EXPIRATION_SECONDS", "NOTIFICATION_EXPIRATION_SECONDS",
        "NO_DATA_COUNTER_EXPIRATION_SECONDS", "HIPCHAT_KEY", "HIPCHAT_ROOM", "PUSHBULLET_KEY", "PUSHBULLET_DEVICES",
        "PUSHBULLET_CONTACTS",
    ],
)  # fmt: skip
def test_a_variable_without_effect_is_told_of_once_where_it_is_set(name: str) -> None:
    [headline] = headlines(ALERT, {**ENVIRON, name: "value"})
    assert headline.startswith(f"environment: warning: {name} has no effect (")
    [headline] = headlines(f"{name.lower()}: value\n{ALERT}")
    assert headline.startswith(f"alerts.yml:1:1: warning: {name.lower()} has no effect (")
    assert len(headlines(f"{name.lower()}: value\n{ALERT}", {**ENVIRON, name: "value"})) == 1


def test_nobody_to_notify_is_a_warning() -> None:
    graphite_only = {"GRAPHITE_URL": "http://g"}
    [headline] = headlines(ALERT, graphite_only)
    assert headline.startswith(
        "environment: warning: nobody will be notified: no alert has a PagerDuty key or a Slack URL ("
    )
    assert headlines(ALERT, {**graphite_only, "STDOUT_ENABLED": "true"}) == []
    assert headlines(alert_with("page_on: []"), graphite_only) == []


def test_levels_without_a_key_are_named() -> None:
    graphite_only = {"GRAPHITE_URL": "http://g"}
    two_levels = f"pagerduty: {{critical: {KEY}}}\n{alert_with('page_on: [critical, warning, no_data]')}"
    [headline] = headlines(two_levels, graphite_only)
    assert headline.startswith(
        "alerts.yml:3:5: warning: alert 'a': nobody will be notified at warning, no_data, for want of a PagerDuty key"
    )
    assert headlines(two_levels.replace("critical, warning, no_data", "critical"), graphite_only) == []


def test_a_thousand_alerts_with_mistakes_load_at_once() -> None:
    entry = "  - {{name: A{}, target: t, warning: 1, critical: x, criticl: 2, pagerduty_key: s3cret}}\n"
    text = "alerts:\n" + "".join(map(entry.format, range(1000)))
    started = time.process_time()
    assert len(headlines(text)) == 3000
    assert time.process_time() - started < 2


_PIECES = st.sampled_from(
    [
        "alerts:\n", "  - name: a\n", "    target: t\n", "    warning: 1\n", "    critical: 2\n", "    from: -1\n",
        "x: &a {}\n", "<<: *a\n", "pagerduty: ", "page_on: [", "]\n", "{", "}", "\t", "'", "null\n", "slack:\n", "&a ",
        "*a\n", "graphite_url: http://[\n", "    exclude: *a\n", "? ", "!!x ", "\u2028", "\ud800", "\x00", "---\n",
    ]
)  # fmt: skip


@given(
    st.text() | st.lists(_PIECES, max_size=30).map("".join),
    st.dictionaries(st.sampled_from(["GRAPHITE_URL", "HEARTBEAT_SECONDS", "PAGERDUTY_KEY", "PAGE_ON"]), st.text()),
)
def test_no_text_and_no_environment_is_an_accident(text: str, environ: dict[str, str]) -> None:
    loaded = load(text, environ, source="alerts.yml")
    assert (loaded.config is None) == any(problem.is_error for problem in loaded.problems)
    assert all("\n" not in problem.headline for problem in loaded.problems)
    assert all(len(problem.render().splitlines()) in {1, 3} for problem in loaded.problems)
