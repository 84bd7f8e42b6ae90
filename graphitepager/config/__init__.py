"""alerts.yml and the environment in; a `Config` out, or every problem with it at once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from graphitepager.config import yamlsource
from graphitepager.config.borrowed import fill_in, with_unset
from graphitepager.config.expansion import expand
from graphitepager.config.fields import did_you_mean
from graphitepager.config.files import Files
from graphitepager.config.inputs import Inputs
from graphitepager.config.knownsecrets import known_secrets
from graphitepager.config.meaning import build_config
from graphitepager.config.notifying import in_words
from graphitepager.config.pointing import Pointer
from graphitepager.config.references import wrong_references
from graphitepager.config.remarks import at_odds, forgotten, missing_url, odd_links, unheard, without_effect
from graphitepager.config.schema import (
    EXTENSION_PREFIX,
    AlertEntry,
    AlertsFile,
    ClearKeys,
    CompareKeys,
    EscalateKeys,
    ExpectKeys,
    LevelDurations,
    MuteKeys,
    NotifierKeys,
    NotifyKeys,
    PagerdutyKeys,
    RatioKeys,
    RuleKeys,
    SeverityKeys,
    SlackKeys,
    Variables,
    key_names,
)
from graphitepager.config.sourcing import wrong_sources
from graphitepager.config.templating import failing_templates
from graphitepager.config.validation import explained, validate
from graphitepager.config.yamlsource import MINIMAL_FILE, kind_of
from graphitepager.problems import Problem, quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

    from graphitepager.config.expansion import Origin
    from graphitepager.config.yamlsource import Data, Path
    from graphitepager.rules import Config

_BYTE_ORDER_MARK = "\ufeff"
_NAMED_ALERT = re.compile(r"""^alert (?:'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+")""")

_NEEDED = {
    "ratio": "a ratio needs of and to",
    "compare": "compare needs with, such as with: 1week",
    "escalate": "write {after: 15min, to: boss}, with a name of notifiers",
    "routes": "a route says notify, and a name of notifiers",
}

_ANY = "*"
_SECTIONS: dict[tuple[str, ...], type[BaseModel]] = {
    ("pagerduty",): PagerdutyKeys,
    ("slack",): SlackKeys,
    ("mute_windows", _ANY): MuteKeys,
    ("notifiers", _ANY, "escalate"): EscalateKeys,
    ("routes", _ANY): RuleKeys,
    ("routes", _ANY, "when", _ANY): MuteKeys,
    ("alerts", _ANY): AlertEntry,
    ("alerts", _ANY, "for"): LevelDurations,
    ("alerts", _ANY, "clear"): ClearKeys,
    ("alerts", _ANY, "compare"): CompareKeys,
    ("alerts", _ANY, "expect_series"): ExpectKeys,
    ("alerts", _ANY, "ratio"): RatioKeys,
    ("alerts", _ANY, "notify"): NotifyKeys,
    ("alerts", _ANY, "severity"): SeverityKeys,
    ("alerts", _ANY, "mute", _ANY): MuteKeys,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """`config` is None exactly when one of the problems is an error; warnings may come with a config.

    `entries` are what it is made from: each entry as it would be written out in full, and where it comes from.
    `pointer` shows where in the files a problem belongs that is found out later.
    """

    config: Config | None
    problems: tuple[Problem, ...]
    pointer: Pointer = field(repr=False)  # it holds the files, and with them their secrets
    entries: tuple[tuple[Data, Origin], ...] = ()


def load(
    text: str | Files,
    environ: Mapping[str, str],
    *,
    source: str,
    strict: bool = False,
    needs_graphite: bool = True,
    library: Mapping[str, str] = MappingProxyType({}),
    notifiers: Mapping[str, type[NotifierKeys]] = MappingProxyType({}),
) -> Loaded:
    """Read the text of the file that the user calls `source`; variables in `environ` win over it.

    `strict` makes unknown keys errors rather than warnings. Without `needs_graphite` it may stay open where Graphite
    is, and what `${…}` stands for, as in a repository that holds alerts.yml and not the environment; that is a warning
    then. `library` has the texts of the ready-made checks by their names, `notifiers` what each kind of them takes.
    """
    files = text if isinstance(text, Files) else Files(text)
    files = files._replace(text=files.text.removeprefix(_BYTE_ORDER_MARK))
    document, problems = yamlsource.parse(files.text, source)
    expanded = expand(document, files, library, strict=strict) if document else None
    borrowed = fill_in(expanded.document, environ, is_needed=needs_graphite) if expanded else None
    expanded = replace(expanded, document=borrowed.document) if expanded and borrowed else None
    inputs = Inputs(source=source, document=expanded.document if expanded else None, variables=_variables(environ))
    odd = expanded.problems if expanded else ()
    problems += [*odd, *(borrowed.problems if borrowed else ())]
    secrets = borrowed.secrets if borrowed else set()
    notifiers = with_unset(notifiers) if borrowed and borrowed.problems else notifiers
    is_whole = not any(problem.is_error for problem in odd)
    mistaken_lines = {(problem.source, problem.line) for problem in problems if problem.is_error}
    parsed, found = _validate(inputs, notifiers, strict=strict, is_whole=is_whole)
    found += [*missing_url(inputs, is_error=needs_graphite), *without_effect(inputs), *odd_links(inputs)]
    found += wrong_sources(inputs)
    if is_whole:  # else names may be missing only because their alert could not be written out
        found += wrong_references(inputs)
    if isinstance(parsed, AlertsFile):
        found += [*forgotten(parsed, inputs), *at_odds(parsed, inputs)]
    # What has already been complained about is not complained about again.
    problems += [one for one in found if one.line is None or (one.source, one.line) not in mistaken_lines]

    config = None
    entries: tuple[tuple[Data, Origin], ...] = ()
    if expanded and isinstance(parsed, AlertsFile) and not any(problem.is_error for problem in problems):
        entries = tuple(zip(expanded.entries, expanded.origins, strict=True))
        config = build_config(
            parsed,
            lambda n: inputs.line(("alerts", n)),
            lambda n: entries[n][1].variables,
            secrets,
        )
        problems += [*unheard(parsed, inputs), *failing_templates(parsed, config.alerts, inputs)]
        config = None if any(problem.is_error for problem in problems) else config
    pointer = Pointer(
        inputs=inputs,
        numbers=_numbers(parsed.alerts) if isinstance(parsed, AlertsFile) else {},
        texts={source: files.text, **(expanded.texts if expanded else {})},
        secrets=known_secrets(inputs, expanded, secrets),
    )
    shown = pointer.present(_once(problems) if expanded and expanded.is_shared else problems)
    return Loaded(config=config, problems=shown, entries=entries, pointer=pointer)


def _numbers(alerts: Iterable[AlertEntry]) -> Mapping[str, Sequence[int]]:
    numbers: dict[str, list[int]] = {}
    for number, alert in enumerate(alerts):
        numbers.setdefault(alert.name, []).append(number)
    return numbers


def _once(problems: Iterable[Problem]) -> list[Problem]:
    """What is wrong at one place with many alerts is told of the first: they have it from the same defaults."""
    kept: dict[tuple[str, int | None, int | None, str], Problem] = {}
    for one in problems:
        kept.setdefault((one.source, one.line, one.column, _NAMED_ALERT.sub("", one.message)), one)
    return list(kept.values())


def _variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The known variables that hold something, by their names in the file."""
    values = {name: environ.get(name.upper(), "") for name in Variables.model_fields}
    return {name: value for name, value in values.items() if value.strip()}


def _validate(
    inputs: Inputs, kinds: Mapping[str, type[NotifierKeys]], *, strict: bool, is_whole: bool
) -> tuple[Variables | None, list[Problem]]:
    section = Variables if inputs.document is None else AlertsFile
    data = {key: value for key, value in inputs.data.items() if not key.startswith(EXTENSION_PREFIX)}
    parsed, unknown, errors = validate(section, data, {"notifiers": kinds})
    if not is_whole:  # there may be no alert only because none could be written out
        errors = [error for error in errors if error["loc"] != ("alerts",)]
    problems = [_unknown_key(path, inputs, kinds, strict=strict) for path in unknown]
    return parsed, problems + [_explain(error, inputs, kinds) for error in errors]


def _explain(error: ErrorDetails, inputs: Inputs, kinds: Iterable[str]) -> Problem:
    """A validation error as a problem in the user's words."""
    path: Path = error["loc"]
    got = kind_of(inputs.at(path))
    match error["type"]:
        case "missing" if path != ("alerts",):
            return _missing_key(path, inputs, kinds)
        case "missing" | "too_short" if path == ("alerts",):
            hint: str | None = f"the least that works is {MINIMAL_FILE}"
            message = f"expected at least one alert, got {got}"
        case _:
            message, hint = explained(error, got)
    return inputs.problem(path, f"{inputs.label(path)}: {message}", hint)


def _unknown_key(path: Path, inputs: Inputs, kinds: Mapping[str, type[NotifierKeys]], *, strict: bool) -> Problem:
    key, place = str(path[-1]), path[:-1]
    kind = str(inputs.at((*place, "type"))).strip()
    is_notifier = place == ("notifiers", *place[1:2])
    section = kinds[kind] if is_notifier and kind in kinds else _section_at(place)
    hint = did_you_mean(key, key_names(section))
    return inputs.problem(path, f"unknown key {quote(key)}", hint, is_error=strict, at_key=True)


def _section_at(path: Path) -> type[BaseModel]:
    """What the mapping at the path may hold."""
    for pattern, section in _SECTIONS.items():
        if len(pattern) == len(path) and all(part in (_ANY, step) for part, step in zip(pattern, path, strict=True)):
            return section
    return AlertsFile


def _missing_key(path: Path, inputs: Inputs, kinds: Iterable[str]) -> Problem:
    alert, key = path[:-1], path[-1]
    entry = inputs.at(alert)
    hint = _NEEDED.get(str(alert[-1])) or _NEEDED.get(str(path[0]))
    if hint is None and path[0] == "notifiers":
        of_type = f"{inputs.at((*alert, 'type'))} needs it"
        hint = f"every notifier needs a type: {in_words(kinds)}" if key == "type" else of_type
    if hint is None:
        hint = (
            "every alert needs a name"
            if key == "name"
            else "write warning and critical, or one with an operator: '> 90'"
        )
    if isinstance(entry, dict) and key in entry:
        return inputs.problem(path, f"{inputs.label(alert)}: {key} has no value", hint, at_key=True)
    return inputs.problem(alert, f"{inputs.label(alert)}: {key} is missing", hint)
