"""The first page of a runbook, in Markdown, by a template: the one beside this file, or one of the user's."""

from __future__ import annotations

import re
import shlex
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from graphitepager import messages, silences
from graphitepager.durations import format_duration
from graphitepager.errors import PagerError
from graphitepager.printable import printable
from graphitepager.rules import Judged, Level, NoDataPolicy
from graphitepager.runbooks import levels_of, message_of
from graphitepager.thresholds import written

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import timedelta

    from graphitepager.rules import Alert, Entry
    from graphitepager.runbooks import Runbook

_SERIES = "SERIES"
_MARKDOWN = re.compile(r"[\\`*_\[\]<>#|~]")


class Watched(NamedTuple):
    """An entry as the template sees it."""

    alert: str
    target: str
    rules: tuple[str, ...]
    graph: str | None


def as_markdown(runbooks: Sequence[Runbook], graphite_url: str, template: str | None, source: str) -> str:
    """The page of these, which all link to it. `source` is what an error calls the template, None the shipped one.

    PagerError where the template is no good. Without `graphite_url` there are no links to graphs.
    """
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, undefined=jinja2.StrictUndefined
    )
    environment.filters.update(
        words=_words, code=_code, shell=_shell, matcher=lambda name: silences.matcher_of("alert", name)
    )
    try:
        return environment.from_string(shipped() if template is None else template).render(
            _values(runbooks, graphite_url)
        )
    except jinja2.TemplateSyntaxError as error:
        raise PagerError(f"{source}:{error.lineno}: {printable(error.message or 'not a template')}") from None
    except Exception as error:  # noqa: BLE001 - whatever a user's template does wrong
        raise PagerError(f"{source}: {printable(str(error)) or type(error).__name__}") from None


def shipped() -> str:
    """The template beside this file."""
    return resources.files(__package__).joinpath("runbook.md").read_text("utf-8")


def _values(runbooks: Sequence[Runbook], graphite_url: str) -> dict[str, Any]:
    pairs = [(one.alert, entry) for one in runbooks for entry in one.entries]
    names = list(dict.fromkeys(one.alert.name for one in runbooks))
    alert, entry = pairs[0]
    return {
        "title": ", ".join(names),
        "names": names,
        "example": message_of(alert, entry, _worst(entry), _SERIES).summary,
        "description": _description(pairs),
        "watched": [_watched(alert, entry, graphite_url) for alert, entry in pairs],
        "url": runbooks[0].url,
    }


def _watched(alert: Alert, entry: Entry, graphite_url: str) -> Watched:
    target = entry.query.target if entry.ratio is None else f"{entry.query.target} / {entry.ratio.to.target}"
    graph = messages.graph_link(graphite_url, entry) if graphite_url else None
    return Watched(alert.name, target, tuple(_rules(entry)), graph and graph.replace("-20min", "-6h", 1))


def _rules(entry: Entry) -> Iterator[str]:
    """What fires, a line for each."""
    lasting = {Level.WARNING: entry.for_warning, Level.CRITICAL: entry.for_critical}
    judged = "" if entry.judged is Judged.LAST else f" {entry.judged.value}"
    for level in reversed(levels_of(entry)):
        threshold = entry.threshold(level)
        if threshold is not None:
            yield f"{level.value}{judged} {written(threshold)}{_for(lasting[level])}"
    if entry.compare is not None:
        yield f"{entry.compare.compared_as.value} against {format_duration(entry.compare.ago)} earlier"
    if entry.no_data is NoDataPolicy.ALERT:
        yield f"no data{_for(entry.no_data_for)}"


def _for(length: timedelta) -> str:
    return f" for {format_duration(length)}" if length else ""


def _description(pairs: Sequence[tuple[Alert, Entry]]) -> str | None:
    """What alerts.yml says of each at its worst, with SERIES for the series; None where that takes a real one."""
    said = [message_of(alert, entry, _worst(entry), _SERIES).details.get("description") for alert, entry in pairs]
    return "\n\n".join(str(text) for text in dict.fromkeys(said) if text) or None


def _worst(entry: Entry) -> Level:
    return next(iter(levels_of(entry)), Level.NO_DATA)


def _words(text: str) -> str:
    """Text in which no character is Markdown's."""
    return _MARKDOWN.sub(r"\\\g<0>", printable(text))


def _code(text: str) -> str:
    """Text as code, whatever backticks it holds."""
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    space = " " if "`" in text else ""
    return f"{fence}{space}{printable(text)}{space}{fence}"


def _shell(text: str) -> str:
    """Text as one word of a shell's command line."""
    return shlex.quote(printable(text))
