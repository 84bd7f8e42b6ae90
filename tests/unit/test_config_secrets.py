"""No secret leaves alerts.yml or the environment in a message, an excerpt or a repr, whatever else is wrong there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.config_support import load

if TYPE_CHECKING:
    from graphitepager.config import Loaded

KEY = "0123456789abcdef0123456789abcdef"
ALERT = "alerts: [{name: a, target: b, warning: 1, critical: 2}]\n"

# Where secrets stand, with mistakes around them. `{}` is the secret.
_SECRET_LINES = (
    "graphite_pass: {}",
    "graphite_pas: {}",
    "pagerduty_key: {}",
    "pagerduty_key: [{}]",
    "slack_url: https://hooks.slack.com/services/{}",
    "graphite_url: https://me:{}@graphite.example.com/?x",
    "graphite_url: ftp://me:{}@graphite.example.com",
    "database_url: postgres://me:{}@db/x",
    "pagerduty_api_token: {} x",
    "heartbeat_ping_url: {}",
    "x: &anchor {}\npagerduty_api_token: *anchor\nalerts: [{{name: a, for: *anchor, mute: *anchor, value: *anchor}}]",
    "x: &anchor {}\npagerduty_key: *anchor\nalerts: [{{name: a, depends_on: *anchor, mute: {{days: *anchor}}}}]",
    "pagerduty:\n  warning: {}\n  critcal: {}",
    "slack: {{warning: {}, nominal: [}}",
    "? hipchat_key\n: {}",
    "x: &anchor {}\npagerduty_key: *anchor\nheartbeat_seconds: *anchor",
    "graphite_pass: |\n  {}\n bad",
    'graphite_pass: "{}\n  {}\n',
    "graphite_pass: {}: {}",
    "graphite_pass:{}",
    "pushbullet_key {}",
    "\tredis_url: {}",
    "sentry_dsn: {}",
    "alerts: [{{name: a, pagerduty_key: {}, warning: ten}}]",
    "notifiers: {{dba: {{type: pagerduty, key: {}}}}}",
    "notifiers: {{dba: {{type: pagerduty, kye: {}}}, x: {{key: {}}}}}",
    "notifiers:\n  dba: {}\nheartbeat_seconds: x",
    "x: &anchor {}\nnotifiers: {{dba: {{key: *anchor}}}}\nalerts: [{{name: a, notify: *anchor, summary: *anchor}}]",
    "alerts:\n  - name: a\n    slack_url: {}\n    slack_url: {}",
    "alerts:\n  - name: a\n    pagerduty_key: !!python/none {}",
)
_OTHER_LINES = ("alerts: [{name: a}]", "heartbeat_seconds: x", "- a", "b: *c", "\t", "'", "{", "a: b: c", "x\x00", "")
_SECRETS = st.sampled_from(["hunter2", "s3cr3t-w0rd", KEY, KEY[1:], "Tr0ub4dor"])
_ANY_LINES = st.lists(st.sampled_from(_SECRET_LINES + _OTHER_LINES), max_size=6).map("\n".join)


def all_that_is_shown(loaded: Loaded) -> str:
    return "\n".join((*(problem.render() for problem in loaded.problems), repr(loaded.problems), repr(loaded.config)))


@given(_ANY_LINES, _SECRETS, st.booleans())
def test_no_secret_is_ever_shown(lines: str, secret: str, strict: bool) -> None:
    text = lines.replace("{{", "<<").replace("{}", secret).replace("<<", "{").replace("}}", "}")
    assert secret not in all_that_is_shown(load(text, {}, source="alerts.yml", strict=strict))


@given(_SECRETS, st.sampled_from(["", "ftp://me:{}@g", "http://me:{}@g/?", "{}"]))
def test_no_secret_variable_is_ever_shown(secret: str, url: str) -> None:
    secret_names = ("GRAPHITE_PASS", "PAGERDUTY_KEY", "SLACK_URL", "DATABASE_URL", "REDIS_URL", "HIPCHAT_KEY")
    new_names = ("PAGERDUTY_API_TOKEN", "HEARTBEAT_PING_URL")
    environ = dict.fromkeys(secret_names + new_names, secret) | {"GRAPHITE_URL": url.format(f"{secret}-x")}
    text = f"heartbeat_seconds: '{secret}'\n{ALERT}"
    assert secret not in all_that_is_shown(load(text, environ, source="alerts.yml"))
