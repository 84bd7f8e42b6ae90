"""Where PagerDuty is asked and who watches the watcher, from the environment."""

from __future__ import annotations

import pytest

from graphitepager.cli.configuration import secrets_of
from graphitepager.config import load
from graphitepager.rules import CarbonPlace
from tests.unit.config_support import (
    ENVIRON,
    alert_with,
    file_with,
    headlines,
    settings_of,
)


def test_pagerduty_can_be_asked_with_a_token_over_https_only() -> None:
    settings = settings_of("", PAGERDUTY_API_TOKEN=" u+abcdefghij ", PAGERDUTY_API_URL="https://api.eu.pagerduty.com/")
    assert (settings.pagerduty_api_token, settings.pagerduty_api_url) == (
        "u+abcdefghij",
        "https://api.eu.pagerduty.com",
    )
    assert settings_of("").pagerduty_api_url == "https://api.pagerduty.com"
    assert settings_of("pagerduty_api_url: http://127.0.0.1:8080").pagerduty_api_url == "http://127.0.0.1:8080"
    [headline] = headlines(file_with(alert_with("for: 0")), PAGERDUTY_API_URL="http://api.pagerduty.com")
    assert headline.startswith("environment: PAGERDUTY_API_URL: API tokens travel over https only")


@pytest.mark.parametrize("url", ["https://hc-ping.com/8b9c", "http://kuma:3001/api/push/x?status=up&msg=OK"])
def test_the_ping_goes_where_it_is_told_to(url: str) -> None:
    assert settings_of(f"heartbeat_ping_url: {url}").heartbeat_ping_url == url


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("heartbeat_ping_url", "hc-ping.example/5ecret-5ecret"),
        ("heartbeat_ping_url", "ftp://hc-ping.example/5ecret-5ecret"),
        ("heartbeat_ping_url", "https://hc-ping.example/5ecret-5ecret#x"),
        ("pagerduty_api_token", "5ecret-5ecret and more"),
    ],
)
def test_a_mistyped_secret_is_never_quoted(key: str, value: str) -> None:
    text = file_with(alert_with("for: 0"))
    for loaded in (
        load(f"{key}: {value}\n{text}", ENVIRON, source="alerts.yml"),
        load(text, ENVIRON | {key.upper(): value}, source="alerts.yml"),
    ):
        [problem] = loaded.problems
        assert "expected a" in problem.message
        assert "5ecret" not in problem.render() + repr(loaded)


def test_the_new_secrets_are_kept_out_of_the_log() -> None:
    environ = ENVIRON | {
        "PAGERDUTY_API_TOKEN": "u+token",
        "HEARTBEAT_PING_URL": "https://me:pw@hc-ping.com/8b9c-4d5e/x?y=1",
    }
    config = load(file_with(alert_with("for: 0")), environ, source="alerts.yml").config
    assert config is not None
    assert {"u+token", environ["HEARTBEAT_PING_URL"], "me:pw", "8b9c-4d5e/x?y=1"} <= set(secrets_of(config))
    assert not any(secret in repr(config) + repr(config.settings) for secret in ("u+token", "8b9c"))


def test_own_metrics_go_to_a_carbon_where_one_is_named() -> None:
    assert settings_of("carbon_port: 2004").carbon is None
    assert settings_of("", CARBON_HOST=" carbon ").carbon == CarbonPlace("carbon", 2003, "graphite_pager")
    place = settings_of("", CARBON_HOST="[::1]", CARBON_PORT="2103", CARBON_PREFIX="ops.pager.").carbon
    assert place == CarbonPlace("::1", 2103, "ops.pager")


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("CARBON_HOST", "tcp://carbon:2003", "expected the name or the address of a host"),
        ("CARBON_HOST", "carbon:2003", "expected the name or the address of a host"),
        ("CARBON_HOST", "two words", "expected the name or the address of a host"),
        ("CARBON_PORT", "0", "expected a whole number from 1 to 65535"),
        ("CARBON_PREFIX", "a..b", "expected letters, digits, _ and -"),
        ("CARBON_PREFIX", "a b\n", "expected letters, digits, _ and -"),
    ],
)
def test_what_no_carbon_could_be_is_told(key: str, value: str, expected: str) -> None:
    [headline] = headlines(file_with(alert_with("for: 0")), **{key: value})
    assert headline.startswith(f"environment: {key}: {expected}")
