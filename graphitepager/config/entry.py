"""What an entry of `alerts` may hold, key by key, and which of its keys contradict each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, Field, ValidationError, model_validator

from graphitepager.config.bounds import (
    EITHER_THRESHOLD,
    ConditionText,
    UnitWord,
    with_missing_thresholds,
    wrong_bounds,
)
from graphitepager.config.fields import (
    Duration,
    ForEach,
    GraphiteTime,
    JudgedWord,
    Names,
    NoDataWord,
    OnVanishWord,
    PagingLevels,
    RepeatInterval,
    RoutingKey,
    Scalars,
    SomeTime,
    StormLimit,
    Switch,
    Text,
    refuse,
)
from graphitepager.config.levels import ClearKeys, ForLevels, LevelDurations
from graphitepager.config.muting import Mutes
from graphitepager.config.notifying import Notify, NotifyKeys, SeverityAtLevels, SeverityKeys
from graphitepager.config.sections import ROUTING_KEY, SLACK_URL, Section
from graphitepager.config.selecting import ExpectKeys, Patterns
from graphitepager.config.sourcing import CompareKeys, RatioKeys, contradictions
from graphitepager.config.templating import Labels, Runbook, Template
from graphitepager.config.urls import SecretUrl
from graphitepager.durations import parse_offset
from graphitepager.rules import NoDataPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic_core import InitErrorDetails


class AlertEntry(Section):
    """One entry of `alerts`. Entries may share a name: the first one that returns a series owns it."""

    # That target or ratio is there is checked where the file is read, in sourcing: here it would hide other mistakes.
    model_config = ConfigDict(
        json_schema_extra={**EITHER_THRESHOLD, "oneOf": [{"required": ["target"]}, {"required": ["ratio"]}]}
    )

    name: Text = Field(description="What the incident is called.", examples=["Load"])
    target: Text | None = Field(
        None,
        description="The Graphite expression to watch; every series it returns is an incident of its own.",
        examples=["aliasByNode(servers.*.loadavg01,1)"],
    )
    ratio: RatioKeys | None = Field(
        None,
        description="Instead of target: the series of one target by those of another.",
        examples=[{"of": "servers.*.cache.hits", "to": "servers.*.cache.requests", "by": 1, "rate": "yes"}],
    )
    compare: CompareKeys | None = Field(
        None,
        description="Judge how far each series is from what it was.",
        examples=[{"with": "1week"}, {"with": "1d", "as": "difference"}],
    )
    warning: ConditionText = Field(
        None,
        description="From this value on a series is at warning. A warning above critical means that lower is worse.",
        examples=[5, 0.5, "> 80%", "outside 10..20"],
    )
    critical: ConditionText = Field(
        None, description="From this value on a series is critical.", examples=[10, 1, "> 500ms", "== 0"]
    )
    unit: UnitWord = Field(
        None, description="What the series' values are in; the base unit by default.", examples=["ms", "GiB"]
    )
    from_: GraphiteTime = Field(
        "-1min", alias="from", description="Where the window begins, in Graphite's words.", examples=["-10min", "-1d"]
    )
    until: GraphiteTime | None = Field(
        None, description="Where the window ends, in Graphite's words; without it, now.", examples=["-5min"]
    )
    value: JudgedWord = Field(
        "last",
        validate_default=True,
        description="What of the window is held against the thresholds.",
        examples=["average", "p95"],
    )
    for_: ForLevels = Field(
        default_factory=LevelDurations,
        alias="for",
        description="How long a breach lasts before it fires; 0 by default.",
        examples=["5min", {"warning": "10min", "critical": "2min"}],
    )
    keep_firing_for: Duration = Field(
        "0",
        validate_default=True,
        description="How long the data is good before an incident ends.",
        examples=["10min"],
    )
    clear: ClearKeys = Field(
        default_factory=ClearKeys,
        description="Where a value counts as good again; at the threshold by default.",
        examples=[{"critical": 60, "warning": 40}],
    )
    include: Patterns = Field(
        default=[],
        description="The only series that are this entry's: names, globs or /regular expressions/.",
        examples=["web*", ["web*", "/^api-[0-9]+$/"]],
    )
    exclude: Patterns = Field(
        default=[],
        description="Series to leave alone: names, globs or /regular expressions/.",
        examples=[["worker-1", "worker-2"], "build-*"],
    )
    expect_series: ExpectKeys | None = Field(
        None, description="How many series there should be.", examples=[{"min": 3}, {"min": 3, "max": 10}]
    )
    delay: Duration = Field(
        "0",
        validate_default=True,
        description="How long the newest datapoints are left alone, because they are not complete yet.",
        examples=["60s"],
    )
    interval: SomeTime | None = Field(
        None, description="How long it need not be checked after it was; every heartbeat by default.", examples=["5min"]
    )
    allow_no_data: Switch = Field(
        default=False, description="Missing data is fine: it never pages, and it ends what fires.", examples=["yes"]
    )
    no_data: NoDataWord | None = Field(
        None,
        description="What missing data means: alert pages, ok ends what fires, keep changes nothing.",
        examples=["keep"],
    )
    no_data_for: SomeTime | None = Field(
        None,
        description="How long there is no datapoint before that means something; replaces the file's.",
        examples=["15min"],
    )
    on_vanish: OnVanishWord = Field(
        "no_data",
        validate_default=True,
        description="What it means that Graphite does not return a series any more.",
        examples=["resolve"],
    )
    vanish_after: Duration = Field(
        "15min",
        validate_default=True,
        description="With on_vanish: resolve, how long a series is gone before its incidents end.",
        examples=["1h"],
    )
    forget_after: SomeTime | None = Field(
        None,
        description="How long a series is not seen before nothing is remembered of it; 24h by default.",
        examples=["2d"],
    )
    repeat_interval: RepeatInterval = Field(
        "4h",
        validate_default=True,
        description="How long until an open incident is told again; or never.",
        examples=["1d", "never"],
    )
    storm_limit: StormLimit | None = Field(
        None,
        description="When more series than this start to fire together, one page tells of all; 20 by default.",
        examples=[50],
    )
    depends_on: Names = Field(
        default=[],
        description="Alerts, by their names: while one of them fires, this one pages nobody.",
        examples=["Switch down", ["Switch down", "Power"]],
    )
    mute: Mutes = Field(
        default=[],
        description="When it pages nobody: names of mute_windows, or windows.",
        examples=["nights", {"days": "sat-sun"}],
    )
    summary: Template | None = Field(
        None,
        description="What a page says behind its level and alert; a template.",
        examples=["{{ nodes[1] }} holds its lock {{ value|round(1) }} % of the time"],
    )
    description: Template | None = Field(
        None,
        description="More words, among the details of the page; a template.",
        examples=["Usually a missing index. Ask {{ labels.team }}."],
    )
    labels: Labels = Field(
        default={},
        description="What else to know of a page, by names; templates.",
        examples=[{"team": "dba", "host": "{{ nodes[1] }}"}],
    )
    runbook: Runbook | None = Field(
        None,
        description="The link to this alert's runbook as a whole; a template.",
        examples=["https://wiki.example.com/{{ alert }}?host={{ nodes[1] }}"],
    )
    doc_url: Text | None = Field(
        None,
        description="Where this alert's runbook is; replaces docs_url.",
        examples=["https://wiki.example.com/runbooks"],
    )
    pagerduty_key: RoutingKey | None = Field(
        None,
        description="The routing key of this alert, for every level; wins over those of the file.",
        examples=[ROUTING_KEY],
    )
    notify: Notify = Field(
        default_factory=NotifyKeys,
        description="Who is told instead of the default: names of notifiers, or those for each level.",
        examples=["dba", {"critical": ["dba", "console"], "warning": "console"}],
    )
    severity: SeverityAtLevels = Field(
        default_factory=SeverityKeys,
        description="PagerDuty's severity: critical, error, warning or info, or one for each level.",
        examples=["info", {"warning": "info", "no_data": "warning"}],
    )
    slack_url: SecretUrl | None = Field(
        None,
        description="The incoming webhook of Slack for this alert, for every level; wins over those of the file.",
        examples=[SLACK_URL],
    )
    page_on: PagingLevels | None = Field(
        None, description="The levels that page; replaces the file's page_on.", examples=[["critical"]]
    )
    # These three are for editors and for guesses: an entry is expanded before it comes here.
    for_each: ForEach = Field(
        None,
        description="One entry for each combination of these values, or for each of these mappings.",
        examples=[{"env": ["prod", "staging"]}, [{"env": "prod", "threshold": 90}]],
    )
    use: Text | None = Field(
        None,
        description="A ready-made check; what stands beside it wins over what the check says.",
        examples=["mongodb/lock_percentage"],
    )
    with_: Scalars = Field(None, alias="with", description="The parameters of the check.", examples=[{"hosts": "db*"}])

    @model_validator(mode="before")
    @classmethod
    def _miss_thresholds(cls, data: Any) -> Any:
        return with_missing_thresholds(data)

    @model_validator(mode="after")
    def _agree(self) -> AlertEntry:
        begin, end = parse_offset(self.from_), parse_offset(self.until or "now")
        if begin is not None and begin == end:
            raise refuse("from and until are the same time, so Graphite has nothing to return")
        bounds = (_complaint(*complaint) for complaint in wrong_bounds(self))
        if complaints := [*bounds, *_of_two_minds(self), *_of_unknown_time(self), *_uncomputable(self)]:
            raise ValidationError.from_exception_data("alert", complaints)
        return self


def _of_two_minds(entry: AlertEntry) -> Iterator[InitErrorDetails]:
    if entry.pagerduty_key and entry.notify.by_level():
        hint = "give the key a name under notifiers, and notify that; or delete notify"
        yield _complaint(("notify",), "the alert has a pagerduty_key, which says where it pages", hint)
    elif entry.slack_url and entry.notify.by_level():
        hint = "give the URL a name under notifiers, and notify that; or delete notify"
        yield _complaint(("notify",), "the alert has a slack_url, which says where it is told", hint)
    if entry.runbook and entry.doc_url:
        hint = "delete doc_url: pages link to runbook as it is"
        yield _complaint(("runbook",), "the alert has a doc_url, which says where the runbook is", hint)
    if entry.no_data is None or "allow_no_data" not in entry.model_fields_set:
        return
    if entry.allow_no_data is not (entry.no_data is NoDataPolicy.OK):
        said = "yes" if entry.allow_no_data else "no"
        message = f"{entry.no_data.value} contradicts allow_no_data: {said}"
        yield _complaint(("no_data",), message, "delete allow_no_data: it is the older way to say no_data: ok")


def _of_unknown_time(entry: AlertEntry) -> Iterator[InitErrorDetails]:
    for key, time in (("from", entry.from_), ("until", entry.until or "now")):
        if entry.delay and parse_offset(time) is None:
            message = f"{key} is an absolute time, which cannot be shifted: expected an offset such as -10min"
            yield _complaint(("delay",), message)


def _uncomputable(entry: AlertEntry) -> Iterator[InitErrorDetails]:
    for path, message, hint in contradictions(entry):
        yield _complaint(path, message, hint)


def _complaint(path: tuple[str | int, ...], message: str, hint: str | None = None) -> InitErrorDetails:
    return {"type": refuse(message, hint), "loc": path, "input": None}
