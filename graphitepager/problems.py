"""A problem in a file or in the environment, and how it is shown: place, sentence, the line itself with a caret."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphitepager.redaction import lines_inside_secrets, redact, redact_line, redact_words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

ENVIRONMENT = "environment"

# What YAML and editors count as the end of a line.
LINE_BREAK = re.compile(r"\r\n|[\r\n\x85\u2028\u2029]")
_WIDEST_EXCERPT = 160
# Not worth the time of masking, and nobody would find the caret.
_LONGEST_LINE = 10_000
_LONGEST_QUOTE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong. `line` and `column` count from 1, and are None where there is no line (environment, whole file).

    `source` is the file's name as the user gave it, or the word environment. `excerpt` is the offending line with
    secrets already masked, and `caret` the column in it to point at: it differs from `column` where something is
    masked or cut. `hint` says what to do.
    """

    source: str
    message: str
    line: int | None = None
    column: int | None = None
    excerpt: str | None = None
    caret: int | None = None
    hint: str | None = None
    is_error: bool = True

    @property
    def headline(self) -> str:
        """`alerts.yml:12:7: message (hint)`, in one line."""
        place = self.source
        if self.line is not None:
            place += f":{self.line}:{self.column or 1}"
        kind = "" if self.is_error else "warning: "
        return f"{place}: {kind}{self.message}" + (f" ({self.hint})" if self.hint else "")

    def render(self) -> str:
        """The headline, and below it the line it speaks of with a caret under the column."""
        if self.excerpt is None or self.line is None:
            return self.headline
        gutter = f"  {self.line} | "
        caret = " " * (len(gutter) - 2) + "| " + " " * ((self.caret or self.column or 1) - 1) + "^"
        return f"{self.headline}\n{gutter}{self.excerpt}\n{caret}"


def quote(text: str) -> str:
    """The user's own words for use in a message: in quotes, on one line, not too long."""
    text = redact_words(text)  # before it is cut: half a token is no longer recognized as one
    return repr(text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…")


def present(problems: Iterable[Problem], texts: Mapping[str, str], secrets: Collection[str]) -> tuple[Problem, ...]:
    """Make problems fit to be shown: file by file and then the environment's, with excerpts, secrets masked.

    `texts` are those of the files, by what their problems call them, in the order of the files. `secrets` are words
    known to be secret, to be masked wherever they turn up.
    """
    lines_of = {source: LINE_BREAK.split(text) for source, text in texts.items()}
    hidden = {source: lines_inside_secrets(lines) for source, lines in lines_of.items()}
    order = {source: number for number, source in enumerate(texts)} | {ENVIRONMENT: len(texts)}
    shown = []
    for problem in sorted(problems, key=lambda one: (order.get(one.source, 0), one.line or 0, one.column or 0)):
        line, lines = problem.line, lines_of.get(problem.source, [])
        excerpt, caret = (None, None)
        if line is not None and line <= len(lines) and len(lines[line - 1]) <= _LONGEST_LINE:
            is_hidden = line - 1 in hidden[problem.source]
            masked, column = redact_line(lines[line - 1], (problem.column or 1) - 1, secrets, whole=is_hidden)
            excerpt, caret = _window(_printable(masked), column)
        message = redact(problem.message, secrets)
        hint = problem.hint and redact(problem.hint, secrets)
        shown.append(dataclasses.replace(problem, message=message, hint=hint, excerpt=excerpt, caret=caret))
    return tuple(shown)


def _printable(line: str) -> str:
    """One character for one: a control character could move the caret, or drive the terminal."""
    return "".join(char if char.isprintable() else " " if char.isspace() else "\ufffd" for char in line)


def _window(line: str, column: int) -> tuple[str, int]:
    """Cut a long line down to what surrounds the column; return the text and the column to point at, from 1."""
    if len(line) <= _WIDEST_EXCERPT:
        return line, column + 1
    start = max(0, min(column - _WIDEST_EXCERPT // 2, len(line) - _WIDEST_EXCERPT))
    stop = start + _WIDEST_EXCERPT
    before, after = ("…" if start else ""), ("…" if stop < len(line) else "")
    return before + line[start:stop] + after, column - start + len(before) + 1
