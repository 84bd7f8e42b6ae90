"""What keys of alerts.yml say of each other: names that stand for something elsewhere, and words that clash.

Read from the file as it was written, so that a mistake elsewhere hides none of these.
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from graphitepager.config.fields import did_you_mean
from graphitepager.problems import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from graphitepager.config.inputs import Inputs
    from graphitepager.config.yamlsource import Path
    from graphitepager.problems import Problem

Use = tuple["Path", str]

# More than that are seldom told apart, and each is looked for in the whole file.
_MOST_CIRCLES = 10
_MOST_SUGGESTIONS = 50
_LONGEST_CIRCLE = 7


def wrong_references(inputs: Inputs) -> Iterator[Problem]:
    """Errors, and warnings for what has no effect."""
    yield from _unknown_alerts(inputs)
    yield from _circles(inputs)
    yield from _unknown_windows(inputs)
    yield from _unknown_notifiers(inputs)
    yield from _differing(inputs, "storm_limit")
    yield from _differing(inputs, "interval")
    yield from _idle_vanish_after(inputs)


def _unknown_alerts(inputs: Inputs) -> Iterator[Problem]:
    names = {name for index in inputs.alerts if (name := _name(inputs, index)) is not None}
    used = [use for index in inputs.alerts for use in _names_at(inputs, ("alerts", index, "depends_on"))]
    for number, (path, name) in enumerate((path, name) for path, name in used if name not in names):
        hint = did_you_mean(name, names) if number < _MOST_SUGGESTIONS else None
        yield inputs.problem(path, f"{inputs.label(path)}: no alert is called {quote(name)}", hint)


def _circles(inputs: Inputs) -> Iterator[Problem]:
    """Alerts that, one by one, depend on themselves."""
    order: dict[str, int] = {}
    uses: dict[str, dict[str, Path]] = {}
    for index in inputs.alerts:
        name = _name(inputs, index)
        if name is not None:
            order.setdefault(name, index)
            for path, other in _names_at(inputs, ("alerts", index, "depends_on")):
                uses.setdefault(name, {}).setdefault(other, path)
    for _ in range(_MOST_CIRCLES):
        try:
            TopologicalSorter(uses).prepare()
        except CycleError as error:
            *circle, _again = reversed(error.args[1])
            begin = circle.index(min(circle, key=lambda name: order[name]))
            circle = [*circle[begin:], *circle[:begin]]
            path = uses[circle[0]].pop(circle[1 % len(circle)])
            yield inputs.problem(path, f"{inputs.label(path)}: {_show_circle(circle)}")
        else:
            return


def _show_circle(circle: list[str]) -> str:
    if len(circle) == 1:
        return "an alert cannot depend on itself"
    shown = [quote(name) for name in (*circle, circle[0])]
    if len(shown) > _LONGEST_CIRCLE:
        shown[_LONGEST_CIRCLE - 2 : -1] = ["…"]
    return f"these alerts depend on each other: {' → '.join(shown)}"


def _unknown_windows(inputs: Inputs) -> Iterator[Problem]:
    used = [use for index in inputs.alerts for use in _names_at(inputs, ("alerts", index, "mute"))]
    used += [use for index in _indices(inputs, "routes") for use in _names_at(inputs, ("routes", index, "when"))]
    yield from _unknown_names(
        inputs, "mute_windows", used, "mute window", "name it under mute_windows, or write it in place: {days: sat-sun}"
    )
    yield from _idle_names(inputs, "mute_windows", used, "mute")


def _unknown_notifiers(inputs: Inputs) -> Iterator[Problem]:
    used = [use for index in inputs.alerts for use in _notified(inputs, ("alerts", index, "notify"))]
    used += [use for index in _indices(inputs, "routes") for use in _names_at(inputs, ("routes", index, "notify"))]
    names = _names_of(inputs, "notifiers")
    further = [("notifiers", name, *keys) for name in names for keys in (("fallback",), ("escalate", "to"))]
    used += [use for path in further for use in _names_at(inputs, path)]
    yield from _vain_handling(inputs, further)
    yield from _unknown_names(
        inputs, "notifiers", used, "notifier", "name it under notifiers: {type: pagerduty, key: …}"
    )
    yield from _idle_names(inputs, "notifiers", used, "notify")


def _unknown_names(inputs: Inputs, section: str, used: list[Use], noun: str, advice: str) -> Iterator[Problem]:
    """Yield the names that the section does not have."""
    names = _names_of(inputs, section)
    for number, (path, name) in enumerate((path, name) for path, name in used if name not in names):
        hint = did_you_mean(name, names) if number < _MOST_SUGGESTIONS else None
        yield inputs.problem(path, f"{inputs.label(path)}: no {noun} is called {quote(name)}", hint or advice)


def _idle_names(inputs: Inputs, section: str, used: list[Use], key: str) -> Iterator[Problem]:
    """Yield what the section has and no alert's key names."""
    for name in _names_of(inputs, section) - {name for _, name in used}:
        path = (section, name)
        message = f"{inputs.label(path)} has no effect"
        hint = f"no alert says {key}: {quote(name)[1:-1]}"
        yield inputs.problem(path, message, hint, is_error=False, at_key=True)


def _names_of(inputs: Inputs, section: str) -> set[str]:
    value = inputs.at((section,))
    return set(value) if isinstance(value, dict) else set()


def _vain_handling(inputs: Inputs, paths: Iterable[Path]) -> Iterator[Problem]:
    """A notifier that would pass on to itself, and what it takes to know who has acknowledged."""
    notifiers = inputs.at(("notifiers",))
    for path in paths:
        if _word(inputs, path) == path[1]:
            yield inputs.problem(path, f"{inputs.label(path)}: expected another notifier than itself")
    for name, keys in notifiers.items() if isinstance(notifiers, dict) else ():
        if not isinstance(keys, dict) or keys.get("type") != "pagerduty":
            continue
        path = ("notifiers", name, "digest")
        if keys.get("digest"):
            yield inputs.problem(path, f"{inputs.label(path)}: PagerDuty is told of each incident", "delete digest")
        path = ("notifiers", name, "escalate")
        if keys.get("escalate") and not inputs.at(("pagerduty_api_token",)):
            message = f"{inputs.label(path)}: nobody can ask who has acknowledged, so that all of it is passed on"
            hint = "export PAGERDUTY_API_TOKEN=…, a read-only REST API key"
            yield inputs.problem(path, message, hint, is_error=False)


def _indices(inputs: Inputs, key: str) -> range:
    items = inputs.at((key,))
    return range(len(items)) if isinstance(items, list) else range(0)


def _notified(inputs: Inputs, path: Path) -> Iterator[tuple[Path, str]]:
    """The names in `notify`, which may be a mapping of levels."""
    value = inputs.at(path)
    for part in ((*path, level) for level in value) if isinstance(value, dict) else (path,):
        yield from _names_at(inputs, part)


def _differing(inputs: Inputs, key: str) -> Iterator[Problem]:
    """Entries of one alert that do not agree on something that the alert has once."""
    first: dict[str, tuple[str, str]] = {}
    for index in inputs.alerts:
        path: Path = ("alerts", index, key)
        name, limit = _name(inputs, index), _word(inputs, path)
        if name is None or not limit:
            continue
        said, line = first.setdefault(name, (limit, inputs.line_in_words(path)))
        if said != limit:
            message = f"{inputs.label(path)}: {line} says {quote(said)[1:-1]} for the same alert"
            yield inputs.problem(path, message, f"an alert has one {key}: keep one of them")


def _idle_vanish_after(inputs: Inputs) -> Iterator[Problem]:
    for index in inputs.alerts:
        path: Path = ("alerts", index, "vanish_after")
        if _word(inputs, path) and _word(inputs, ("alerts", index, "on_vanish")) != "resolve":
            message = f"{inputs.label(path)} has no effect"
            yield inputs.problem(path, message, "it needs on_vanish: resolve", is_error=False, at_key=True)


def _name(inputs: Inputs, index: int) -> str | None:
    name = inputs.at(("alerts", index, "name"))
    return name if isinstance(name, str) else None


def _word(inputs: Inputs, path: Path) -> str:
    value = inputs.at(path)
    return value.strip() if isinstance(value, str) else ""


def _names_at(inputs: Inputs, path: Path) -> Iterable[tuple[Path, str]]:
    """The texts of a list, or the one that stands for it, each with its place."""
    value = inputs.at(path)
    items = value if isinstance(value, list) else [value]
    return [((*path, index), item) for index, item in enumerate(items) if isinstance(item, str) and item.strip()]
