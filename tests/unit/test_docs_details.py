"""What the reference says of a key or of a log line is what the code does: defaults, levels, keys."""

from __future__ import annotations

import ast
import enum
import re
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import pytest

from graphitepager.config.notifying import NotifierKeys, RuleKeys
from graphitepager.config.schema import AlertEntry, AlertsFile, CompareKeys, RatioKeys
from graphitepager.durations import format_duration
from tests.documented import name_of
from tests.unit.test_docs import ALERTS_YML, COLLECTOR_PAGE, COMMANDS_PAGE, PACKAGE, section

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

SECTIONS: dict[str, type[BaseModel]] = {
    "At the top of the file": AlertsFile,
    "In an alert": AlertEntry,
    "In `ratio`": RatioKeys,
    "In `compare`": CompareKeys,
    "In a notifier": NotifierKeys,
    "In a route": RuleKeys,
}
_PLAIN = (bool, timedelta, enum.Enum, float, int, str)


class Logged(NamedTuple):
    """A call that logs: the event, its level, the keys that are named there, and whether there are more."""

    event: str
    level: str
    keys: frozenset[str]
    has_more: bool


def keys() -> Iterator[tuple[str, FieldInfo, str]]:
    """Each key that has a heading, and the text below it."""
    for title, model in SECTIONS.items():
        texts = dict(
            re.findall(r"^### `(\w+)`\n(.*?)(?=^### |\Z)", section(ALERTS_YML, title), re.MULTILINE | re.DOTALL)
        )
        for name, field in model.model_fields.items():
            key = field.alias or name
            if key in texts:
                yield f"{title}: {key}", field, texts[key]


@pytest.mark.parametrize(("place", "field", "text"), [pytest.param(*key, id=key[0]) for key in keys()])
def test_every_key_says_whether_it_is_required_and_what_it_is_by_default(
    place: str, field: FieldInfo, text: str
) -> None:
    where = f"{name_of(ALERTS_YML)}, {place}"
    if field.is_required():
        assert "required" in text.lower(), f"{where}: say that it is required"
        return
    assert re.search(r"default|No effect|required", text, re.IGNORECASE), f"{where}: say what holds without it"
    if isinstance(field.default, _PLAIN) and field.default is not None:
        value = re.escape(_written(field.default))
        assert re.search(rf"(?<![\w.])`?{value}`?(?![\w.]\w)", text), (
            f"{where}: the default is {_written(field.default)}"
        )


def _written(default: object) -> str:
    if isinstance(default, bool):
        return "yes" if default else "no"
    if isinstance(default, timedelta):
        return format_duration(default)
    if isinstance(default, enum.Enum):
        return str(default.value)
    return f"{default:g}" if isinstance(default, float) else str(default)


@pytest.mark.parametrize("page", [COMMANDS_PAGE, COLLECTOR_PAGE], ids=lambda page: page.stem)
def test_every_log_event_has_its_levels_and_keys(page: Path) -> None:
    pattern = r"^\| `(\w+)` \| ([^|]*)\| ([^|]*)\|"
    rows = {
        event: (level, keys) for event, level, keys in re.findall(pattern, section(page, "Log events"), re.MULTILINE)
    }
    paths = [path for path in PACKAGE.rglob("*.py") if path.is_relative_to(PACKAGE / "sql") is (page == COLLECTOR_PAGE)]
    by_event: dict[str, list[Logged]] = {}
    for one in (one for path in paths for one in _logged(path)):
        by_event.setdefault(one.event, []).append(one)
    wrong = []
    for event, calls in by_event.items():
        levels, text = rows[event]
        wrong += [f"{event}: its level is {one.level}" for one in calls if one.level not in levels]
        if re.search(r"\bas `|the same", text):  # those of another row, and these
            continue
        described, logged = set(re.findall(r"`(\w+)`", text)), {key for one in calls for key in one.keys}
        wrong += [f"{event}: {key} is missing" for key in logged - described]
        if not any(one.has_more for one in calls):
            wrong += [f"{event}: {key} is never logged" for key in described - logged]
    assert wrong == [], f"mend the rows of 'Log events' in {name_of(page)}"


def _logged(path: Path) -> Iterator[Logged]:
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="log"), attr=level), args=[event, *_], keywords=given):
                named = frozenset(one.arg for one in given if one.arg)
                for part in ast.walk(event):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        yield Logged(part.value, level, named, len(named) < len(given))
