"""A second opinion, naive on purpose: it sees what Graphite said and what arrived, and complains of what is wrong."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from graphitepager.incidents import dedup_key
from graphitepager.model import OWN, EventKind, SeriesKey
from graphitepager.rules import Level
from tests.fakes.pagerduty import Effect
from tests.soak.rulebook import SIMPLE

if TYPE_CHECKING:
    from datetime import datetime

    from graphitepager.model import Event, Message, Series
    from graphitepager.records import PollRecord
    from tests.fakes.pagerduty import Event as Arrival
    from tests.soak.canned import Windows
    from tests.soak.rulebook import Rule
    from tests.soak.world import World

# How long the good data has to last; moments are known to a datapoint's length.
_KEEP_S = {"Slow": 120 - 60}

_ENDED_WITHOUT_DATA = (
    "vanished: nothing has come for",
    "no data any more, which this alert counts as fine",
    "removed from alerts.yml",
    "excluded in alerts.yml",
    "no longer returned: its target was changed in alerts.yml",
)

_RESOLVE_WAITS_FOR = """
    SELECT count(*) FROM graphite_pager_deliveries resolve
    JOIN graphite_pager_incidents ended ON ended.id = resolve.incident_id AND ended.dedup_key = ?
    JOIN graphite_pager_deliveries earlier ON earlier.lane = resolve.lane AND earlier.id < resolve.id
    WHERE resolve.kind = 'resolve' AND resolve.address = ? AND resolve.claimed_by IS NOT NULL
    AND resolve.finished_at IS NULL
    AND earlier.kind = 'trigger' AND earlier.finished_at IS NULL
"""


# Whether the resolve that is on its way is of an incident that goes on.
_ENDS_HERE_ONLY = """
    SELECT count(*) FROM graphite_pager_deliveries resolve
    JOIN graphite_pager_incidents incident ON incident.id = resolve.incident_id
    WHERE incident.dedup_key = ? AND incident.closed_at IS NULL
    AND resolve.kind = 'resolve' AND resolve.address = ? AND resolve.finished_at IS NULL
    AND resolve.claimed_by IS NOT NULL
"""


# The series of a warning that has ended because it is critical now, if that is open, and was not refused for good.
_SUCCESSOR = """
    SELECT warning.series FROM graphite_pager_incidents warning
    JOIN graphite_pager_incidents critical ON critical.alert = warning.alert AND critical.series = warning.series
    WHERE warning.dedup_key = ? AND warning.alert = ? AND warning.close_reason = 'now Critical'
    AND warning.id = (SELECT max(id) FROM graphite_pager_incidents newer WHERE newer.dedup_key = warning.dedup_key)
    AND critical.level = 'critical' AND critical.closed_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM graphite_pager_deliveries refused
        WHERE refused.incident_id = critical.id AND refused.status = 'dead'
    )
"""


_GIVEN_UP = "SELECT last_error, is_minimal FROM graphite_pager_deliveries WHERE status = 'dead'"


class Oracle:
    """Watches one world. Complaints are collected: an exception here might be taken for a fault of the network."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._seen_polls: set[datetime] = set()
        self._good_since: dict[tuple[str, Level], int] = {}  # by series
        self._level: dict[str, Level] = {}  # of the simple alert's series
        self._episodes: Counter[str] = Counter()  # breaches of the simple alert, by dedup key
        self._opened: Counter[str] = Counter()  # at PagerDuty, by dedup key
        self._open: set[tuple[SeriesKey, Level]] = set()
        self.needs_check = False

    def recorded(self, poll: PollRecord, seen: Windows) -> None:
        """A poll has been committed; check what it says against what Graphite said."""
        if poll.started_at in self._seen_polls:
            return
        self._seen_polls.add(poll.started_at)
        self._world.tally.polls += 1
        self.needs_check = True
        for rule in self._world.book.present:
            for name, series in seen.get(rule.target, {}).items():
                self._note_goodness(rule, name, series)
        ended = {one.event.key for one in poll.changes if one.event.kind is EventKind.RESOLVED}
        for change in poll.changes:
            if change.event.kind is EventKind.RESOLVED:
                self._check_evidence(change.event, seen)
                self._open.discard((change.event.key, change.event.level))
            if change.event.kind is EventKind.TRIGGERED:
                if (change.event.key, change.event.level) not in self._open:
                    self._check_cause(change.event, seen, gets_better=change.event.key in ended)
                self._open.add((change.event.key, change.event.level))
        self._check_breaches(seen)

    def sending(self, message: Message, address: str) -> None:
        """A message leaves; a resolve must not do so while a trigger before it waits."""
        if message.kind is not EventKind.RESOLVED:
            return
        (waiting,) = self._world.look.execute(_RESOLVE_WAITS_FOR, (message.dedup_key, address)).fetchone()
        if waiting:
            self._complain(f"the resolve of {message.series} overtakes {waiting} trigger(s)")

    def arrived(self, event: Arrival) -> None:
        """PagerDuty has accepted an event."""
        if event.effect is Effect.RESOLVED:
            (goes_on,) = self._world.look.execute(_ENDS_HERE_ONLY, (event.dedup_key, event.routing_key)).fetchone()
            if goes_on and not any(one.dedup_key == event.dedup_key for one in self._world.pagerduty.open_incidents()):
                self._complain(f"{event.dedup_key} was ended in one place before it was accepted in another")
            self._check_succession(event)
        if event.effect is Effect.OPENED:
            self._opened[event.dedup_key] += 1
            self._world.tally.opened += 1
            rule_name = event.payload.get("class")
            most = self._episodes[event.dedup_key] + self._world.reroutes
            is_simple = rule_name == SIMPLE and not event.dedup_key.startswith("\n")
            is_breach = event.payload.get("severity") in {"warning", "critical"}
            if is_simple and is_breach and self._opened[event.dedup_key] > most:
                self._world.tally.duplicates += 1
                self._complain(f"{event.payload['summary']}: opened {self._opened[event.dedup_key]} times, not {most}")

    def _check_succession(self, event: Arrival) -> None:
        """A warning that got worse ends only once the critical page has arrived, where nothing holds that back."""
        world = self._world
        if world.reroutes or world.store.silences():
            return
        row = world.look.execute(_SUCCESSOR, (event.dedup_key, SIMPLE)).fetchone()
        keys = {one.dedup_key for one in world.pagerduty.open_incidents()}
        if row is not None and dedup_key(SeriesKey(SIMPLE, row[0]), Level.CRITICAL) not in keys:
            self._complain(f"the warning of {row[0]} was ended before the critical page had arrived")

    def check_tables(self) -> None:
        """Every open incident has its state, and every state that says so its open incident."""
        if not self.needs_check:
            return
        self.needs_check = False
        look = self._world.look
        rows = look.execute("SELECT alert, series, level FROM graphite_pager_incidents WHERE closed_at IS NULL")
        opened = set(rows.fetchall())
        states = look.execute("SELECT alert, series, level, no_data_from, page FROM graphite_pager_series_states")
        meant = set()
        for alert, series, level, no_data_from, page in states:
            name = f"{series}×{page}" if page else series
            meant |= {(alert, name, level)} if level != "ok" else set()
            meant |= {(alert, name, "no_data")} if no_data_from else set()
        for error, is_minimal in look.execute(_GIVEN_UP):
            if "answered 307" not in error and ("answered 400" not in error or ("invalid" in error and not is_minimal)):
                self._complain(f"given up, although it is worth trying again: {error}")
        if opened != meant:
            self._complain(f"open incidents without a state {opened - meant}, states without one {meant - opened}")

    def check_pagerduty(self) -> None:
        """No two open incidents of one series at one level on one routing key; nothing that PagerDuty refuses."""
        single = [
            (one.routing_key, one.log[0].payload["class"], one.log[0].payload["source"], one.severity)
            for one in self._world.pagerduty.open_incidents()
            if " series together" not in one.log[0].payload["summary"]
        ]
        if twice := [each for each, count in Counter(single).items() if count > 1]:
            self._world.tally.duplicates += len(twice)
            self._complain(f"open twice: {twice}")
        if rejected := self._world.pagerduty.rejected():
            self._complain(f"PagerDuty refused {rejected[0].errors}")

    def level(self, series: str) -> Level:
        """What the simple alert's series is at, by the polls that were recorded."""
        return self._level.get(series, Level.OK)

    def _note_goodness(self, rule: Rule, name: str, series: Series) -> None:
        value = judged(rule, series)
        if value is None:
            return
        for level in (Level.WARNING, Level.CRITICAL):
            if rule.is_held(value, level):
                self._good_since.pop((name, level), None)
            else:
                self._good_since.setdefault((name, level), _newest(series))

    def _check_evidence(self, event: Event, seen: Windows) -> None:
        alert, name = event.key
        if alert == OWN or not event.key.is_series:
            return
        reason = event.reason or ""
        rule = self._world.book.rule(alert)
        series = seen.get(rule.target, {}).get(name) if rule else None
        value = judged(rule, series) if rule and series else None
        if reason.startswith(_ENDED_WITHOUT_DATA):
            self._level.pop(name, None)
            is_proven = self._is_without_data(reason, rule, name, value)
        else:
            is_proven = rule is not None and value is not None and self._is_better(event, rule, series, value)
        if not is_proven:
            self._complain(f"{event.level.value} of {alert} {name} ended without evidence: {reason!r}, value {value}")

    def _check_cause(self, event: Event, seen: Windows, *, gets_better: bool) -> None:
        """What begins has a reason in what Graphite has just said."""
        alert, name = event.key
        rule = self._world.book.rule(alert)
        if rule is None or event.size:
            return
        series = seen.get(rule.target, {}).get(name)
        if event.level is Level.NO_DATA:
            is_caused = rule.target in seen and (series is None or judged(rule, series) is None)
        elif gets_better and rule.name == "Slow" and event.level is Level.WARNING:
            is_caused = series is not None and rule.is_held(numbers(series)[-1], Level.WARNING)
        else:
            values = numbers(series)[-2:] if series else []
            judged_values = values if rule.name == "Slow" else values[-1:]
            bound = rule.bounds[event.level]
            is_caused = bool(values) and (rule.name == "Mean" or all(value >= bound for value in judged_values))
        if not is_caused:
            self._complain(f"{event.level.value} of {alert} {name} began without a cause")

    def _is_without_data(self, reason: str, rule: Rule | None, name: str, value: float | None) -> bool:
        if reason.startswith("removed"):
            return rule is None
        if rule is None:
            return False
        if reason.startswith("excluded"):
            return name not in rule.judged
        return value is None

    def _is_better(self, event: Event, rule: Rule, series: Series | None, value: float) -> bool:
        assert series is not None
        if event.reason == "data is back":
            return event.level is Level.NO_DATA
        if event.reason == "now Critical":
            return event.level is Level.WARNING and value >= rule.bounds[Level.CRITICAL]
        past = Level.WARNING if event.reason == "back to Nominal" else Level.CRITICAL
        if event.reason not in {"back to Nominal", "now Warning"} or event.level is Level.NO_DATA:
            return False
        since = self._good_since.get((event.key.series, past))
        return since is not None and _newest(series) - since >= _KEEP_S.get(rule.name, 0)

    def _check_breaches(self, seen: Windows) -> None:
        """What is bad fires at once where the alert has none of the keys that would put that off."""
        rule = self._world.book.rule(SIMPLE)
        if rule is None or rule.target not in seen:
            return
        rows = self._world.look.execute(
            "SELECT series, level FROM graphite_pager_incidents WHERE closed_at IS NULL AND alert = ?", (SIMPLE,)
        ).fetchall()
        for name in rule.judged:
            series = seen[rule.target].get(name)
            value = judged(rule, series) if series else None
            if value is None:
                continue
            level = rule.level(value)
            if level is not self._level.get(name, Level.OK):
                self._level[name] = level
                self._episodes[dedup_key(SeriesKey(SIMPLE, name), level)] += 1
            good_enough = {Level.OK: None, Level.CRITICAL: ["critical"], Level.WARNING: ["warning", "critical"]}[level]
            if good_enough and not any((name, each) in rows for each in good_enough):
                self._world.tally.missed += 1
                self._complain(f"{SIMPLE} {name} is at {value}, and no incident is open: {rows}")

    def _complain(self, text: str) -> None:
        self._world.complaints.append(text)


def judged(rule: Rule, series: Series) -> float | None:
    """What of a window is compared with the thresholds."""
    points = numbers(series)
    if not points:
        return None
    return sum(points) / len(points) if rule.name == "Mean" else points[-1]


def numbers(series: Series) -> list[float]:
    """The datapoints of a window, oldest first."""
    return [float(point) for point in series.points.decode().split(",") if point != "None"]


def _newest(series: Series) -> int:
    """The end of the newest interval with a datapoint."""
    points = series.points.decode().split(",")
    count = max(index for index, point in enumerate(points) if point != "None") + 1
    return series.start + count * series.step
