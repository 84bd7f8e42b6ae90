"""Globs as in a shell, of any text: `*`, `?`, `[abc]`, `[!abc]`, `{a,b}`."""

from __future__ import annotations

import fnmatch
import functools
import itertools
import math
import re

# More than anybody types, fewer than would slow a poll: the expression of a pattern takes up to 20 µs a character.
_MOST_CHOICES = 1000
_MOST_CHARACTERS = 20_000

# Brackets as fnmatch reads them: what follows "[" or "[!" at once is one of the characters, "]" too.
_CLASS = r"\[!?+\]?+[^\]]*+\]"
_CHOICES = rf"\{{(?P<choices>(?:{_CLASS}|[^\[{{}}])*+)\}}"
_PART = re.compile(rf"{_CLASS}|{_CHOICES}|(?P<unclosed>[\[{{])|[^\[{{]+")
_CHOICE_PART = re.compile(rf"{_CLASS}|,|[^\[,]+")


def is_glob(text: str) -> bool:
    """Whether a text holds a character that is special in a glob."""
    return any(character in text for character in "*?[{")


def literal(text: str) -> str:
    """The glob that fits this text and nothing else."""
    return re.sub(r"[*?\[{]", r"[\g<0>]", text)


@functools.lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str]:
    """Make an expression of a glob, to be matched in full; no character is special to * and ?.

    ValueError, whose text can be shown to the user, where a bracket or brace has no end.
    """
    # Each choice by itself, because fnmatch's expressions never backtrack far, which braces inside them would undo.
    return re.compile("|".join(fnmatch.translate("".join(parts)) for parts in itertools.product(*_parts(pattern))))


def _parts(pattern: str) -> list[list[str]]:
    """The pattern's parts in order, each as what may stand in its place."""
    parts = []
    for part in _PART.finditer(pattern):
        if unclosed := part["unclosed"]:
            within = " (braces cannot hold braces)" if unclosed == "{" else ""
            raise ValueError(f"{unclosed} has no end{within}: write [{unclosed}] for the character itself")
        parts.append([part[0]] if part["choices"] is None else _choices(part["choices"]))
    if math.prod(map(len, parts)) > _MOST_CHOICES:
        raise ValueError(f"the braces make more than {_MOST_CHOICES} patterns: write several")
    if _length(parts) > _MOST_CHARACTERS:
        raise ValueError(f"written out, it has more than {_MOST_CHARACTERS} characters: write several")
    return parts


def _length(parts: list[list[str]]) -> int:
    """How many characters all the patterns have together that these parts make."""
    count = math.prod(map(len, parts))
    return sum(count // len(choices) * sum(map(len, choices)) for choices in parts)


def _choices(text: str) -> list[str]:
    """What stands between the commas, but for commas in brackets."""
    choices = [""]
    for part in _CHOICE_PART.findall(text):
        if part == ",":
            choices.append("")
        else:
            choices[-1] += part
    return choices
