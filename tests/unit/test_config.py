"""What a configuration means, for everybody who has one already; what is wrong with one is in test_config_problems."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from graphitepager.config import load
from graphitepager.rules import Config, Entry, Level, NoDataPolicy, Query, Settings
from graphitepager.selection import Names
from graphitepager.thresholds import Operator, Threshold

DATA = Path(__file__).parent.parent / "data"
KEY = "0123456789abcdef0123456789abcdef"
ENVIRON = {"GRAPHITE_URL": "https://graphite.example.com", "PAGERDUTY_KEY": KEY}


def config_of(text: str, **environ: str) -> Config:
    """The config, where nothing at all is wrong with it."""
    loaded = load(text, ENVIRON | environ, source="alerts.yml")
    assert [problem.headline for problem in loaded.problems] == []
    assert loaded.config is not None
    return loaded.config


def settings_of(text: str, **environ: str) -> Settings:
    return config_of(f"{text}\nalerts: [{{name: a, target: b, warning: 1, critical: 2}}]\n", **environ).settings


def entry_of(keys: str, top: str = "") -> Entry:
    """The entry of an alert with these keys besides its name and target; thresholds may be among them."""
    if "warning:" not in keys:
        keys = f"warning: 1, critical: 2, {keys}"
    [alert] = config_of(f"{top}\nalerts:\n  - {{name: a, target: b, {keys}}}\n").alerts
    [entry] = alert.entries
    return entry


def test_the_readme_example_means_what_it_did() -> None:
    config = config_of((DATA / "readme_example.yml").read_text())
    load_alert, disk = config.alerts
    assert (load_alert.name, disk.name) == ("Load", "Disk free")
    workers, servers = load_alert.entries
    assert workers.query == Query("aliasByNode(servers.worker-*.loadavg01,1)", "-1min", None)
    assert workers.critical == Threshold(operator=Operator.AT_LEAST, bound=20)
    assert servers.exclude.exact == {"worker-1", "worker-2"}
    assert servers.runbook_base == "https://wiki.example.com/alerts"
    assert (workers.line, servers.line) == (5, 10)
    [disk_entry] = disk.entries
    assert disk_entry.warning == Threshold(operator=Operator.AT_MOST, bound=20)
    assert disk_entry.critical == Threshold(operator=Operator.AT_MOST, bound=10)
    assert disk_entry.runbook_base == "https://wiki.example.com/disks"


def test_the_heroku_example_lives_on_variables_alone() -> None:
    heroku = {"GRAPHITE_USER": "me", "GRAPHITE_PASS": "pw", "DATABASE_URL": "postgres://x", "DYNO": "worker.1"}
    config = config_of((DATA / "heroku_example.yml").read_text(), **heroku)
    assert config.settings == Settings(
        graphite_url="https://graphite.example.com",
        graphite_user="me",
        graphite_pass="pw",
        database_url="postgres://x",
        pagerduty_key=KEY,
    )
    [alert] = config.alerts
    [entry] = alert.entries
    assert alert.name == "Deal quality venue cache hits"
    assert [one and one.bound for one in (entry.warning, entry.critical)] == [0.5, 1]
    assert entry.page_on == {Level.WARNING, Level.CRITICAL, Level.NO_DATA}
    assert entry.no_data is NoDataPolicy.ALERT
    assert entry.no_data_for == timedelta(minutes=3)


def test_every_old_key_is_accepted_and_means_what_it_did() -> None:
    loaded = load((DATA / "every_old_key.yml").read_text(), {}, source="alerts.yml")
    assert loaded.config is not None
    assert loaded.config.settings == Settings(
        graphite_url="https://graphite.example.com",
        docs_url="https://wiki.example.com/alerts",
        graphite_user="pager",
        graphite_pass="correct horse",
        graphite_connect_timeout_s=0.5,
        graphite_read_timeout_s=20,
        heartbeat_s=30,
        no_data_for=timedelta(minutes=2),
        pagerduty_key="00000000000000000000000000000001",
        pagerduty_keys={
            Level.OK: "00000000000000000000000000000002",
            Level.WARNING: "00000000000000000000000000000003",
            Level.CRITICAL: "00000000000000000000000000000004",
            Level.NO_DATA: "00000000000000000000000000000005",
        },
        slack_url="https://hooks.slack.com/services/T00/B00/abcdefgh",
        slack_urls={
            Level.OK: "https://hooks.slack.com/services/T00/B00/nominal",
            Level.WARNING: "https://hooks.slack.com/services/T00/B00/warning",
            Level.CRITICAL: "https://hooks.slack.com/services/T00/B00/critical",
            Level.NO_DATA: "https://hooks.slack.com/services/T00/B00/nodata",
        },
        stdout_enabled=True,
        verbose=True,
    )
    [alert] = loaded.config.alerts
    assert alert.entries == (
        Entry(
            query=Query("servers.*.everything", "-20min", "-10min"),
            warning=Threshold(operator=Operator.AT_LEAST, bound=1),
            critical=Threshold(operator=Operator.AT_LEAST, bound=2.5),
            line=40,
            exclude=Names(exact=frozenset({"servers.a.everything", "servers.b.everything"})),
            no_data=NoDataPolicy.OK,
            no_data_for=timedelta(minutes=20),
            runbook_base="https://wiki.example.com/everything",
            pagerduty_key="00000000000000000000000000000006",
            slack_url="https://hooks.slack.com/services/T00/B00/everything",
        ),
    )


def test_an_old_key_without_effect_is_told_of_once() -> None:
    loaded = load((DATA / "every_old_key.yml").read_text(), {}, source="alerts.yml")
    assert not any(problem.is_error for problem in loaded.problems)
    assert [problem.message for problem in loaded.problems] == [
        f"{key} has no effect"
        for key in (
            "redistogo_url", "redis_url", "incident_expiration_seconds", "notification_expiration_seconds",
            "no_data_counter_expiration_seconds", "hipchat_key", "hipchat_room", "pushbullet_key",
            "pushbullet_devices", "pushbullet_contacts",
        )
    ]  # fmt: skip


def test_entries_of_one_name_are_one_alert_also_when_apart() -> None:
    entry = "{{name: {}, target: {}, warning: 1, critical: 2}}"
    entries = ", ".join(entry.format(*pair) for pair in [("b", "t1"), ("a", "t2"), ("b", "t3")])
    alerts = config_of(f"alerts: [{entries}]").alerts
    assert [(alert.name, [part.query.target for part in alert.entries]) for alert in alerts] == [
        ("b", ["t1", "t3"]),
        ("a", ["t2"]),
    ]


@pytest.mark.parametrize(
    ("warning", "critical", "operator"),
    [("1", "2", Operator.AT_LEAST), ("2", "1", Operator.AT_MOST), ("1", "1.0", Operator.AT_LEAST)],
)
def test_the_direction_follows_from_the_thresholds(warning: str, critical: str, operator: Operator) -> None:
    entry = entry_of(f"warning: {warning}, critical: {critical}")
    assert [one and one.operator for one in (entry.warning, entry.critical)] == [operator, operator]


@pytest.mark.parametrize(
    ("written", "bound"),
    [("10", 10), ("'10'", 10), (".5", 0.5), ("-3", -3), ("1e3", 1000), ("0x10", 16), ("1_000", 1000), ("!!int 7", 7)],
)
def test_a_threshold_is_the_number_its_author_meant(written: str, bound: float) -> None:
    assert entry_of(f"warning: -9, critical: {written}").critical == Threshold(operator=Operator.AT_LEAST, bound=bound)


@pytest.mark.parametrize("name", ["on", "404", "22:00", "2024-01-31", "1e3", "null and void", "'~'"])
def test_a_name_is_the_text_that_was_written(name: str) -> None:
    [alert] = config_of(f"alerts: [{{name: {name}, target: b, warning: 1, critical: 2}}]").alerts
    assert alert.name == name.strip("'")


@pytest.mark.parametrize("written", ["yes", "on", "true", "True", "1", "'YES'"])
def test_a_switch_is_on_however_it_is_said(written: str) -> None:
    assert entry_of(f"allow_no_data: {written}").no_data is NoDataPolicy.OK
    assert settings_of(f"stdout_enabled: {written}").stdout_enabled
    assert settings_of("", STDOUT_ENABLED=written.strip("'")).stdout_enabled


@pytest.mark.parametrize("written", ["no", "off", "false", "FALSE", "0", ""])
def test_a_switch_is_off_however_it_is_said(written: str) -> None:
    assert entry_of(f"allow_no_data: {written}").no_data is NoDataPolicy.ALERT
    assert not settings_of("", STDOUT_ENABLED=written).stdout_enabled


@pytest.mark.parametrize("name", ["verbose_init", "verbose_url", "verbose_resp", "no_data_counter_verbose"])
def test_any_verbose_variable_makes_it_verbose(name: str) -> None:
    assert settings_of(f"{name}: true").verbose
    assert settings_of("", **{name.upper(): "true"}).verbose
    assert not settings_of(f"{name}: false").verbose


def test_the_environment_wins_over_the_file_and_the_file_over_the_default() -> None:
    text = "heartbeat_seconds: 30\ngraphite_url: https://file.example.com"
    assert settings_of(text).heartbeat_s == 30
    assert settings_of(text, HEARTBEAT_SECONDS="0.5").heartbeat_s == 0.5
    assert settings_of(text).graphite_url == "https://graphite.example.com"
    assert settings_of("").heartbeat_s == 60


def test_an_empty_variable_counts_as_unset() -> None:
    assert settings_of("heartbeat_seconds: 30", HEARTBEAT_SECONDS=" ").heartbeat_s == 30


def test_a_value_in_the_file_that_the_environment_overrides_may_be_a_placeholder() -> None:
    assert settings_of("pagerduty_key: <set on Heroku>").pagerduty_key == KEY


def test_a_key_without_value_counts_as_left_out() -> None:
    entry = entry_of("from: , until: ~, exclude: null, doc_url: , pagerduty_key: , page_on: ", top="docs_url: ")
    assert entry.query == Query("b", "-1min", None)
    assert (entry.exclude, entry.runbook_base, entry.pagerduty_key) == (Names(), None, None)


def test_credentials_in_the_url_move_out_of_it() -> None:
    settings = settings_of("", GRAPHITE_URL="https://me%40x:p%3Aw@g.example.com:8443/graphite//")
    assert settings.graphite_url == "https://g.example.com:8443/graphite"
    assert (settings.graphite_user, settings.graphite_pass) == ("me@x", "p:w")


def test_explicit_credentials_win_over_those_in_the_url() -> None:
    settings = settings_of("graphite_user: you", GRAPHITE_URL="http://me:pw@[::1]:8080", GRAPHITE_PASS="other")
    assert settings.graphite_url == "http://[::1]:8080"
    assert (settings.graphite_user, settings.graphite_pass) == ("you", "other")


@pytest.mark.parametrize(
    "url",
    ["https://events.eu.pagerduty.com", "http://localhost:8080", "http://127.3.2.1:1/x", "http://[::1]"],
)
def test_events_go_over_https_or_stay_on_this_machine(url: str) -> None:
    assert settings_of(f"pagerduty_events_url: {url}/").pagerduty_events_url == url


def test_page_on_is_the_alerts_or_else_the_files() -> None:
    assert entry_of("allow_no_data: no", top="page_on: [critical]").page_on == {Level.CRITICAL}
    assert entry_of("page_on: [warning, no_data]", top="page_on: critical").page_on == {Level.WARNING, Level.NO_DATA}
    assert entry_of("page_on: []").page_on == frozenset()


def test_one_excluded_series_needs_no_list() -> None:
    assert entry_of("exclude: servers.a").exclude == Names(exact=frozenset({"servers.a"}))


@pytest.mark.parametrize(
    ("window", "duration"),
    [
        ("from: -1min", timedelta(minutes=3)),
        ("from: -10min", timedelta(minutes=10)),
        ("from: -1d, until: -1h", timedelta(days=1)),
        ("until: -10min", timedelta(minutes=10)),
        ("from: -30min, until: midnight", timedelta(minutes=30)),
        ("from: midnight", timedelta(minutes=3)),
    ],
)
def test_a_datapoint_that_is_still_in_the_window_is_no_missing_data(window: str, duration: timedelta) -> None:
    assert entry_of(window).no_data_for == duration


def test_missing_data_pages_after_so_many_polls() -> None:
    top = "heartbeat_seconds: 20.5\nno_data_notification_threshold: 10"
    assert entry_of("from: -1min", top=top).no_data_for == timedelta(seconds=205)


@pytest.mark.parametrize("when", ["1700000000", "noon_yesterday", "20240131", "midnight", "-1d12h", "now-5min"])
def test_times_reach_graphite_as_they_were_written(when: str) -> None:
    assert entry_of(f"from: {when}").query.from_ == when


def test_defaults_can_be_shared_by_anchors_and_merge_keys() -> None:
    text = """
x-defaults: &defaults {warning: 5, critical: 10, page_on: [critical]}
alerts:
  - {<<: *defaults, name: a, target: t}
  - {<<: *defaults, name: b, target: t, critical: 20}
"""
    first, second = (alert.entries[0] for alert in config_of(text).alerts)
    assert [one.critical and one.critical.bound for one in (first, second)] == [10, 20]
    assert first.page_on == second.page_on == {Level.CRITICAL}


def test_a_byte_order_mark_is_no_part_of_the_file() -> None:
    assert config_of("\ufeffalerts: [{name: a, target: b, warning: 1, critical: 2}]").alerts[0].name == "a"


def test_a_file_can_be_verified_where_nobody_knows_the_graphite() -> None:
    text = "alerts: [{name: a, target: b, warning: 1, critical: 2}]"
    loaded = load(text, {"STDOUT_ENABLED": "true"}, source="alerts.yml", needs_graphite=False)
    assert loaded.config is not None
    (problem,) = loaded.problems
    assert problem.headline.startswith("environment: warning: GRAPHITE_URL is not set")


@pytest.mark.parametrize("cleared", ["pagerduty_key: ''", "from: ''", "doc_url: ''", "until: ~", "pagerduty_key: ' '"])
def test_a_key_that_is_cleared_counts_as_absent(cleared: str) -> None:
    with_it = f"alerts: [{{name: a, target: b, warning: 1, critical: 2, {cleared}}}]"
    without = "alerts: [{name: a, target: b, warning: 1, critical: 2}]"
    environment = {"GRAPHITE_URL": "https://graphite.example.com", "STDOUT_ENABLED": "yes"}
    loaded = load(with_it, environment, source="alerts.yml", strict=True)
    assert loaded.problems == ()
    assert loaded.config == load(without, environment, source="alerts.yml").config
