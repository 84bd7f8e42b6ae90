"""From what the pager knows to what the API says: pure, and without any secret."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from graphitepager.model import OWN
from graphitepager.printable import encodable
from graphitepager.records import DeliveryStatus
from graphitepager.rules import Level
from graphitepager.silences import format_matcher
from graphitepager.telemetry import scrub
from graphitepager.web.api import models

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from graphitepager.glance import Glance, StandingIncident
    from graphitepager.listed import ListedDelivery, ListedIncident
    from graphitepager.model import SeriesKey, SeriesState, Silence
    from graphitepager.rules import Alert
    from graphitepager.vitals import Vital

_OWN_NAME = "graphite-pager"
_WORST_FIRST = (Level.CRITICAL, Level.NO_DATA, Level.WARNING)


def text(written: str) -> str:
    """Any text as JSON can hold it, without secrets. What would break a terminal is escaped by JSON itself."""
    return encodable(scrub(written))


def own_names(alert: str | None) -> tuple[str, ...]:
    """What an alert's name in a request may mean: the pager's own alert has one that no file can have."""
    if alert is None:
        return ()
    return (alert, OWN) if alert == _OWN_NAME else (alert,)


def status(glance: Glance, signs: Sequence[Vital], version: str) -> models.Status:
    """The pager at one glance."""
    poll, backlog, loaded = glance.poll, glance.backlog, glance.config
    return models.Status(
        at=glance.at,
        version=version,
        is_well=all(sign.condition.value == "good" for sign in signs),
        level=_worst(glance.incidents),
        open=_counts(glance.incidents),
        silences=sum(one.begins_at <= glance.at < one.ends_at for one in glance.silences),
        poll=None if poll is None else models.Poll(**poll._asdict()),
        unsent=models.Unsent(
            pending=backlog.pending, oldest_page_at=backlog.oldest_page, dead=backlog.dead, unheard=backlog.unheard
        ),
        alerts_file=None
        if loaded is None
        else models.LoadedFile(source=text(loaded.source), version=loaded.version, loaded_at=loaded.kept_at),
        signs=[
            models.Sign(
                name=text(one.name), condition=one.condition, text=text(one.text), at=one.at, advice=text(one.advice)
            )
            for one in signs
        ],
    )


def alerts(configured: Iterable[Alert], glance: Glance) -> list[models.Alert]:
    """The alerts by name, each with how it is."""
    standing: dict[str, list[StandingIncident]] = {}
    for one in glance.incidents:
        standing.setdefault(one.key.alert, []).append(one)
    return [
        _alert(alert, standing.get(alert.name, ()), glance.states.get(alert.name, {}), glance.known.get(alert.name, 0))
        for alert in sorted(configured, key=lambda one: _name(one.name))
    ]


def _alert(
    alert: Alert, standing: Sequence[StandingIncident], states: Mapping[str, SeriesState], known: int
) -> models.Alert:
    return models.Alert(
        name=text(_name(alert.name)),
        level=_worst(standing),
        open=_counts(standing),
        held=sum(one.held_by is not None for one in standing),
        pending=sum(bool(one.warning_since or one.critical_since) for one in states.values()),
        flapping=sum(one.is_flapping for one in states.values()),
        known_series=known,
        targets=[text(query.target) for entry in alert.entries for query in entry.queries],
        lines=[entry.line for entry in alert.entries],
    )


def incident(one: ListedIncident) -> models.Incident:
    """An incident, open or not."""
    return models.Incident(
        id=one.id,
        dedup_key=text(one.dedup_key),
        alert=text(_name(one.key.alert)),
        series=_series(one.key),
        level=one.level,
        value=one.value if one.value is not None and math.isfinite(one.value) else None,
        opened_at=one.opened_at,
        closed_at=one.closed_at,
        close_reason=_maybe(one.close_reason),
        held_by=_maybe(one.held_by),
    )


def delivery(one: ListedDelivery) -> models.Delivery:
    """A delivery, whatever became of it."""
    return models.Delivery(
        id=one.id,
        incident_id=one.incident_id,
        alert=text(_name(one.key.alert)),
        series=_series(one.key),
        level=one.level,
        kind=one.kind,
        notifier=text(one.notifier),
        status=one.status,
        attempts=one.attempts,
        created_at=one.created_at,
        next_attempt_at=one.next_attempt_at if one.status is DeliveryStatus.PENDING else None,
        finished_at=one.finished_at,
        last_error=_maybe(one.last_error),
        answer=_maybe(one.answer),
    )


def silence(one: Silence, now: datetime) -> models.Silence:
    """A silence, and whether it holds at this moment."""
    return models.Silence(
        id=one.id,
        matchers=[text(format_matcher(matcher)) for matcher in one.matchers],
        author=text(one.author),
        comment=text(one.comment),
        begins_at=one.begins_at,
        ends_at=one.ends_at,
        state="ended" if one.ends_at <= now else "pending" if one.begins_at > now else "active",
    )


def _maybe(written: str | None) -> str | None:
    return None if written is None else text(written)


def _name(alert: str) -> str:
    return _OWN_NAME if alert == OWN else alert


def _series(key: SeriesKey) -> str | None:
    return text(key.series) if key.is_series else None


def _counts(standing: Iterable[StandingIncident]) -> models.Counts:
    counts = Counter(one.level for one in standing)
    return models.Counts(**{level.value: counts[level] for level in _WORST_FIRST})


def _worst(standing: Iterable[StandingIncident]) -> Level:
    levels = {one.level for one in standing}
    return next((level for level in _WORST_FIRST if level in levels), Level.OK)
