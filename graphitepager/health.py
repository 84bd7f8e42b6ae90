"""The pager's own troubles as an alert like any other: Graphite that does not answer, an alerts.yml that is no good."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from graphitepager.checks import Evaluation
from graphitepager.model import OWN, Reading, SeriesKey
from graphitepager.rules import Alert, Entry, Level, Query

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from graphitepager.alerting import AlertMemory
    from graphitepager.rules import Settings

GRAPHITE = SeriesKey(OWN, "Graphite")
ALERTS_FILE = SeriesKey(OWN, "alerts.yml")

_NEVER = timedelta(days=36_500)


def own_alert(settings: Settings) -> Alert:
    """The alert that graphite-pager watches itself by; an outage pages after as long as missing data does."""
    entries = (
        Entry(
            query=Query(key.series, "", None),
            warning=None,
            critical=None,
            line=0,
            no_data_for=settings.no_data_for,
            forget_after=_NEVER,
        )
        for key in (GRAPHITE, ALERTS_FILE)
    )
    return Alert(name=OWN, entries=tuple(entries))


def examine(
    alert: Alert, unanswered: Mapping[str, datetime], trouble: str | None, file_trouble: str | None, alerts: int
) -> Evaluation:
    """What a poll says of the pager itself.

    `unanswered` holds, of the `alerts` that there are, those that Graphite gave no usable answer for, and since when;
    `trouble` is why. `file_trouble` is what is wrong with alerts.yml, if anything.
    """
    graphite, file = alert.entries
    readings = {
        GRAPHITE.series: Reading(key=GRAPHITE, entry=graphite, level=Level.OK),
        ALERTS_FILE.series: Reading(key=ALERTS_FILE, entry=file, level=Level.OK),
    }
    if unanswered:
        detail = f"Graphite unreachable: no usable answer for {len(unanswered)} of {alerts} alerts ({trouble})"
        since = min(unanswered.values())
        readings[GRAPHITE.series] = replace(
            readings[GRAPHITE.series], level=Level.NO_DATA, detail=detail, covered_until=since
        )
    if file_trouble is not None:
        detail = f"{ALERTS_FILE.series} is no good, the last good one goes on: {file_trouble}"
        readings[ALERTS_FILE.series] = replace(readings[ALERTS_FILE.series], level=Level.WARNING, detail=detail)
    return Evaluation(readings=readings, owned=(frozenset({GRAPHITE.series}), frozenset({ALERTS_FILE.series})))


def trouble_since(memory: AlertMemory) -> datetime | None:
    """Since when Graphite has been in trouble, as far as that is remembered."""
    state = memory.states.get(GRAPHITE.series)
    return None if state is None else state.no_data_since


def began(memory: AlertMemory, unanswered: Mapping[str, datetime]) -> AlertMemory:
    """The memory with Graphite's trouble beginning no earlier than that of the alerts that still have it."""
    state = memory.states.get(GRAPHITE.series)
    if state is None or not unanswered:
        return memory
    return replace(
        memory, states={**memory.states, state.key.series: replace(state, no_data_since=min(unanswered.values()))}
    )
