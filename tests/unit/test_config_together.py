"""What the short forms of alerts.yml and the keys of an alert come to together."""

from __future__ import annotations

from graphitepager.config import load
from tests.examples import GRAPHITE_URL, bound_of

ENVIRON = {"GRAPHITE_URL": GRAPHITE_URL, "STDOUT_ENABLED": "yes"}


def headlines(text: str) -> list[str]:
    return [one.headline for one in load(text, ENVIRON, source="alerts.yml").problems]


def test_a_template_that_fails_is_told_of_the_entry_that_it_was_made_for() -> None:
    text = (
        "defaults: {critical: '> 9', summary: '{{ thresholds.warning }}'}\n"
        "alerts:\n"
        "  - {name: a, for_each: {env: [p, s]}, target: 't.{env}', warning: '> 8'}\n"
        "  - {name: '{env}', for_each: {env: [p, s]}, target: t, description: '{{ variables.evn }}', warning: '> 8'}\n"
        "  - {name: b, target: t}\n"
    )
    assert [line.partition(" (")[0] for line in headlines(text)] == [
        "alerts.yml:1:38: alert 'b', summary: warning is not known here; there are critical",
        "alerts.yml:4:70: alert 'p', description: evn is not known here; there are env",
    ]


def test_a_ratio_can_be_made_for_each_and_one_threshold_be_the_default() -> None:
    text = (
        "defaults: {critical: '> 90%'}\n"
        "alerts: [{name: a, for_each: {env: [p, s]}, ratio: {of: '{env}.a', to: '{env}.b'}}]\n"
    )
    loaded = load(text, ENVIRON, source="alerts.yml")
    assert loaded.problems == ()
    assert loaded.config is not None
    [alert] = loaded.config.alerts
    assert [one.source for one in alert.entries] == ["p.a / p.b", "s.a / s.b"]
    assert [(one.warning, bound_of(one.critical)) for one in alert.entries] == [(None, 90), (None, 90)]


def test_a_ratio_is_no_default() -> None:
    text = "defaults: {ratio: {of: a, to: b}}\nalerts: [{name: a, target: t, warning: 1, critical: 2}]\n"
    assert headlines(text) == ["alerts.yml:1:12: defaults: ratio belongs to each alert, and has no default"]
