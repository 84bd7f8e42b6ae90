"""What an entry watches besides a plain target: a ratio of two, or the change since some time earlier."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import Field

from graphitepager.config.fields import ComparedWord, Nodes, Scale, SomeTime, Switch, Text
from graphitepager.config.sections import Section
from graphitepager.durations import parse_offset
from graphitepager.rules import Compare, Judged, Query, Ratio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphitepager.config.entry import AlertEntry
    from graphitepager.config.inputs import Inputs
    from graphitepager.problems import Problem

# The least that a rate is taken over: with one datapoint a minute, some intervals, of which the newest may be missing.
SHORTEST_RATE_WINDOW = timedelta(minutes=5)
# The past may be kept in intervals as long as this, and the one that is meant begins before the window does.
_LONGEST_PAST_STEP = timedelta(hours=1)


class RatioKeys(Section):
    """The series of one target, each divided by the one of another whose name has the same nodes."""

    of: Text = Field(
        description="The target that is divided; each of its series is an incident of its own.",
        examples=["servers.*.MongoDBCollector.globalLock.lockTime"],
    )
    to: Text = Field(
        description="The target that it is divided by.", examples=["servers.*.MongoDBCollector.globalLock.totalTime"]
    )
    by: Nodes | None = Field(
        None,
        min_length=1,
        description="The nodes (or tags) that two names have in common; all but the last by default.",
        examples=[1, [1, -2]],
    )
    scale: Scale = Field(1.0, description="What the ratio is multiplied by: 100 for percent.", examples=[100])
    rate: Switch = Field(
        default=False, description="Both are counters: the growth of one by that of the other.", examples=["yes"]
    )


class CompareKeys(Section):
    """What is held against the thresholds is how far a series is from what it was."""

    with_: SomeTime = Field(alias="with", description="How long ago that was.", examples=["1week", "1d"])
    as_: ComparedWord = Field(
        "percent",
        validate_default=True,
        alias="as",
        description="Percent of change, ratio or difference.",
        examples=["difference"],
    )


def query_of(entry: AlertEntry, begin: str, until: str | None) -> Query:
    """What is asked of now, over this window; for a rate, over one that can hold two datapoints."""
    target = entry.ratio.of if entry.ratio else entry.target or ""
    first, last = parse_offset(begin), parse_offset(until or "now")
    if entry.ratio is None or not entry.ratio.rate or first is None or last is None:
        return Query(target, begin, until)
    if abs(last - first) >= SHORTEST_RATE_WINDOW:
        return Query(target, begin, until)
    # Graphite takes the earlier of the two as the beginning, whatever they are called.
    return Query(target, _written(max(first, last) - SHORTEST_RATE_WINDOW), until if first < last else begin)


def ratio_of(entry: AlertEntry, query: Query) -> Ratio | None:
    """The ratio that the entry watches, if any."""
    if entry.ratio is None:
        return None
    by = None if entry.ratio.by is None else tuple(entry.ratio.by)
    to = query._replace(target=entry.ratio.to)
    return Ratio(to=to, by=by, scale=entry.ratio.scale, is_rate=entry.ratio.rate)


def compare_of(entry: AlertEntry, query: Query) -> Compare | None:
    """What the entry is compared with, if anything: the same queries, moved into the past."""
    if entry.compare is None:
        return None
    ago = entry.compare.with_
    offsets = [parse_offset(query.from_) or timedelta(0), parse_offset(query.until or "now") or timedelta(0)]
    begin, until = min(offsets) - ago - _LONGEST_PAST_STEP, max(offsets) - ago
    earlier = query._replace(from_=_written(begin), until=_written(until))
    queries = [earlier] if entry.ratio is None else [earlier, earlier._replace(target=entry.ratio.to)]
    return Compare(queries=tuple(queries), ago=ago, compared_as=entry.compare.as_)


def shortest_window(entry: AlertEntry) -> timedelta:
    """How far back is looked at the least."""
    return SHORTEST_RATE_WINDOW if entry.ratio is not None and entry.ratio.rate else timedelta(0)


def contradictions(entry: AlertEntry) -> Iterator[tuple[tuple[str, ...], str, str | None]]:
    """What cannot be computed, each with its key, the reason and what to do."""
    if entry.ratio is not None and entry.ratio.of == entry.ratio.to:
        yield ("ratio", "to"), "this is the target that is divided, so every ratio would be the same", None
    if entry.compare is None:
        return
    if parse_offset(entry.from_) is None or parse_offset(entry.until or "now") is None:
        message = "from and until are to be offsets from now: only those can be moved into the past"
        yield ("compare",), message, "write from: -10min"
    if entry.value is Judged.AGE:
        yield ("compare",), "value: age tells how old the data is, and that is the same whatever it was", None


def wrong_sources(inputs: Inputs) -> Iterator[Problem]:
    """Alerts without anything to watch, or with two things. Read from the file, so that no other mistake hides it."""
    for index in inputs.alerts:
        path = ("alerts", index)
        entry = inputs.at(path)
        if not isinstance(entry, dict):
            continue
        has_target, has_ratio = (_is_there(entry.get(key)) for key in ("target", "ratio"))
        if has_target and has_ratio:
            at = (*path, "ratio")
            message = f"{inputs.label(at)}: an alert watches a target or a ratio, and this one has both"
            yield inputs.problem(at, message, "delete one of them: what is divided stands in ratio, as of", at_key=True)
        elif not has_target and not has_ratio:
            is_empty = "target" in entry
            message = f"{inputs.label(path)}: target {'has no value' if is_empty else 'is missing'}"
            hint = "write target: and an expression of Graphite's, or ratio: and two of them"
            yield inputs.problem((*path, "target") if is_empty else path, message, hint, at_key=is_empty)


def _is_there(value: object) -> bool:
    return value is not None and not (isinstance(value, str) and not value.strip())


def _written(offset: timedelta) -> str:
    return f"{offset // timedelta(seconds=1):+d}s"
