"""What must hold once everything is quiet: open at PagerDuty is what fires and is to be told, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from graphitepager.incidents import dedup_key
from graphitepager.model import OWN, SeriesKey
from graphitepager.rules import Level
from tests.soak.canned import Lack
from tests.soak.rulebook import FINE, SIMPLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from graphitepager.model import SeriesState
    from tests.soak.canned import Measure
    from tests.soak.rulebook import Rule
    from tests.soak.world import World

# Seconds between polls: enough of them for `for`, backoff and leases, and for flapping to end. A poll that comes more
# than two heartbeats after the last one makes timers stand still.
_SETTLING = (60, 60, 60, *[110] * 10, 60, 60)
_REFUSED = """
    SELECT incidents.dedup_key FROM graphite_pager_deliveries deliveries
    JOIN graphite_pager_incidents incidents ON incidents.id = deliveries.incident_id
    WHERE deliveries.kind = 'trigger' AND deliveries.status = 'dead'
"""
_ALL_LEVELS = (Level.WARNING, Level.CRITICAL, Level.NO_DATA)


def come_to_rest(world: World) -> None:
    """End every fault, silence and outage, and let time pass."""
    world.fate.arm(None)
    world.plan = None
    world.network.standing = None
    world.network.blows.clear()
    world.graphite.down = frozenset()
    world.file_trouble = None
    world.skew = timedelta(0)
    for daemon in world.daemons:
        daemon.reload()  # which tells again what was refused for good
    now = world.clock()
    for silence in world.store.silences():
        world.store.end_silence(silence.id, now)
    if (12, 15) <= (now.hour, now.minute) <= (13, 30):  # within reach of the mute window
        world.wait(timedelta(minutes=80).total_seconds())
    settle(world)


def all_is_well_again(world: World) -> None:
    """Every series is fine and there."""
    for rule in world.book.rules:
        for series in rule.series:
            world.graphite.measure(series, FINE)
    settle(world)


def settle(world: World) -> None:
    for seconds in _SETTLING:
        world.wait(seconds)
        for daemon in world.daemons:
            daemon.poll()
        for daemon in world.daemons:
            daemon.send()


def judge(world: World) -> None:
    """Compare PagerDuty with what is stored, and both with what Graphite says."""
    opened = {(one.routing_key, one.dedup_key): one.title for one in world.pagerduty.open_incidents()}
    told = {where: f"{state.key.alert} {state.key.series}" for where, state in _told(world)}
    # A page whose key was changed moves once nothing holds it back; until then it is open where it was. One that was
    # refused for good is sent once more then; until then it is open nowhere.
    held_up = {key for where, key in told if _waits(world, told[where, key])}
    waiting = held_up & ({key for _, key in opened} | _refused(world))
    missed = [
        f"not open at PagerDuty: {told[at, key]}" for at, key in told.keys() - opened.keys() if key not in waiting
    ]
    left_open = [
        f"left open at PagerDuty: {opened[at, key]}" for at, key in opened.keys() - told.keys() if key not in waiting
    ]
    for rule in world.book.rules:
        for name in rule.series:
            missed += _missed(world, rule, name, opened)
            left_open += _left_open(world, rule, name, opened)
    world.tally.missed += len(missed)
    world.tally.left_open += len(left_open)
    world.complaints += missed + left_open


def _refused(world: World) -> set[str]:
    """The dedup keys of what PagerDuty has refused for good."""
    return {key for (key,) in world.look.execute(_REFUSED)}


def _waits(world: World, told: str) -> bool:
    return told.startswith("Leaning ") and _may_fire(world, "Slow")


def judge_calm(world: World) -> None:
    """After some calm minutes: what the simple alert breaches, as far as nothing holds it back, is open."""
    was_set_back = world.set_back_at and world.true_time - world.set_back_at < timedelta(minutes=20)
    rule = world.book.rule(SIMPLE)
    if was_set_back or world.store.silences(world.clock()) or rule is None or SIMPLE in world.graphite.down:
        return
    opened = {(one.routing_key, one.dedup_key) for one in world.pagerduty.open_incidents()}
    refused = _refused(world)
    for name in rule.judged:
        level = world.oracle.level(name)
        key = dedup_key(SeriesKey(SIMPLE, name), level)
        value = world.graphite.now(name)
        if level is Level.OK or isinstance(value, Lack) or rule.level(value) is not level or key in refused:
            continue
        worse = dedup_key(SeriesKey(SIMPLE, name), Level.CRITICAL)  # which flapping may hold open
        if not opened & {(rule.key or world.book.key, each) for each in (key, worse)}:
            world.tally.missed += 1
            world.complaints.append(f"{SIMPLE} {name} is at {value}, and was not paged within four calm minutes")


def _told(world: World) -> Iterator[tuple[tuple[str, str], SeriesState]]:
    """What is stored as open and told, with routing key and dedup key."""
    for alert, memory in world.store.load().memories.items():
        rule = world.book.rule(alert)
        if rule is None and alert != OWN:
            world.complaints.append(f"{alert} is remembered, and not in alerts.yml")
            continue
        for state in memory.states.values():
            for one in (state.incident, state.no_data):
                if one is not None and one.told_at is not None and not one.in_storm:
                    key = (rule and rule.key) or world.book.key
                    yield (key, dedup_key(state.incident_key, one.level)), state


def _missed(world: World, rule: Rule, name: str, opened: Iterable[tuple[str, str]]) -> Iterator[str]:
    """What should be open by the naive view."""
    value = world.graphite.now(name)
    if not rule.is_present or name not in rule.judged:
        return
    levels = _possible_levels(rule, value)
    if value is Lack.SILENT and rule.name == SIMPLE and world.graphite.since(name) < timedelta(hours=20):
        levels = {Level.NO_DATA}
    if not levels or Level.OK in levels:
        return
    key = rule.key or world.book.key
    if any((key, dedup_key(SeriesKey(rule.name, name), level)) in opened for level in levels):
        return
    memory = world.store.load().memories.get(rule.name)
    state = memory.states.get(name) if memory else None
    incidents = [one for one in (state.incident, state.no_data) if one] if state else []
    if any(one.in_storm and one.level in levels for one in incidents):
        return  # that its storm is open is seen to above
    if rule.name == "Leaning" and incidents and _may_fire(world, "Slow"):
        return
    yield f"{rule.name} {name} is at {value}, and nothing is open for it: {state}"


def _left_open(world: World, rule: Rule, name: str, opened: Iterable[tuple[str, str]]) -> Iterator[str]:
    """What should not be open by the naive view, at any routing key."""
    levels = {Level.OK}
    if rule.is_present and name in rule.judged:
        levels = _possible_levels(rule, world.graphite.now(name))
        if not levels:
            return
    for level in _ALL_LEVELS:
        wrong = dedup_key(SeriesKey(rule.name, name), level)
        if level not in levels and any(dedup == wrong for _, dedup in opened):
            yield f"{rule.name} {name} is at {world.graphite.now(name)}, and still open at {level.value}"


def _possible_levels(rule: Rule, value: Measure) -> set[Level]:
    """What a value that has lasted may mean, OK among it; nothing where there is no value."""
    if isinstance(value, Lack):
        return set()
    level = rule.level(value)
    worse = {Level.OK: (Level.WARNING, Level.CRITICAL), Level.WARNING: (Level.CRITICAL,), Level.CRITICAL: ()}[level]
    return {level, *(each for each in worse if rule.is_held(value, each))}


def _may_fire(world: World, alert: str) -> bool:
    rule = world.book.rule(alert)
    return rule is not None and any(
        _possible_levels(rule, world.graphite.now(name)) != {Level.OK} for name in rule.judged
    )
