"""Notifiers that have a name, and the alerts that notify them."""

from __future__ import annotations

import pytest

from graphitepager.cli.configuration import secrets_of
from graphitepager.rules import Level, Route
from tests.unit.config_support import ENVIRON, alert_with, complaint_about, entry_of, file_with, headlines, load

KEY = "fedcba9876543210fedcba9876543210"
TOP = f"notifiers: {{dba: {{type: pagerduty, key: {KEY}}}, console: {{type: stdout}}}}"
BOTH = alert_with("notify: [dba, console]", name="b")
ALL = (Level.WARNING, Level.CRITICAL, Level.NO_DATA)


def notified(keys: str) -> dict[Level, tuple[str, ...]]:
    loaded = load(file_with(alert_with(keys), BOTH, top=TOP), ENVIRON, source="alerts.yml", strict=True)
    assert loaded.problems == ()
    assert loaded.config is not None
    return dict(loaded.config.alerts[0].entries[0].notify)


def test_a_notifier_is_a_route_with_a_name() -> None:
    config = load(file_with(BOTH, top=TOP), ENVIRON, source="alerts.yml").config
    assert config is not None
    assert config.settings.notifiers == {"dba": Route("pagerduty", KEY), "console": Route("stdout", "")}
    assert KEY not in repr(config)
    assert KEY in set(secrets_of(config))


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        ("notify: dba", dict.fromkeys(ALL, ("dba",))),
        ("notify: [dba, console, dba]", dict.fromkeys(ALL, ("dba", "console"))),
        ("notify: {critical: [dba], warning: console}", {Level.CRITICAL: ("dba",), Level.WARNING: ("console",)}),
        ("notify: {no_data: }", {}),
        ("notify: ", {}),
    ],
)
def test_an_alert_notifies_by_name(keys: str, names: dict[Level, tuple[str, ...]]) -> None:
    assert notified(keys) == names


def test_an_alert_that_notifies_nobody_by_name_has_the_default() -> None:
    assert entry_of("from: -1min").notify == {}


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ("notify: dab", "notify: no notifier is called 'dab' (did you mean dba?)"),
        ("notify: [dba, x]", "notify: no notifier is called 'x' (name it under notifiers: {type: pagerduty, key: …})"),
        (
            "notify: {critical: [dba, consol]}",
            "notify.critical: no notifier is called 'consol' (did you mean console?)",
        ),
        ("notify: {warning: dab}", "notify.warning: no notifier is called 'dab' (did you mean dba?)"),
        ("notify: {critcal: dba}", "unknown key 'critcal' (did you mean critical?)"),
        ("notify: []", "notify: expected at least one name, got an empty list (page_on: [] is how an alert pages"),
        ("notify: [[dba]]", "notify: expected the name of a notifier, or a list of names, got a list"),
        (
            "notify: {critical: {a: b}}",
            "notify.critical: expected the name of a notifier, or a list of names, got a map",
        ),
        (
            f"notify: dba, pagerduty_key: {KEY}",
            "notify: the alert has a pagerduty_key, which says where it pages (give the key a name under notifiers, ",
        ),
    ],
)
def test_a_notify_that_cannot_be_says_why(keys: str, complaint: str) -> None:
    [headline] = headlines(file_with(alert_with(keys), BOTH, top=TOP))
    assert complaint in headline


def test_a_mistaken_name_is_shown_where_it_is() -> None:
    item = "  - {name: a, target: t, warning: 1, critical: 2, notify: {warning: dba, critical: [dba, x]}}\n"
    assert headlines(file_with(item, BOTH, top=TOP))[0].startswith("alerts.yml:3:90: alert 'a', notify.critical: ")


def test_without_notifiers_no_name_is_known() -> None:
    assert complaint_about("notify: dba").startswith("notify: no notifier is called 'dba' (name it under notifiers")


@pytest.mark.parametrize(
    ("top", "complaint"),
    [
        (
            "notifiers: {console: {type: stdot}}",
            "or webhook, got 'stdot' (did you mean stdout?)",
        ),
        ("notifiers: {console: {}}", "notifiers.console: type is missing (every notifier needs a type: apprise, exec"),
        ("notifiers: {console: {type: }}", "notifiers.console: type has no value (every notifier needs a type: "),
        ("notifiers: {console: {type: pagerduty}}", "notifiers.console: key is missing (pagerduty needs it)"),
        (f"notifiers: {{console: {{type: stdout, key: {KEY}}}}}", "unknown key 'key'"),
        ("notifiers: {console: {type: pagerduty, key: x}}", "notifiers.console.key: 1 character, a routing key has 32"),
        ("notifiers: {console: {type: stdout, tpye: x}}", "unknown key 'tpye' (did you mean type?)"),
        ("notifiers: {console: stdout}", "notifiers.console: expected keys and values, got a text (write key: value)"),
        ("notifiers: [console]", "notifiers: expected keys and values, got a list (write key: value)"),
    ],
)
def test_a_notifier_that_cannot_be_says_why(top: str, complaint: str) -> None:
    lines = headlines(file_with(alert_with("notify: console"), top=top))
    assert any(complaint in line for line in lines)


def test_a_notifier_that_no_alert_notifies_is_a_warning() -> None:
    [headline] = headlines(file_with(alert_with("notify: console"), top=TOP))
    assert headline == "alerts.yml:1:13: warning: notifiers.dba has no effect (no alert says notify: dba)"


class TestNobodyHears:
    """That an alert pages nobody is said when the file is read."""

    def lines(self, keys: str) -> list[str]:
        problems = load(
            file_with(alert_with(keys), BOTH, top=TOP), {"GRAPHITE_URL": "https://g"}, source="alerts.yml"
        ).problems
        return [problem.headline for problem in problems]

    def test_who_notifies_somebody_needs_no_key(self) -> None:
        assert self.lines("notify: dba") == []
        assert self.lines("notify: {critical: dba}, page_on: [critical]") == []

    def test_a_level_that_is_left_out_does(self) -> None:
        [line] = self.lines("notify: {critical: dba}")
        assert "alert 'a': nobody will be notified at warning, no_data" in line


def test_what_is_no_secret_of_a_notifier_is_named_in_a_message() -> None:
    top = (
        f"notifiers: {{dba: {{type: pagerduty, key: {KEY}, fallback: consol}}, console: {{type: stdout, digest: 9d}}}}"
    )
    said = headlines(file_with(BOTH, top=top))
    assert [one.partition("notifiers.")[2] for one in said] == [
        "dba.fallback: no notifier is called 'consol' (did you mean console?)",
        "console.digest: expected between 1min and 1d, got 1w2d",
    ]
    unknown = top.replace("consol}", "nobody}").replace("9d", "1min")
    assert "no notifier is called 'nobody'" in "".join(headlines(file_with(BOTH, top=unknown)))
