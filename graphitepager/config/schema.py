"""What alerts.yml may hold, key by key: the reference in docs/ and the JSON Schema for editors are made from this.

A variable can be written into the file in lower case or set in the environment in upper case.
"""

from __future__ import annotations

import functools
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, Field

from graphitepager.config.borrowed import SCHEMA as REFERENCE
from graphitepager.config.entry import AlertEntry
from graphitepager.config.fields import (
    Connections,
    Days,
    Names,
    PagingLevels,
    Polls,
    RoutingKey,
    Seconds,
    Secret,
    Switch,
    Text,
    Token,
)
from graphitepager.config.levels import ClearKeys, LevelDurations
from graphitepager.config.measuring import CarbonKeys
from graphitepager.config.muting import MuteKeys, Zone
from graphitepager.config.notifying import AnyNotifier, EscalateKeys, NotifierKeys, NotifyKeys, RuleKeys, SeverityKeys
from graphitepager.config.sections import (
    ROUTING_KEY,
    SLACK_URL,
    Section,
    key_names,
    unused,
    unused_keys,
)
from graphitepager.config.selecting import ExpectKeys
from graphitepager.config.serving import WebKeys
from graphitepager.config.sourcing import CompareKeys, RatioKeys
from graphitepager.config.substitution import NAME
from graphitepager.config.urls import ApiUrl, EventsUrl, GraphiteUrl, PingUrl, SecretUrl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "EXTENSION_PREFIX",
    "AlertEntry",
    "AlertsFile",
    "ClearKeys",
    "CompareKeys",
    "EscalateKeys",
    "ExpectKeys",
    "LevelDurations",
    "MuteKeys",
    "NotifierKeys",
    "NotifyKeys",
    "PagerdutyKeys",
    "RatioKeys",
    "RuleKeys",
    "SeverityKeys",
    "SlackKeys",
    "Variables",
    "json_schema",
    "key_names",
    "unused_keys",
]

# A key that only holds an anchor for others to use; the rest of the world spells it so, too (Compose, OpenAPI).
EXTENSION_PREFIX = "x-"

_NOT_BY_DEFAULT = frozenset({"name", "target", "ratio", "for_each", "use", "with"})

_HIPCHAT = "HipChat closed in 2019: use PagerDuty, Slack or mail"
_PUSHBULLET = (
    "Pushbullet allows 500 pushes a month: use PagerDuty or Slack, or type: apprise with pbul://… if that is enough"
)
_REDIS = "state now lives in a SQL database: DATABASE_URL, by default a SQLite file beside alerts.yml"
_NO_EXPIRY = "state does not expire any more"


class PagerdutyKeys(Section):
    """A routing key per level, for alerts that have none of their own."""

    nominal: RoutingKey | None = Field(
        None, description="Accepted; a resolve goes where its page went.", examples=[ROUTING_KEY]
    )
    warning: RoutingKey | None = Field(None, description="Where warnings page.", examples=[ROUTING_KEY])
    critical: RoutingKey | None = Field(None, description="Where criticals page.", examples=[ROUTING_KEY])
    no_data: RoutingKey | None = Field(None, description="Where missing data pages.", examples=[ROUTING_KEY])


class SlackKeys(Section):
    """An incoming webhook per level, for alerts that have none of their own."""

    nominal: SecretUrl | None = Field(
        None, description="Accepted; a resolve goes where its trigger went.", examples=[SLACK_URL]
    )
    warning: SecretUrl | None = Field(None, description="Where warnings are told.", examples=[SLACK_URL])
    critical: SecretUrl | None = Field(None, description="Where criticals are told.", examples=[SLACK_URL])
    no_data: SecretUrl | None = Field(None, description="Where missing data is told.", examples=[SLACK_URL])


class Variables(WebKeys, CarbonKeys):
    """Everything that can be set in the environment; there it wins over the file."""

    graphite_url: GraphiteUrl | None = Field(
        None,
        description="Where Graphite is; required. user:password@ in it serves as graphite_user and graphite_pass.",
        examples=["https://graphite.example.com"],
    )
    graphite_user: Text | None = Field(None, description="User for HTTP basic authentication.", examples=["pager"])
    graphite_pass: Secret | None = Field(None, description="Password for HTTP basic authentication.", examples=["…"])
    graphite_connect_timeout_s: Seconds = Field(
        3.0, description="Seconds to wait for a connection to Graphite.", examples=[3, 0.5]
    )
    graphite_read_timeout_s: Seconds = Field(
        10.0, description="Seconds to wait for each piece of Graphite's answer.", examples=[10]
    )
    graphite_concurrency: Connections = Field(
        4, description="How many requests Graphite gets at the same time, 1 to 64.", examples=[4]
    )
    heartbeat_seconds: Seconds = Field(60.0, description="Seconds from one poll to the next.", examples=[60, 30])
    no_data_notification_threshold: Polls = Field(
        3,
        description="NO DATA pages after so many times HEARTBEAT_SECONDS without a datapoint.",
        examples=[3],
    )
    database_url: Secret | None = Field(
        None,
        description="Where state lives; without it, in a SQLite file beside alerts.yml.",
        examples=["postgresql://pager@db.example.com/pager"],
    )
    keep_history: Days = Field(
        timedelta(days=90),
        description="For how long ended incidents, what was sent of them, silences and near misses are kept.",
        examples=["90d"],
        json_schema_extra={"default": "90d"},
    )
    pagerduty_key: RoutingKey | None = Field(
        None,
        description="The PagerDuty routing key (Events API v2, 32 letters and digits) of alerts that have no other.",
        examples=[ROUTING_KEY],
    )
    pagerduty_events_url: EventsUrl = Field(
        "https://events.pagerduty.com",
        description="Where PagerDuty takes events; accounts in the EU service region have their own.",
        examples=["https://events.eu.pagerduty.com"],
    )
    pagerduty_api_url: ApiUrl = Field(
        "https://api.pagerduty.com",
        description="Where PagerDuty answers questions; accounts in the EU service region have their own.",
        examples=["https://api.eu.pagerduty.com"],
    )
    pagerduty_api_token: Token | None = Field(
        None, description="A PagerDuty API token with which to ask what is open there.", examples=["…"]
    )
    heartbeat_ping_url: PingUrl | None = Field(
        None,
        description="A secret URL to call after each poll that went well, so that somebody else watches the watcher.",
        examples=["https://hc-ping.com/…"],
    )
    stdout_enabled: Switch = Field(
        default=False,
        description="Print begin and end of every incident of alerts without notify, whatever page_on says.",
        examples=["yes"],
    )
    verbose_init: Switch = Field(
        default=False,
        description="Log at level debug, too: the settings, and every answer of Graphite.",
        examples=["yes"],
    )
    verbose_url: Switch = Field(default=False, description="The same as verbose_init.", examples=["yes"])
    verbose_resp: Switch = Field(default=False, description="The same as verbose_init.", examples=["yes"])
    no_data_counter_verbose: Switch = Field(default=False, description="The same as verbose_init.", examples=["yes"])
    redistogo_url: Any = unused(_REDIS, "redis://localhost:6379")
    redis_url: Any = unused(_REDIS, "redis://localhost:6379")
    incident_expiration_seconds: Any = unused(_NO_EXPIRY, 300)
    notification_expiration_seconds: Any = unused(_NO_EXPIRY, 300)
    no_data_counter_expiration_seconds: Any = unused(_NO_EXPIRY, 300)
    slack_url: SecretUrl | None = Field(
        None, description="An incoming webhook of Slack, for alerts that have no other.", examples=[SLACK_URL]
    )
    hipchat_key: Any = unused(_HIPCHAT, "…")
    hipchat_room: Any = unused(_HIPCHAT, "ops")
    pushbullet_key: Any = unused(_PUSHBULLET, "…")
    pushbullet_devices: Any = unused(_PUSHBULLET, "phone,tablet")
    pushbullet_contacts: Any = unused(_PUSHBULLET, "pager@example.com")


class AlertsFile(Variables):
    """A whole alerts.yml."""

    @functools.cached_property
    def intervals(self) -> dict[str, timedelta]:
        """How often the alerts are checked that have an interval of their own, by their names."""
        return {alert.name: alert.interval for alert in self.alerts if alert.interval is not None}

    model_config = ConfigDict(json_schema_extra={"patternProperties": {f"^{EXTENSION_PREFIX}": {}}})

    alerts: list[AlertEntry] = Field(
        description="What to watch, in order.",
        examples=[[{"name": "Load", "target": "servers.*.loadavg", "warning": 5, "critical": 10}]],
        min_length=1,
    )
    defaults: Any = Field(
        None,
        description="Keys that every alert of this file has, unless it has its own.",
        examples=[{"for": "5min", "page_on": ["critical"]}],
    )
    include: Names = Field(
        default=[],
        description="Files with further alerts, as patterns seen from the folder of this file.",
        examples=["alerts.d/*.yml", ["web.yml", "db/**/*.yml"]],
    )
    docs_url: Text | None = Field(
        None,
        description="Where the runbooks are: pages link to {docs_url}/{alert name}#{series}.",
        examples=["https://wiki.example.com/alerts"],
    )
    pagerduty: PagerdutyKeys = Field(
        default_factory=PagerdutyKeys,
        description="A routing key per level.",
        examples=[{"critical": ROUTING_KEY}],
    )
    slack: SlackKeys = Field(
        default_factory=SlackKeys,
        description="An incoming webhook of Slack per level.",
        examples=[{"critical": SLACK_URL}],
    )
    notifiers: dict[str, AnyNotifier] = Field(
        default={},
        description="Whom alerts can notify, by the names under which they do.",
        examples=[{"dba": {"type": "pagerduty", "key": ROUTING_KEY}, "console": {"type": "stdout"}}],
    )
    routes: list[RuleKeys] = Field(
        default=[],
        description="Who is told of alerts that do not say so themselves: the first of these that fits.",
        examples=[[{"labels": {"team": "dba"}, "levels": ["critical"], "notify": "dba"}]],
    )
    timezone: Zone = Field(
        "UTC", validate_default=True, description="Whose clocks mute windows go by.", examples=["Europe/Berlin"]
    )
    mute_windows: dict[str, MuteKeys] = Field(
        default={},
        description="Times in which alerts page nobody, by the names under which they mute.",
        examples=[{"nights": {"from": "22:00", "until": "06:00"}}],
    )
    page_on: PagingLevels = Field(
        default=["warning", "critical", "no_data"],
        description="The levels that page, unless an alert has its own page_on.",
        examples=[["critical", "no_data"]],
    )


def json_schema(kinds: Mapping[str, type[NotifierKeys]]) -> dict[str, Any]:
    """The JSON Schema of alerts.yml, for editors that check while one writes. `kinds` are those of notifiers."""
    schema = AlertsFile.model_json_schema(by_alias=True)
    _relax(schema)
    _spell_out(schema["$defs"], kinds)
    _let_borrow(schema["$defs"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "alerts.yml of graphite-pager",
    }


def _relax(schema: dict[str, Any]) -> None:
    """Require of a file only what it must have before defaults, checks, included files and `for_each` add theirs."""
    entry = schema["$defs"]["AlertEntry"]
    sources, thresholds = entry.pop("oneOf"), entry.pop("anyOf")
    entry["anyOf"] = [{"required": ["use"]}, {"required": entry.pop("required"), "oneOf": sources}]
    given = [key for key in entry["properties"] if key not in _NOT_BY_DEFAULT]
    for key in given:
        entry["properties"][key] = _or_name(entry["properties"][key])
    schema["properties"]["defaults"] |= {
        "type": "object",
        "properties": {key: {"$ref": f"#/$defs/AlertEntry/properties/{key}"} for key in given},
        "additionalProperties": False,
    }
    del schema["required"]
    schema["anyOf"] = [{"required": ["alerts"]}, {"required": ["include"]}]
    schema["if"] = {"not": {"required": ["defaults"]}}
    complete = {"anyOf": [{"required": ["use"]}, *thresholds]}
    schema["then"] = {"properties": {"alerts": {"items": complete}}}


def _spell_out(definitions: dict[str, Any], kinds: Mapping[str, type[NotifierKeys]]) -> None:
    """What each kind of notifier takes, told apart by its type."""
    choices = []
    for name, section in kinds.items():
        part = section.model_json_schema(by_alias=True)
        definitions |= part.pop("$defs", {})
        part["properties"]["type"] |= {"const": name}
        definitions[f"{name.capitalize()}Notifier"] = {**part, "title": f"{name} notifier"}
        choices.append({"$ref": f"#/$defs/{name.capitalize()}Notifier"})
    definitions["NotifierKeys"] = {"anyOf": choices, "title": "Notifier"}


def _let_borrow(definitions: dict[str, Any]) -> None:
    """Where a secret stands, `${SLACK_OPS}` may stand, too; at the top of the file the environment says it itself."""
    for definition in definitions.values():
        for part in definition.get("properties", {}).values():
            for secret in _secrets(part):
                shape = {key: secret.pop(key) for key in ("type", "pattern") if key in secret}
                secret["anyOf"] = [shape, REFERENCE]


def _secrets(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if part.get("writeOnly"):
        yield part
    for one in part.get("anyOf", ()):
        yield from _secrets(one)


def _or_name(part: dict[str, Any]) -> dict[str, Any]:
    """The schema of a value that may also be `{threshold}`, to be replaced by `for_each`."""
    said: dict[str, Any] = {
        key: part.pop(key) for key in ("title", "description", "default", "examples") if key in part
    }
    return {"anyOf": [part, {"type": "string", "pattern": rf"^\{{{NAME.pattern}\}}$"}], **said}
