"""tests.yml: rule tests in, with every problem of the file; their values become `ruletests.RuleTest`."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from graphitepager.config import yamlsource
from graphitepager.config.fields import Duration, Polls, SomeTime, Text, did_you_mean, refuse, word_of
from graphitepager.config.sections import Section, key_names
from graphitepager.config.yamlsource import describe, kind_of
from graphitepager.model import EventKind
from graphitepager.problems import Problem, present, quote
from graphitepager.rules import Level
from graphitepager.ruletests import Expectation, RuleTest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

    from graphitepager.config.yamlsource import Document, Path
    from graphitepager.ruletests import Values

EXAMPLE = (
    "tests: [{name: a high load pages, alert: Load, series: {web1: 1 13x3}, expect: [{at: 1min, level: critical}]}]"
)
# A Thursday noon, when no weekend's mute window is open.
START = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
_MOST_VALUES = 1_000_000
_RUN = re.compile(
    r"(?P<value>null|None|[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?inf)(?:x(?P<times>[0-9]{1,7}))?"
)


def _values(text: object) -> tuple[float | None, ...]:
    """`1 1 9x5 null`: numbers, null where there is no datapoint, and how often."""
    values: list[float | None] = []
    for word in text.split() if isinstance(text, str) else ():
        run = _RUN.fullmatch(word)
        if run is None:
            raise refuse(f"expected numbers and null, such as 1 1 9x5 null, got {quote(word)}")
        times = int(run["times"] or 1)
        if len(values) + times > _MOST_VALUES:
            raise refuse(f"more than {_MOST_VALUES:,} datapoints")
        values += [None if run["value"] in {"null", "None"} else float(run["value"])] * times
    if not values:
        raise refuse(f"expected numbers and null, such as 1 1 9x5 null, got {describe(text)}")
    return tuple(values)


def _start(text: object) -> datetime:
    try:
        return datetime.fromisoformat(text.strip() if isinstance(text, str) else "").astimezone(UTC)
    except (ValueError, OverflowError):
        raise refuse(f"expected a time such as 2026-01-15T12:00Z, got {describe(text)}") from None


_Values = Annotated[tuple[float | None, ...], BeforeValidator(_values)]
_Series = dict[str, _Values]


class ExpectedKeys(Section):
    """What is to be at one time; what is left out may be anything."""

    at: Duration
    series: Text | None = None
    level: Annotated[Level, BeforeValidator(word_of(Level))] | None = None
    event: Annotated[EventKind, BeforeValidator(word_of(EventKind))] | None = None
    summary: Text | None = None

    @model_validator(mode="after")
    def _say_something(self) -> ExpectedKeys:
        if self.level is None and self.event is None and self.summary is None:
            raise refuse("nothing is expected here", "write level, event or summary")
        return self


class TestKeys(Section):
    """One test."""

    __test__ = False

    name: Text
    alert: Text
    step: SomeTime = timedelta(minutes=1)
    start: Annotated[datetime, BeforeValidator(_start)] = START
    series: _Series | None = None
    targets: dict[str, _Series] | None = None
    expect: list[ExpectedKeys] = Field(default=[], validate_default=True)
    pages: Polls | None = None

    @model_validator(mode="after")
    def _be_whole(self) -> TestKeys:
        if (self.series is None) == (self.targets is None):
            raise refuse("expected series or targets", "series: {web1: 1 1 9x5}, or below targets for each target")
        if not self.expect and self.pages is None:
            raise refuse("nothing is expected", "write expect, pages or both")
        return self


class TestsFile(Section):
    """The whole file."""

    __test__ = False

    tests: list[TestKeys] = Field(min_length=1)


_SECTIONS: dict[int, type[Section]] = {0: TestsFile, 2: TestKeys, 4: ExpectedKeys}


def load(text: str, source: str) -> tuple[list[RuleTest], tuple[Problem, ...]]:
    """The tests in a file, and all that is wrong with it; any problem is an error."""
    document, problems = yamlsource.parse(text.removeprefix("\ufeff"), source)
    # What yamlsource says of a file without anything is meant for alerts.yml.
    problems = [
        replace(one, message=one.message.replace("'alerts'", "'tests'"), hint=f"for example {EXAMPLE}")
        if one.hint and "alerts:" in one.hint
        else one
        for one in problems
    ]
    parsed = None
    if document and not problems:
        try:
            parsed = TestsFile.model_validate(document.data)
        except ValidationError as invalid:
            problems = [_problem(error, document, source) for error in invalid.errors(include_url=False)]
    if parsed is None or document is None:
        return [], present(problems, {source: text}, ())
    return [_test(keys, ("tests", number), document) for number, keys in enumerate(parsed.tests)], ()


def _problem(error: ErrorDetails, document: Document, source: str) -> Problem:
    path: Path = error["loc"]
    value = _at(document.data, path)
    hint, is_key = None, False
    match error["type"]:
        case "extra_forbidden":
            section = _SECTIONS.get(len(path) - 1, TestsFile)
            message, hint, is_key = (
                f"unknown key {quote(str(path[-1]))}",
                did_you_mean(str(path[-1]), key_names(section)),
                True,
            )
        case "missing":
            message, hint = f"{path[-1]} is missing", f"for example {EXAMPLE}" if len(path) == 1 else None
        case "refused":
            message, hint = error["ctx"]["message"], error["ctx"]["hint"]
        case "list_type":
            message, hint = f"{path[-1]}: expected a list, got {kind_of(value)}", "begin each item with '- '"
        case "model_type" | "dict_type":
            message = f"{path[-1]}: expected keys and values, got {kind_of(value)}"
        case "too_short":
            message = "expected at least one test"
        case _:
            message = f"{path[-1] if path else ''}: {error['msg']}"
    line, column, _ = document.key_place(path) if is_key else document.place(path)
    return Problem(source=source, line=line, column=column, message=message, hint=hint)


def _at(data: Any, path: Path) -> Any:
    for step in path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _test(keys: TestKeys, path: Path, document: Document) -> RuleTest:
    series: dict[str | None, Mapping[str, Values]] = {}
    series.update(keys.targets or {})
    if keys.series is not None:
        series[None] = keys.series
    return RuleTest(
        name=keys.name,
        alert=keys.alert,
        start=keys.start,
        step=keys.step,
        series=series,
        expectations=tuple(
            Expectation(
                at=one.at,
                series=one.series,
                level=one.level,
                event=one.event,
                summary=one.summary,
                line=document.place((*path, "expect", number)).line,
                column=document.place((*path, "expect", number)).column,
            )
            for number, one in enumerate(keys.expect)
        ),
        pages=keys.pages,
        line=document.place(path).line,
        column=document.place(path).column,
    )
