"""The alerts that the soak test runs, and the edits that somebody makes to them, as text for the real loader."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from graphitepager import config as configuration
from graphitepager.rules import Level

if TYPE_CHECKING:
    from graphitepager.rules import Config

KEYS = ("1" * 32, "2" * 32, "3" * 32)

# What a series can be at: clear of everything, then where only `clear` holds on, and so on.
FINE, NEARLY, UNEASY, NEARLY_BAD, BAD = 10.0, 45.0, 60.0, 67.0, 90.0
VALUES = (FINE, NEARLY, UNEASY, NEARLY_BAD, BAD)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One alert. `is_lax`: its thresholds are edited upwards; `is_moved`: its target, to one with a series less."""

    name: str
    series: tuple[str, ...]
    keys: str = ""
    is_present: bool = True
    is_lax: bool = False
    is_moved: bool = False
    is_excluding: bool = False
    key: str | None = None

    @property
    def target(self) -> str:
        return f"{self.name.lower()}{'.moved' if self.is_moved else ''}.*"

    @property
    def bounds(self) -> dict[Level, float]:
        warning, critical = (80, 95) if self.is_lax else (50, 70)
        return {Level.WARNING: warning, Level.CRITICAL: critical}

    @property
    def returned(self) -> tuple[str, ...]:
        """The series that its target can return."""
        return self.series[:-1] if self.is_moved else self.series

    @property
    def judged(self) -> tuple[str, ...]:
        return self.returned[1:] if self.is_excluding else self.returned

    def level(self, value: float) -> Level:
        return next((level for level in (Level.CRITICAL, Level.WARNING) if value >= self.bounds[level]), Level.OK)

    def is_held(self, value: float, level: Level) -> bool:
        """Whether a value keeps an incident at this level open."""
        bound = self.bounds[level]
        return value > CLEAR[self.is_lax][level] if self.name == "Slow" else value >= bound

    def text(self) -> str:
        """Its entry in alerts.yml."""
        lines = [f"- name: {self.name}", f"target: '{self.target}'"]
        lines += [f"{level.value}: {bound:g}" for level, bound in self.bounds.items()]
        lines += self.keys.split("\n") if self.keys else []
        if self.name == "Slow":
            clear = CLEAR[self.is_lax]
            lines.append(f"clear: {{warning: {clear[Level.WARNING]}, critical: {clear[Level.CRITICAL]}}}")
        if self.is_excluding:
            lines.append(f"exclude: [{self.series[0]}]")
        if self.key:
            lines.append(f"pagerduty_key: '{self.key}'")
        return "  " + "\n    ".join(lines) + "\n"


# By whether the rule is lax.
CLEAR = {
    False: {Level.WARNING: 40, Level.CRITICAL: 65},
    True: {Level.WARNING: 62, Level.CRITICAL: 92},
}


@dataclass(frozen=True, kw_only=True)
class Rulebook:
    """A whole alerts.yml. `key` is for the alerts that have none of their own."""

    rules: tuple[Rule, ...]
    key: str = KEYS[0]

    @property
    def present(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.is_present)

    def rule(self, name: str) -> Rule | None:
        """The rule of that name, if it is in the file."""
        return next((rule for rule in self.present if rule.name == name), None)

    def edited(self, name: str, switch: str) -> Rulebook:
        """The same with one thing the other way round."""
        if switch == "default key":
            return replace(self, key=KEYS[2] if self.key == KEYS[0] else KEYS[0])
        return replace(self, rules=tuple(_edited(rule, switch) if rule.name == name else rule for rule in self.rules))

    def config(self) -> Config:
        body = "".join(rule.text() for rule in self.present)
        return _load(f"graphite_url: https://graphite.example.com\npagerduty_key: '{self.key}'\nalerts:\n{body}")


EDITS = ("is_lax", "is_moved", "is_excluding", "is_present", "key", "default key")


def _edited(rule: Rule, switch: str) -> Rule:
    if switch == "is_present" and rule.name == "Slow":  # another one depends on it
        return rule
    if switch == "key":
        return replace(rule, key=None if rule.key else KEYS[1])
    changed: Any = {switch: not getattr(rule, switch)}
    return replace(rule, **changed)


@functools.lru_cache(maxsize=4096)
def _load(text: str) -> Config:
    loaded = configuration.load(text, {}, source="alerts.yml", strict=True)
    assert loaded.config is not None, loaded.problems
    return loaded.config


# The one that the oracle understands completely: no key of the new ones.
SIMPLE = "Plain"

BOOK = Rulebook(
    rules=(
        Rule(name=SIMPLE, series=("p1", "p2", "p3", "p4")),
        Rule(name="Slow", series=("s1", "s2"), keys="for: 2min\nkeep_firing_for: 2min"),
        Rule(name="Stormy", series=("t1", "t2", "t3", "t4", "t5"), keys="storm_limit: 2\nrepeat_interval: 30min"),
        Rule(name="Calm", series=("c1", "c2"), keys="no_data: ok\non_vanish: resolve\nvanish_after: 5min"),
        Rule(name="Kept", series=("k1", "k2"), keys="no_data: keep\non_vanish: hold\nrepeat_interval: never"),
        Rule(name="Mean", series=("m1", "m2"), keys="from: -5min\nvalue: average"),
        Rule(name="Muted", series=("u1", "u2"), keys='mute: {from: "13:00", until: "13:30"}'),
        Rule(name="Leaning", series=("l1", "l2"), keys="depends_on: [Slow]"),
    )
)
