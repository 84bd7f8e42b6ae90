"""Secrets that alerts.yml has from the environment: `${SLACK_OPS}`."""

from __future__ import annotations

import json

import pytest

from graphitepager.cli.configuration import secrets_of
from graphitepager.config.plainyaml import tidy
from graphitepager.config.schema import json_schema
from graphitepager.notifiers import SECTIONS
from graphitepager.rules import Level, Route
from tests.unit.config_support import ENVIRON, alert_with, file_with, headlines, load, settings_of

KEY = "fedcba9876543210fedcba9876543210"
URL = "https://hooks.slack.com/services/T0/B0/SecretPath"
ALERT = alert_with("notify: ops")


def test_a_notifier_has_its_secrets_from_the_environment() -> None:
    text = (
        'notifiers:\n  ops: {type: slack, url: "${SLACK_OPS}"}\n'
        '  people: {type: mail, server: "smtp://me:${MAIL_PASS}@mail.example.com", from: a@b.example, to: ["${WHO}"]}\n'
        f"alerts:\n{alert_with('notify: [ops, people]')}"
    )
    environ = ENVIRON | {"SLACK_OPS": f" {URL}\n", "MAIL_PASS": "p%40ss-word", "WHO": "ops@example.com"}
    loaded = load(text, environ, source="alerts.yml", strict=True)
    assert loaded.problems == ()
    assert loaded.config is not None
    notifiers = loaded.config.settings.notifiers
    assert notifiers["ops"] == Route("slack", URL)
    assert json.loads(notifiers["people"].address) == {
        "server": "smtp://me:p%40ss-word@mail.example.com",
        "from": "a@b.example",
        "to": ["ops@example.com"],
    }
    assert {URL, "p%40ss-word", "p@ss-word"} <= set(secrets_of(loaded.config))


def test_keys_of_levels_and_alerts_have_theirs_from_it_too() -> None:
    settings = settings_of('pagerduty: {critical: "${DBA_KEY}"}\nslack: {warning: "${CHAT}"}', DBA_KEY=KEY, CHAT=URL)
    assert (settings.pagerduty_keys, settings.slack_urls) == ({Level.CRITICAL: KEY}, {Level.WARNING: URL})
    text = file_with(alert_with('pagerduty_key: "${DBA_KEY}", slack_url: "${CHAT}"'))
    config = load(text, ENVIRON | {"DBA_KEY": KEY, "CHAT": URL}, source="alerts.yml", strict=True).config
    assert config is not None
    [entry] = config.alerts[0].entries
    assert (entry.pagerduty_key, entry.slack_url) == (KEY, URL)


def test_what_is_written_out_of_the_file_keeps_the_reference() -> None:
    text = file_with(alert_with('pagerduty_key: "${DBA_KEY}"'))
    loaded = load(text, ENVIRON | {"DBA_KEY": KEY}, source="alerts.yml")
    assert tidy(loaded.entries[0][0])["pagerduty_key"] == "${DBA_KEY}"  # type: ignore[index,call-overload]
    assert KEY not in repr(loaded)


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("${SLACK_OPS}", "SLACK_OPS is not set in the environment (export SLACK_OPS=…)"),
        ("https://x.example.com/${EMPTY}", "EMPTY is not set in the environment (export EMPTY=…)"),
        ("${}", "expected the name of a variable in ${…}, got '' ($${ is a plain ${)"),
        ("${A:-b}", "expected the name of a variable in ${…}, got 'A:-b' ($${ is a plain ${)"),
    ],
)
def test_what_is_not_set_is_one_error_with_its_line(value: str, complaint: str) -> None:
    text = f'notifiers:\n  ops:\n    type: slack\n    url: "{value}"\nalerts:\n{ALERT}'
    assert headlines(text, EMPTY=" ") == [f"alerts.yml:4:10: {complaint}"]


def test_where_there_is_no_environment_it_is_a_warning_and_the_rest_is_checked() -> None:
    text = (
        'notifiers:\n  ops: {type: slack, url: "${SLACK_OPS}", fallback: dba}\n'
        '  dba: {type: pagerduty, key: "${DBA_KEY}"}\n'
        f"alerts:\n{alert_with('notify: [ops, dba]')}{alert_with('notify: oops', 'b')}"
    )
    loaded = load(text, {}, source="alerts.yml", needs_graphite=False)
    said = [problem.headline for problem in loaded.problems if "GRAPHITE_URL" not in problem.message]
    assert [one.partition(": ")[2] for one in said] == [
        "warning: SLACK_OPS is not set in the environment (export SLACK_OPS=…)",
        "warning: DBA_KEY is not set in the environment (export DBA_KEY=…)",
        "alert 'b', notify: no notifier is called 'oops' (did you mean ops?)",
    ]
    text = text.replace("oops", "ops")
    assert load(text, {}, source="alerts.yml", needs_graphite=False).config is not None
    text = file_with(alert_with('slack_url: "${CHAT}", notify: console'), top="notifiers: {console: {type: stdout}}")
    _, at_odds = load(text, ENVIRON, source="alerts.yml", needs_graphite=False).problems
    assert at_odds.message.startswith("alert 'a', notify: the alert has a slack_url")


def test_two_dollars_stand_for_one() -> None:
    text = f"notifiers: {{ops: {{type: exec, command: [sh, -c, 'echo $${{HOME}} $HOME $$']}}}}\n{file_with(ALERT)}"
    config = load(text, ENVIRON, source="alerts.yml").config
    assert config is not None
    assert json.loads(config.settings.notifiers["ops"].address)["command"][2] == "echo ${HOME} $HOME $$"


def test_nothing_else_of_the_file_is_filled_in() -> None:
    text = file_with(alert_with('summary: "costs ${PRICE}", notify: ops'), top="notifiers: {ops: {type: stdout}}")
    assert headlines(text, PRICE="7") == []
    config = load(text, ENVIRON | {"PRICE": "7"}, source="alerts.yml").config
    assert config is not None
    assert config.alerts[0].entries[0].summary == "costs ${PRICE}"


def test_a_value_is_shown_in_no_message() -> None:
    text = f'notifiers:\n  ops:\n    type: slack\n    url: "${{SLACK_OPS}}"\n    chanel: SecretPath\nalerts:\n{ALERT}'
    shown = "".join(
        problem.render() for problem in load(text, ENVIRON | {"SLACK_OPS": "SecretPath"}, source="a").problems
    )
    assert "https" in shown
    assert "SecretPath" not in shown


def test_editors_accept_a_reference_where_a_secret_stands() -> None:
    import jsonschema  # noqa: PLC0415 - slow to import, and wanted here only

    editor = jsonschema.Draft202012Validator(json_schema(SECTIONS))
    alert = {"name": "Load", "target": "t", "warning": 5, "critical": 10}
    key, hook = {"pagerduty_key": "${KEY}"}, {"type": "webhook", "url": "${URL}", "secret": "${SECRET}"}
    file = {"alerts": [alert | key], "notifiers": {"web": hook, "dba": {"type": "pagerduty", "key": "${KEY}"}}}
    assert editor.is_valid(file | {"slack": {"critical": "${URL}"}, "pagerduty": {"warning": "${KEY}"}})
    assert not editor.is_valid(file | {"slack": {"critical": "$URL"}})
