"""A problem in a file or in the environment, and how it is shown: place, sentence, the line itself with a caret."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong. `line` and `column` count from 1; both are None where there is no line (environment, whole file).

    `source` is the file's name as the user gave it, or the word environment. `excerpt` is the offending line with
    secrets already masked. `hint` says what to do.
    """

    source: str
    message: str
    line: int | None = None
    column: int | None = None
    excerpt: str | None = None
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
        caret = " " * (len(gutter) - 2) + "| " + " " * ((self.column or 1) - 1) + "^"
        return f"{self.headline}\n{gutter}{self.excerpt}\n{caret}"
