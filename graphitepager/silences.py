"""Silences: what their matchers fit, and how matchers are written by people and in the database."""

from __future__ import annotations

import difflib
import json
import re
from typing import TYPE_CHECKING

from graphitepager import globs
from graphitepager.model import Matcher
from graphitepager.problems import quote
from graphitepager.rules import Level

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from graphitepager.model import Silence

_FIELDS = ("alert", "series", "level")
_LEVELS = tuple(level.value for level in (Level.WARNING, Level.CRITICAL, Level.NO_DATA))
_EXAMPLE = "write alert=MongoDB*, series!=db1.* or level=warning"

_MATCHER = re.compile(r"(?P<field>[^=!]*)(?P<operator>!?=)(?P<pattern>.*)", re.DOTALL)


def parse_matcher(text: str) -> Matcher:
    """Read `alert=MongoDB*` or `series!=db1.*`; ValueError, whose text can be shown to the user."""
    written = _MATCHER.fullmatch(text)
    if written is None:
        raise ValueError(f"{quote(text)} is no matcher: {_EXAMPLE}")
    field, pattern = written["field"].strip(), written["pattern"].strip()
    if field not in _FIELDS:
        raise ValueError(f"{quote(text)}: unknown field {quote(field)}{_did_you_mean(field, _FIELDS)}: {_EXAMPLE}")
    if not pattern:
        raise ValueError(f"{quote(text)}: the pattern is empty: write {field}=* for any {field}")
    if pattern[0] in "=~":
        raise ValueError(
            f"{quote(text)}: patterns are globs and not regular expressions: {_EXAMPLE}"
            f" (a pattern that begins with {pattern[0]} is written [{pattern[0]}]…)"
        )
    try:
        is_like = globs.compiled(pattern)
    except ValueError as error:
        raise ValueError(f"{quote(text)}: {error}") from None
    if field == "level" and not any(is_like.fullmatch(level) for level in _LEVELS):
        raise ValueError(
            f"{quote(text)}: unknown level {quote(pattern)}{_did_you_mean(pattern.replace(' ', '_'), _LEVELS)}:"
            f" the levels are {', '.join(_LEVELS)}"
        )
    return Matcher(field=field, pattern=pattern, is_negated=written["operator"] == "!=")


def matcher_of(field: str, text: str) -> str:
    """The matcher, as it is written, that fits this text and nothing else."""
    pattern = globs.literal(text)
    return f"{field}={f'[{pattern[0]}]{pattern[1:]}' if pattern[:1] in {'=', '~'} else pattern}"


def format_matcher(matcher: Matcher) -> str:
    """Write it as `parse_matcher` reads it."""
    return f"{matcher.field}{'!=' if matcher.is_negated else '='}{matcher.pattern}"


def exactly(field: str, text: str) -> str:
    """The matcher, as people write it, that this text fits and no other."""
    pattern = globs.literal(text)
    for end in (0, -1):  # what parse_matcher would take off, or for another operator
        if pattern and (pattern[end].isspace() or (end == 0 and pattern[end] in "=~")):
            pattern = f"[{pattern[0]}]{pattern[1:]}" if end == 0 else f"{pattern[:-1]}[{pattern[-1]}]"
    return f"{field}={pattern}"


def matches(silence: Silence, alert: str, series: str, level: Level) -> bool:
    """Whether all of the silence's matchers fit. One without matchers fits nothing, lest a slip silence everything."""
    texts = {"alert": alert, "series": series, "level": level.value}
    try:
        return bool(silence.matchers) and all(
            (globs.compiled(one.pattern).fullmatch(texts[one.field]) is None) is one.is_negated
            for one in silence.matchers
        )
    except (KeyError, ValueError):  # written into the database by hand: what nobody can read silences nothing
        return False


def silencing(silences: Iterable[Silence], alert: str, series: str, level: Level, now: datetime) -> Silence | None:
    """Return the silence that holds this back now; of several, the one that does so longest."""
    active = (one for one in silences if one.begins_at <= now < one.ends_at)
    return max((one for one in active if matches(one, alert, series, level)), key=lambda one: one.ends_at, default=None)


def to_json(matchers: Iterable[Matcher]) -> str:
    """Write matchers for the database: ASCII, because it takes any character in that form."""
    return json.dumps([one._asdict() for one in matchers])


def from_json(text: str) -> tuple[Matcher, ...]:
    """Read what `to_json` wrote."""
    return tuple(Matcher(**one) for one in json.loads(text))


def _did_you_mean(word: str, words: Iterable[str]) -> str:
    close = difflib.get_close_matches(word.lower(), list(words), n=1)
    return f" (did you mean {close[0]}?)" if close else ""
