"""What becomes of accepted events: incidents by (routing key, dedup key), as PagerDuty keeps them."""

from __future__ import annotations

import enum
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tests.fakes.pagerduty.rules import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_HIGH_URGENCY = {"critical", "error"}


class Status(enum.Enum):
    """Where an incident stands."""

    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Effect(enum.Enum):
    """What an accepted event did; all of them are answered with the same 202."""

    OPENED = "opened"
    MERGED = "merged"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One accepted event. `body` is all of it, as decoded; `dedup_key` is the generated one where it brought none."""

    at: datetime
    routing_key: str
    action: str
    dedup_key: str
    effect: Effect
    body: Mapping[str, Any]

    @property
    def payload(self) -> Mapping[str, Any]:
        """What a trigger says; empty for the other actions."""
        payload: Mapping[str, Any] = self.body.get("payload", {})
        return payload


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """What the people on call see.

    `title` is the first trigger's summary for good; `summary` is the newest one's. `severity` is the worst so far.
    `notifications` counts how often a human was woken for it.
    """

    routing_key: str
    dedup_key: str
    title: str
    summary: str
    severity: str
    status: Status
    opened_at: datetime
    closed_at: datetime | None = None
    notifications: int = 1
    log: tuple[Event, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.status is not Status.RESOLVED


class Ledger:
    """Every incident there ever was. Not thread-safe: its owner locks."""

    def __init__(self) -> None:
        self._incidents: list[Incident] = []
        self._open: dict[tuple[str, str], int] = {}

    @property
    def incidents(self) -> tuple[Incident, ...]:
        return tuple(self._incidents)

    def ingest(self, body: Mapping[str, Any], at: datetime, *, has_effect: bool = True) -> Event:
        """Apply a valid event; without effect, as for a service in maintenance, it is only returned."""
        dedup_key = body.get("dedup_key") or uuid.uuid4().hex
        where = (body["routing_key"], dedup_key)
        event = Event(
            at=at,
            routing_key=body["routing_key"],
            action=body["event_action"],
            dedup_key=dedup_key,
            effect=self._effect(body["event_action"], is_open=where in self._open) if has_effect else Effect.NOTHING,
            body=body,
        )
        match event.effect:
            case Effect.OPENED:
                self._open_new(event)
            case Effect.MERGED:
                self._merge(where, event)
            case Effect.ACKNOWLEDGED:
                self.acknowledge(where, event)
            case Effect.RESOLVED:
                self.resolve(where, at, event)
            case Effect.NOTHING:
                pass
        return event

    def acknowledge(self, where: tuple[str, str], event: Event | None = None) -> None:
        """Mark an open incident as taken, by an event or (without one) by hand; KeyError where none is open."""
        self._change(where, event, status=Status.ACKNOWLEDGED)

    def resolve(self, where: tuple[str, str], at: datetime, event: Event | None = None) -> None:
        """Close an open incident, by an event or (without one) by hand; KeyError where none is open."""
        self._change(where, event, status=Status.RESOLVED, closed_at=at)
        del self._open[where]

    @staticmethod
    def _effect(action: str, *, is_open: bool) -> Effect:
        if action == "trigger":
            return Effect.MERGED if is_open else Effect.OPENED
        if not is_open:
            return Effect.NOTHING
        return Effect.ACKNOWLEDGED if action == "acknowledge" else Effect.RESOLVED

    def _open_new(self, event: Event) -> None:
        self._open[event.routing_key, event.dedup_key] = len(self._incidents)
        self._incidents.append(
            Incident(
                routing_key=event.routing_key,
                dedup_key=event.dedup_key,
                title=event.payload["summary"],
                summary=event.payload["summary"],
                severity=event.payload["severity"],
                status=Status.TRIGGERED,
                opened_at=event.at,
                log=(event,),
            )
        )

    def _merge(self, where: tuple[str, str], event: Event) -> None:
        """Keep the title; urgency only rises, which is news to nobody once somebody has acknowledged."""
        before = self._incidents[self._open[where]]
        severity = min(before.severity, event.payload["severity"], key=SEVERITIES.index)
        rises = severity in _HIGH_URGENCY and before.severity not in _HIGH_URGENCY
        notifies = rises and before.status is Status.TRIGGERED
        self._change(
            where,
            event,
            summary=event.payload["summary"],
            severity=severity,
            notifications=before.notifications + notifies,
        )

    def _change(self, where: tuple[str, str], event: Event | None, **changes: Any) -> None:
        index = self._open[where]
        before = self._incidents[index]
        log = before.log if event is None else (*before.log, event)
        self._incidents[index] = replace(before, log=log, **changes)
