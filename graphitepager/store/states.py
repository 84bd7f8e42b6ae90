"""What is remembered of series between polls, as statements on an open transaction."""

from __future__ import annotations

import zlib
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select

from graphitepager.alerting import AlertMemory
from graphitepager.model import Incident, SeriesKey, SeriesState
from graphitepager.rules import Level
from graphitepager.store.tables import known_series, series_states, text_id

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sqlalchemy import Connection, Row

# Stored under its own name as it is.
_PLAIN = (
    "value",
    "warning_since",
    "critical_since",
    "better_since",
    "good_since",
    "no_data_since",
    "data_since",
    "is_flapping",
    "size",
    "low",
    "page",
)


def load(db: Connection) -> dict[str, AlertMemory]:
    """Everything that is remembered, by alert."""
    states = load_states(db)
    known = load_known(db)
    return {
        alert: AlertMemory(states=states.get(alert, {}), known=known.get(alert, {}))
        for alert in states.keys() | known.keys()
    }


def load_known(db: Connection, alerts: Collection[str] | None = None) -> dict[str, dict[str, frozenset[str]]]:
    """Which series exist, by alert and target: of all alerts, or of these."""
    chosen = select(known_series)
    if alerts is not None:
        chosen = chosen.where(known_series.c.alert_id.in_([text_id(alert) for alert in alerts]))
    known: dict[str, dict[str, frozenset[str]]] = {}
    for row in db.execute(chosen):
        known.setdefault(row.alert, {})[row.target] = _unpack(row.names)
    return known


def load_states(db: Connection) -> dict[str, dict[str, SeriesState]]:
    """The states alone, by alert and series."""
    states: dict[str, dict[str, SeriesState]] = {}
    for row in db.execute(select(series_states)):
        states.setdefault(row.alert, {})[row.series] = _state(row)
    return states


def count_known(db: Connection) -> dict[str, int]:
    """How many series each alert is known to have, without making names of them."""
    counts: dict[str, int] = {}
    for row in db.execute(select(known_series.c.alert, known_series.c.names)):
        counts[row.alert] = counts.get(row.alert, 0) + zlib.decompress(row.names).count(b"\n")
    return {alert: count for alert, count in counts.items() if count}


def save(db: Connection, states: Iterable[SeriesState], now: datetime) -> None:
    """Replace by delete and insert: the same on every database, and as quick as an upsert."""
    by_id = {text_id(*state.key): state for state in states}
    if by_id:
        db.execute(
            delete(series_states).where(series_states.c.id == bindparam("gone")), [{"gone": id_} for id_ in by_id]
        )
    if rows := [{"id": id_, **_row(state), "updated_at": now} for id_, state in by_id.items() if not state.is_quiet]:
        db.execute(insert(series_states), rows)


def save_known(db: Connection, known: Mapping[str, Mapping[str, frozenset[str]]], now: datetime) -> None:
    """Replace what is known of the series of these alerts."""
    if known:
        changed = [{"changed": text_id(alert)} for alert in known]
        db.execute(delete(known_series).where(known_series.c.alert_id == bindparam("changed")), changed)
    if rows := [
        {
            "alert_id": text_id(alert),
            "target_id": text_id(target),
            "alert": alert,
            "target": target,
            "names": _pack(names),
            "updated_at": now,
        }
        for alert, by_target in known.items()
        for target, names in by_target.items()
    ]:
        db.execute(insert(known_series), rows)


def _row(state: SeriesState) -> dict[str, Any]:
    incident, no_data = state.incident, state.no_data
    return {
        "alert": state.key.alert,
        "series": state.key.series,
        "level": state.level,
        "since": incident and incident.since,
        "told_at": incident and incident.told_at,
        "held_by": incident and incident.held_by,
        "in_storm": incident is not None and incident.in_storm,
        "no_data_from": no_data and no_data.since,
        "no_data_told_at": no_data and no_data.told_at,
        "no_data_held_by": no_data and no_data.held_by,
        "no_data_in_storm": no_data is not None and no_data.in_storm,
        "cycles": " ".join(cycle.isoformat() for cycle in state.cycles),
        **{name: getattr(state, name) for name in _PLAIN},
    }


def _state(row: Row[Any]) -> SeriesState:
    incident = no_data = None
    if row.level is not Level.OK:
        incident = Incident(
            level=row.level, since=row.since, told_at=row.told_at, held_by=row.held_by, in_storm=row.in_storm
        )
    if row.no_data_from is not None:
        no_data = Incident(
            level=Level.NO_DATA,
            since=row.no_data_from,
            told_at=row.no_data_told_at,
            held_by=row.no_data_held_by,
            in_storm=row.no_data_in_storm,
        )
    return SeriesState(
        key=SeriesKey(row.alert, row.series),
        incident=incident,
        no_data=no_data,
        cycles=tuple(datetime.fromisoformat(text) for text in row.cycles.split()),
        **{name: getattr(row, name) for name in _PLAIN},
    )


def _pack(names: frozenset[str]) -> bytes:
    """Level 1: the names of one alert are much alike, and 100,000 of them take 50 ms instead of 200."""
    lines = "".join(f"{name}\n" for name in sorted(names))
    return zlib.compress(lines.encode("utf-8", "surrogatepass"), level=1)


def _unpack(names: bytes) -> frozenset[str]:
    return frozenset(zlib.decompress(names).decode("utf-8", "surrogatepass").split("\n")[:-1])
