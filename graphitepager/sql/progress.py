"""A line on a terminal that says how far a run has come; nothing where nobody looks."""

from __future__ import annotations

import time
from typing import TextIO

_EVERY_S = 0.2
_CLEAR = "\r\x1b[K"


class Progress:
    """Writes over its own line: at each query's beginning, and then at most five times a second."""

    def __init__(self, stream: TextIO, *, quiet: bool) -> None:
        self._stream = stream
        self._is_shown = stream.isatty() and not quiet
        self._began = self._last = time.monotonic()

    def show(self, query: str, rows: int) -> None:
        now = time.monotonic()
        if self._is_shown and (not rows or now - self._last >= _EVERY_S):
            self._last = now
            self._write(f"{_CLEAR}{query}: {rows:,} rows, {now - self._began:.0f} s")

    def clear(self) -> None:
        """Make room for what is printed for good."""
        if self._is_shown:
            self._write(_CLEAR)

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
