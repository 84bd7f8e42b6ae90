"""What the API takes and gives: its JSON, field by field. The OpenAPI document and the reference are made of this."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from graphitepager.model import EventKind
from graphitepager.records import DeliveryStatus
from graphitepager.rules import Level
from graphitepager.vitals import Condition

LARGEST_ID = 2**63 - 1
MOST_ITEMS = 500
_USUAL_ITEMS = 100
_LONGEST_TEXT = 4000

_WHOLE = re.compile(r"[0-9]{1,18}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _whole(value: object) -> object:
    """A number as it stands in an address."""
    if isinstance(value, str) and not _WHOLE.fullmatch(value):
        raise ValueError("expected a whole number")
    return value


def _moment(value: object) -> object:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise ValueError("expected a time such as 2026-03-01T22:00:00Z (RFC 3339)")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("there is no such time") from None


Moment = Annotated[datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
Count = Annotated[int, Field(ge=0)]
Text = Annotated[str, Field(max_length=_LONGEST_TEXT)]
RaisedLevel = Literal["warning", "critical", "no_data"]


class Part(BaseModel):
    """A piece of an answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Fault(Part):
    """One thing that is wrong with a request."""

    name: str = Field(description="The parameter or field that it is in.")
    detail: str = Field(description="What is wrong with it.")


class Problem(Part):
    """Why there is no other answer (RFC 9457)."""

    type: str = Field("about:blank", description="Always about:blank: the status says which kind it is.")
    title: str = Field(description="The name of the status.")
    status: int = Field(description="The status of the answer.", ge=400, le=599)
    detail: str = Field(description="What is wrong, for people.")
    faults: list[Fault] = Field(default=[], description="What is wrong with the request, as far as it is that.")


class Counts(Part):
    """How many at each level."""

    critical: Count
    no_data: Count
    warning: Count


class Poll(Part):
    """The last complete poll."""

    started_at: Moment
    finished_at: Moment
    answered_at: Moment | None = Field(description="When Graphite last gave a usable answer; null if never.")
    series: Count = Field(description="Series that it evaluated.")
    failed: Count = Field(description="Queries without a usable answer.")


class Unsent(Part):
    """What has not been handed over."""

    pending: Count = Field(description="Deliveries that wait.")
    oldest_page_at: Moment | None = Field(description="Since when the oldest page of them has waited.")
    dead: Count = Field(description="Deliveries that were given up.")
    unheard: Count = Field(description="Open incidents of which nobody will hear: all their triggers were given up.")


class LoadedFile(Part):
    """The alerts.yml that the pager runs by."""

    source: str
    version: str = Field(description="Twelve hexadecimal digits, others for every other text.")
    loaded_at: Moment = Field(description="When it was first loaded.")


class Sign(Part):
    """How well a part of the pager is."""

    name: str
    condition: Condition
    text: str
    at: Moment | None = Field(description="Since when, or when last.")
    advice: str = Field(description="What to do where it is not well.")


class Status(Part):
    """The pager at one glance."""

    at: Moment = Field(description="When this was true.")
    version: str = Field(description="The release of graphite-pager that answers.")
    is_well: bool = Field(description="Whether every sign below is good.")
    level: Level = Field(description="The worst level at which an incident is open; ok without one.")
    open: Counts = Field(description="Open incidents.")
    silences: Count = Field(description="Silences that hold now.")
    poll: Poll | None = Field(description="null before the first one.")
    unsent: Unsent
    alerts_file: LoadedFile | None = Field(description="null before a pager has run.")
    signs: list[Sign]


class Alert(Part):
    """An alert of alerts.yml, and how its series are."""

    name: str
    level: Level = Field(description="The worst level at which one of its incidents is open.")
    open: Counts = Field(description="Open incidents.")
    held: Count = Field(description="Those of them that something holds back, such as a silence.")
    pending: Count = Field(description="Series that breach and wait for their `for`.")
    flapping: Count = Field(description="Series that fire and resolve again and again.")
    known_series: Count = Field(description="Series that it watches, and would miss.")
    targets: list[str] = Field(description="What it asks Graphite for.")
    lines: list[int] = Field(description="Where its entries stand in alerts.yml.")


class Incident(Part):
    """An open or ended problem of one series at one level."""

    id: int
    dedup_key: str = Field(description="By which PagerDuty knows it.")
    alert: str
    series: str | None = Field(description="null where it speaks for several, or for the alert as a whole.")
    level: Level
    value: float | None = Field(description="The value at which it opened; null without one, or where it was infinite.")
    opened_at: Moment
    closed_at: Moment | None = Field(description="null while it is open.")
    close_reason: str | None
    held_by: str | None = Field(description="Why nobody was told, where nobody was.")


class Delivery(Part):
    """What is told of an incident to one address. The address is a secret, and is not among it."""

    id: int
    incident_id: int
    alert: str
    series: str | None = Field(description="As in an incident.")
    level: Level
    kind: EventKind
    notifier: str
    status: DeliveryStatus
    attempts: Count = Field(description="Those that failed.")
    created_at: Moment
    next_attempt_at: Moment | None = Field(description="null when it has ended.")
    finished_at: Moment | None = Field(description="null while it waits.")
    last_error: str | None
    answer: str | None = Field(description="What the receiver said to it.")


class Silence(Part):
    """An ad-hoc mute of everything that all of its matchers fit."""

    id: int
    matchers: list[str] = Field(description="Such as alert=MongoDB* or series!=db1.")
    author: str
    comment: str
    begins_at: Moment
    ends_at: Moment
    state: Literal["pending", "active", "ended"]


class AddedSilence(Silence):
    """A new silence, with what it fits of all that is known, so that a slip is seen at once."""

    known_series: Count = Field(description="Series that it fits.")
    not_fine: Count = Field(description="Those of them that fire, or are about to.")


# The last field of each page of a list.
Next = Annotated[str | None, Field(description="The `cursor` of the page behind this one; null on the last one.")]


class AlertPage(Part):
    """Alerts by name."""

    items: list[Alert]
    next: Next


class IncidentPage(Part):
    """Incidents, the newest first."""

    items: list[Incident]
    next: Next


class DeliveryPage(Part):
    """Deliveries, the newest first."""

    items: list[Delivery]
    next: Next


class SilencePage(Part):
    """Silences, the newest first."""

    items: list[Silence]
    next: Next


Page = AlertPage | IncidentPage | DeliveryPage | SilencePage


class Query(BaseModel):
    """The parameters of a request; an unknown one is refused, lest a slip be taken for an answer to the question."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PageQuery(Query):
    """Which page of a list."""

    limit: Annotated[int, BeforeValidator(_whole)] = Field(
        _USUAL_ITEMS, ge=1, le=MOST_ITEMS, description="How many items at most."
    )
    cursor: Annotated[int, BeforeValidator(_whole), WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,18}$"})] = (
        Field(0, description="The `next` of the page before.", json_schema_extra={"default": None})
    )


class AlertQuery(PageQuery):
    """Which alerts."""

    name: Text | None = Field(None, description="Exactly this one.")
    level: Literal["ok", "warning", "critical", "no_data"] | None = Field(None, description="Those at this level.")


class IncidentQuery(PageQuery):
    """Which incidents."""

    state: Literal["open", "closed"] | None = Field(None, description="Only open, or only ended ones.")
    alert: Text | None = Field(None, description="Of this alert; graphite-pager is the pager itself.")
    series: Text | None = Field(None, description="Of the series with exactly this name.")
    level: RaisedLevel | None = Field(None, description="At this level.")
    since: Moment | None = Field(None, description="Open then, or later.")
    until: Moment | None = Field(None, description="Opened then, or earlier.")


class DeliveryQuery(PageQuery):
    """Which deliveries."""

    incident: Annotated[int, Field(ge=1, le=10**18 - 1), BeforeValidator(_whole)] | None = Field(
        None, description="Of the incident with this id."
    )
    alert: Text | None = Field(None, description="Of this alert.")
    notifier: Text | None = Field(None, description="Through this notifier.")
    kind: EventKind | None = Field(None, description="What they tell.")
    status: DeliveryStatus | None = Field(None, description="What has become of them.")
    since: Moment | None = Field(None, description="Queued then, or later.")
    until: Moment | None = Field(None, description="Queued then, or earlier.")


class SilenceQuery(PageQuery):
    """Which silences."""

    state: Literal["current", "ended"] | None = Field(None, description="Those that are not over, or those that are.")


class NewSilence(BaseModel):
    """A silence to add. Exactly one of `length` and `ends_at` says when it ends."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    matchers: list[Annotated[str, Field(min_length=3, max_length=_LONGEST_TEXT)]] = Field(
        min_length=1,
        max_length=20,
        description="What to silence, all of them together: alert=MongoDB*, series!=db1, level=warning.",
        examples=[["alert=MongoDB*", "series!=db1"]],
    )
    comment: str = Field(
        min_length=1,
        max_length=1000,
        pattern=r"\S",
        description="Why: others will want to know.",
        examples=["new disks"],
    )
    author: str | None = Field(
        None, min_length=1, max_length=100, pattern=r"\S", description="Who; by default the user of the login."
    )
    begins_at: Moment | None = Field(None, description="When it begins; by default now.")
    length: str | None = Field(
        None, min_length=1, max_length=40, description="For how long: 30min, 2h, 1d12h.", examples=["2h"]
    )
    ends_at: Moment | None = Field(None, description="When it ends, at most 366 days after its begin.")


def schema_of(*models: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schemas of these, and of all that they are made of, by name."""
    from pydantic.json_schema import models_json_schema  # noqa: PLC0415 - for the document only

    modes = [(model, "validation" if model is NewSilence else "serialization") for model in models]
    _, made = models_json_schema(modes, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    schemas: dict[str, Any] = made["$defs"]
    return schemas
