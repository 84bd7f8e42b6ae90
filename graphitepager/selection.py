"""Series by their names: exact ones, globs and regular expressions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphitepager import globs

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_EXPRESSION = 200

# A repetition of what ends in one, such as (a+)+: the classic that can take longer than the universe lasts.
_NESTED = re.compile(r"(?<!\\)[*+}][?+]?\)(?:[*+]|\{[0-9]*,\}|\{[0-9]{2,})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Which names are meant: all texts as they were written, and those that fit a pattern."""

    exact: frozenset[str] = frozenset()
    patterns: tuple[re.Pattern[str], ...] = ()

    def __contains__(self, name: str) -> bool:
        if name in self.exact or not self.patterns:  # the usual end, and asked of every series
            return name in self.exact
        return any(pattern.search(name) for pattern in self.patterns)


NO_NAMES = Names()


def names(texts: Iterable[str]) -> Names:
    """Put together what the texts mean; ValueError where `parse` raises it."""
    written = tuple(texts)
    patterns = (pattern for text in written if (pattern := parse(text)) is not None)
    return Names(exact=frozenset(written), patterns=tuple(patterns))


def parse(text: str) -> re.Pattern[str] | None:
    """Read `web*` or `/^web[0-9]+$/`; None for a plain name. ValueError, whose text can be shown to the user."""
    if len(text) > len("//") and text.startswith("/") and text.endswith("/"):
        return _expression(text[1:-1])
    if not globs.is_glob(text):
        return None
    try:
        # Anchored, because the patterns are searched for.
        return re.compile(rf"\A(?:{globs.compiled(text).pattern})")
    except ValueError:  # `sum(a.{b,c` has always been a name
        return None


def _expression(text: str) -> re.Pattern[str]:
    if len(text) > LONGEST_EXPRESSION:
        raise ValueError(f"expected a regular expression of at most {LONGEST_EXPRESSION} characters, got {len(text)}")
    if _NESTED.search(text):
        raise ValueError("a repetition of a repetition, as in (a+)+, can take for ever: write it as one")
    try:
        return re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        place = f" at character {error.pos + 1}" if isinstance(error, re.error) and error.pos is not None else ""
        reason = error.msg if isinstance(error, re.error) else str(error)
        raise ValueError(f"the regular expression is no good{place}: {reason}") from None
