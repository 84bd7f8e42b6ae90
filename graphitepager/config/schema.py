"""What alerts.yml may hold, key by key: the reference in docs/ and the JSON Schema for editors are made from this.

A variable can be written into the file in lower case or set in the environment in upper case.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from graphitepager.config.fields import (
    Connections,
    EventsUrl,
    GraphiteTime,
    GraphiteUrl,
    Number,
    PagingLevels,
    Polls,
    RoutingKey,
    Seconds,
    Secret,
    SeriesNames,
    Switch,
    Text,
    refuse,
)
from graphitepager.durations import parse_offset

# A key that only holds an anchor for others to use; the rest of the world spells it so, too (Compose, OpenAPI).
EXTENSION_PREFIX = "x-"

_ROUTING_KEY = "0123456789abcdef0123456789abcdef"
_SLACK_URL = "https://hooks.slack.com/services/…"
_HIPCHAT = "HipChat closed in 2019: page through PagerDuty, or print with STDOUT_ENABLED"
_PUSHBULLET = (
    "Pushbullet allows 500 pushes a month and is not supported: page through PagerDuty, or print with STDOUT_ENABLED"
)
_REDIS = "state now lives in a SQL database: DATABASE_URL, by default a SQLite file beside alerts.yml"
_NO_EXPIRY = "state does not expire any more"
_NO_SLACK = "this version does not send to Slack yet"


class _Section(BaseModel):
    """A mapping of the file. A key without a value means the same as no key."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _drop_keys_without_value(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        known = key_names(cls)
        return {key: value for key, value in data.items() if not _is_nothing(value) or key not in known}


def _is_nothing(value: object) -> bool:
    """An empty text as well as none: old files clear a key with ''."""
    return value is None or (isinstance(value, str) and not value.strip())


def _unused(why: str, example: object) -> Any:
    """Declare a key of the old program that no longer does anything; the reason is what its user is told."""
    return Field(None, description=why, examples=[example], json_schema_extra={"deprecated": True})


class PagerdutyKeys(_Section):
    """A routing key per level, for alerts that have none of their own."""

    nominal: RoutingKey | None = Field(
        None, description="Accepted; a resolve goes where its page went.", examples=[_ROUTING_KEY]
    )
    warning: RoutingKey | None = Field(None, description="Where warnings page.", examples=[_ROUTING_KEY])
    critical: RoutingKey | None = Field(None, description="Where criticals page.", examples=[_ROUTING_KEY])
    no_data: RoutingKey | None = Field(None, description="Where missing data pages.", examples=[_ROUTING_KEY])


class Variables(_Section):
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
    pagerduty_key: RoutingKey | None = Field(
        None,
        description="The PagerDuty routing key (Events API v2, 32 letters and digits) of alerts that have no other.",
        examples=[_ROUTING_KEY],
    )
    pagerduty_events_url: EventsUrl = Field(
        "https://events.pagerduty.com",
        description="Where PagerDuty takes events; accounts in the EU service region have their own.",
        examples=["https://events.eu.pagerduty.com"],
    )
    stdout_enabled: Switch = Field(
        default=False, description="Print every incident's begin and end, whatever page_on says.", examples=["yes"]
    )
    verbose_init: Switch = Field(
        default=False,
        description="Log at level debug, too: the settings, and every answer of Graphite.",
        examples=["yes"],
    )
    verbose_url: Switch = Field(default=False, description="The same as verbose_init.", examples=["yes"])
    verbose_resp: Switch = Field(default=False, description="The same as verbose_init.", examples=["yes"])
    no_data_counter_verbose: Switch = Field(default=False, description="The same as verbose_init.", examples=["yes"])
    redistogo_url: Any = _unused(_REDIS, "redis://localhost:6379")
    redis_url: Any = _unused(_REDIS, "redis://localhost:6379")
    incident_expiration_seconds: Any = _unused(_NO_EXPIRY, 300)
    notification_expiration_seconds: Any = _unused(_NO_EXPIRY, 300)
    no_data_counter_expiration_seconds: Any = _unused(_NO_EXPIRY, 300)
    slack_url: Any = _unused(_NO_SLACK, _SLACK_URL)
    hipchat_key: Any = _unused(_HIPCHAT, "…")
    hipchat_room: Any = _unused(_HIPCHAT, "ops")
    pushbullet_key: Any = _unused(_PUSHBULLET, "…")
    pushbullet_devices: Any = _unused(_PUSHBULLET, "phone,tablet")
    pushbullet_contacts: Any = _unused(_PUSHBULLET, "pager@example.com")


class AlertEntry(_Section):
    """One entry of `alerts`. Entries may share a name: the first one that returns a series owns it."""

    name: Text = Field(description="What the incident is called.", examples=["Load"])
    target: Text = Field(
        description="The Graphite expression to watch; every series it returns is an incident of its own.",
        examples=["aliasByNode(servers.*.loadavg01,1)"],
    )
    warning: Number = Field(
        description="From this value on a series is at warning. A warning above critical means that lower is worse.",
        examples=[5, 0.5],
    )
    critical: Number = Field(description="From this value on a series is critical.", examples=[10, 1])
    from_: GraphiteTime = Field(
        "-1min", alias="from", description="Where the window begins, in Graphite's words.", examples=["-10min", "-1d"]
    )
    until: GraphiteTime | None = Field(
        None, description="Where the window ends, in Graphite's words; without it, now.", examples=["-5min"]
    )
    exclude: SeriesNames = Field(
        default=[], description="Series to leave alone, by their exact names.", examples=[["worker-1", "worker-2"]]
    )
    allow_no_data: Switch = Field(
        default=False, description="Missing data is fine: it never pages, and it ends what fires.", examples=["yes"]
    )
    doc_url: Text | None = Field(
        None,
        description="Where this alert's runbook is; replaces docs_url.",
        examples=["https://wiki.example.com/runbooks"],
    )
    pagerduty_key: RoutingKey | None = Field(
        None,
        description="The routing key of this alert, for every level; wins over those of the file.",
        examples=[_ROUTING_KEY],
    )
    slack_url: Any = _unused(_NO_SLACK, _SLACK_URL)
    page_on: PagingLevels | None = Field(
        None, description="The levels that page; replaces the file's page_on.", examples=[["critical"]]
    )

    @model_validator(mode="after")
    def _look_at_some_time(self) -> AlertEntry:
        begin, end = parse_offset(self.from_), parse_offset(self.until or "now")
        if begin is not None and begin == end:
            raise refuse("from and until are the same time, so Graphite has nothing to return")
        return self


class AlertsFile(Variables):
    """A whole alerts.yml."""

    model_config = ConfigDict(json_schema_extra={"patternProperties": {f"^{EXTENSION_PREFIX}": {}}})

    alerts: list[AlertEntry] = Field(
        description="What to watch, in order.",
        examples=[[{"name": "Load", "target": "servers.*.loadavg", "warning": 5, "critical": 10}]],
        min_length=1,
    )
    docs_url: Text | None = Field(
        None,
        description="Where the runbooks are: pages link to {docs_url}/{alert name}#{series}.",
        examples=["https://wiki.example.com/alerts"],
    )
    pagerduty: PagerdutyKeys = Field(
        default_factory=PagerdutyKeys,
        description="A routing key per level.",
        examples=[{"critical": _ROUTING_KEY}],
    )
    slack: Any = _unused(_NO_SLACK, {"critical": _SLACK_URL})
    page_on: PagingLevels = Field(
        default=["warning", "critical", "no_data"],
        description="The levels that page, unless an alert has its own page_on.",
        examples=[["critical", "no_data"]],
    )


def key_names(section: type[BaseModel]) -> frozenset[str]:
    """The keys as they are written in the file."""
    return frozenset(field.alias or name for name, field in section.model_fields.items())


def unused_keys(section: type[BaseModel]) -> dict[str, str]:
    """The keys that are accepted without effect, and why."""
    return {
        name: field.description or ""
        for name, field in section.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("deprecated")
    }


def json_schema() -> dict[str, Any]:
    """The JSON Schema of alerts.yml, for editors that check while one writes."""
    schema = AlertsFile.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "alerts.yml of graphite-pager",
    }
