"""Files of one alert or more, and what is said of them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from graphitepager import config
from graphitepager.notifiers import SECTIONS

if TYPE_CHECKING:
    from graphitepager.rules import Alert, Entry, Settings

# As the commands read it, with every kind of notifier.
load = functools.partial(config.load, notifiers=SECTIONS)

ENVIRON = {"GRAPHITE_URL": "https://graphite.example.com", "PAGERDUTY_KEY": "0123456789abcdef0123456789abcdef"}


def headlines(text: str, **environ: str) -> list[str]:
    return [problem.headline for problem in load(text, ENVIRON | environ, source="alerts.yml").problems]


def alerts_of(text: str) -> tuple[Alert, ...]:
    loaded = load(text, ENVIRON, source="alerts.yml", strict=True)
    assert [problem.headline for problem in loaded.problems] == []
    assert loaded.config is not None
    return loaded.config.alerts


def alert_with(keys: str, name: str = "a") -> str:
    """An item of `alerts` with these keys besides its name and target; thresholds may be among them."""
    thresholds = "" if "warning: " in keys.partition("{")[0] else "warning: 40, critical: 60, "
    return f"  - {{name: {name}, target: t, {thresholds}{keys}}}\n"


def file_with(*items: str, top: str = "") -> str:
    return f"{top}\nalerts:\n{''.join(items)}"


def entry_of(keys: str, top: str = "") -> Entry:
    [alert] = alerts_of(file_with(alert_with(keys), top=top))
    [entry] = alert.entries
    return entry


def complaint_about(keys: str, top: str = "") -> str:
    """The only problem that one alert with these keys has, without its place."""
    [headline] = headlines(file_with(alert_with(keys), top=top))
    return headline.partition("alert 'a', ")[2]


def settings_of(text: str, **environ: str) -> Settings:
    loaded = load(f"{text}\n{file_with(alert_with('from: -1min'))}", ENVIRON | environ, source="alerts.yml")
    assert loaded.problems == ()
    assert loaded.config is not None
    return loaded.config.settings
