"""Who else is to hear of an incident: a fallback where a notifier is dead, somebody else where nobody acknowledges."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from graphitepager import silences as silencing
from graphitepager.alerting import AlertMemory, owner
from graphitepager.durations import format_duration
from graphitepager.model import Event, EventKind
from graphitepager.reconciling import PAGERDUTY, RemoteStatus
from graphitepager.records import Change, DeliveryStatus
from graphitepager.telling import Holds, is_firing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from datetime import datetime

    from graphitepager.model import Message, SeriesKey, Silence
    from graphitepager.rules import Alert, Handling, Level, Route

# How long a notifier takes nothing, although something waits, before it counts as dead.
DEAD_AFTER = timedelta(minutes=5)
# How long an escalation waits for PagerDuty to say who has acknowledged, when it does not.
PATIENCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A trigger of an open incident on its way to a route, or there: `at` is when it was queued or, once sent, sent."""

    incident_id: int
    key: SeriesKey
    level: Level
    route: Route
    status: DeliveryStatus
    at: datetime
    message: Message


class FollowUp(NamedTuple):
    """Somebody else to tell of the incident, and why, in words."""

    told: Told
    to: Route
    reason: str

    def change(self, now: datetime) -> Change:
        """The trigger that tells them: as the first one was, and why they get it."""
        message = self.told.message
        event = Event(
            kind=EventKind.TRIGGERED,
            key=self.told.key,
            level=self.told.level,
            at=now,
            since=message.since or message.at,
        )
        details = {**message.details, "passed on": self.reason}
        return Change(event=event, message=replace(message, at=now, details=details), routes=(self.to,))


def dead(told: Iterable[Told], accepted_at: Mapping[Route, datetime], now: datetime) -> frozenset[Route]:
    """The routes that have taken nothing for so long, although something waits. `accepted_at`: when they last did."""
    waiting: dict[Route, datetime] = {}
    for one in told:
        if one.status is DeliveryStatus.PENDING:
            waiting[one.route] = min(one.at, waiting.get(one.route, one.at))
    return frozenset(
        route for route, since in waiting.items() if now - max(since, accepted_at.get(route, since)) >= DEAD_AFTER
    )


def fallbacks(
    told: Collection[Told], handling: Mapping[Route, Handling], dead_routes: Collection[Route]
) -> Iterator[FollowUp]:
    """Yield whom to tell because a notifier is dead or has refused the page for good. Everybody is told once."""
    has_heard = {(one.incident_id, one.route) for one in told}
    for one in told:
        known = handling.get(one.route)
        is_lost = one.status is DeliveryStatus.DEAD
        is_stuck = one.status is DeliveryStatus.PENDING and one.route in dead_routes
        if known is None or known.fallback is None or not (is_lost or is_stuck):
            continue
        if (one.incident_id, known.fallback) not in has_heard:
            has_heard.add((one.incident_id, known.fallback))
            why = "refused it" if is_lost else f"has taken nothing for {format_duration(DEAD_AFTER)}"
            yield FollowUp(one, known.fallback, f"{known.name} {why}")


def unacknowledged(told: Collection[Told], handling: Mapping[Route, Handling], now: datetime) -> list[FollowUp]:
    """Whom to tell if nobody has acknowledged by now. Everybody is told once, however long it goes on."""
    has_heard = {(one.incident_id, one.route) for one in told}
    due = []
    for one in told:
        known = handling.get(one.route)
        if known is None or known.escalate_to is None or one.status is not DeliveryStatus.SENT:
            continue
        if now - one.at >= known.escalate_after and (one.incident_id, known.escalate_to) not in has_heard:
            has_heard.add((one.incident_id, known.escalate_to))
            after = format_duration(known.escalate_after)
            due.append(FollowUp(one, known.escalate_to, f"nobody has acknowledged it at {known.name} within {after}"))
    return due


def can_be_held(due: Iterable[FollowUp], alerts: Mapping[str, Alert]) -> bool:
    """Whether what is remembered of series says whether any of these is held back; silences do without."""
    concerned = (alerts[name] for name in {one.told.key.alert for one in due} & alerts.keys())
    return any(entry.mute or entry.depends_on for alert in concerned for entry in alert.entries)


def not_held(
    due: Iterable[FollowUp],
    alerts: Mapping[str, Alert],
    memories: Mapping[str, AlertMemory],
    silences: Collection[Silence],
    now: datetime,
) -> list[FollowUp]:
    """Those that nothing holds back which would hold back a page: a silence, a mute window, an alert that fires."""
    holds = Holds(
        silences=tuple(silences), firing=frozenset(name for name, memory in memories.items() if is_firing(memory))
    )
    return [one for one in due if not _is_held(one.told, alerts, memories, holds, now)]


def _is_held(
    told: Told, alerts: Mapping[str, Alert], memories: Mapping[str, AlertMemory], holds: Holds, now: datetime
) -> bool:
    alert = alerts.get(told.key.alert)
    if alert is None:  # the pager's own, or one that the next poll ends
        return silencing.silencing(holds.silences, *told.key.words, told.level, now) is not None
    entry = owner(alert, memories.get(alert.name, AlertMemory()), told.key.series)
    return holds.on(told.key, told.level, entry, now) is not None


def asks_pagerduty(due: Iterable[FollowUp]) -> bool:
    """Whether PagerDuty knows whether any of these is acknowledged."""
    return any(one.told.route.notifier == PAGERDUTY for one in due)


def escalations(
    due: Iterable[FollowUp],
    handling: Mapping[Route, Handling],
    remote: Mapping[str, RemoteStatus] | None,
    now: datetime,
) -> Iterator[FollowUp]:
    """Yield those of the due ones that nobody has acknowledged.

    `remote` is what PagerDuty has open, by dedup key; None where it does not say: then they wait a little, and go out.
    What it has not open was closed there by somebody. Where no one can acknowledge, nobody has.
    """
    for one in due:
        if one.told.route.notifier != PAGERDUTY:
            yield one
        elif remote is None:
            if now - one.told.at >= handling[one.told.route].escalate_after + PATIENCE:
                yield one
        elif remote.get(one.told.message.dedup_key) is RemoteStatus.TRIGGERED:
            yield one
