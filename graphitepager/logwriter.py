"""Writes log lines from a thread of its own: nobody waits for the log, and nobody fails for it."""

from __future__ import annotations

import io
import os
import select
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable

# What may wait to be written, some ten thousand lines: a poll that opens thousands of incidents loses none of them.
_QUEUE_BYTES = 2_000_000
# Until it is tried again all the same, should the stream not say when it takes more.
_LONGEST_WAIT_S = 1.0


class Writer:
    """Writes lines to a stream from a thread of its own; a line that finds the queue full is only counted.

    To structlog it is the logger that all lines end in.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self.stream = stream  # None where the process was started without a standard output
        self.dropped_line: Callable[[int], str] = str
        self._encoding = (stream and stream.encoding) or "utf-8"
        self._changed = threading.Condition()
        self._lines: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._dropped = 0  # since the last line in the queue, because it was full
        self._lost = 0  # of those that were taken out of the queue, because they could not be written
        self._is_writing = False
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def put(self, line: str) -> None:
        """Have the line written soon. Never waits, never raises."""
        if self.stream is None:
            return
        with self._changed:
            if self._waiting_bytes >= _QUEUE_BYTES:
                self._dropped += 1
                return
            self._append_dropped()
            self._append(line)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="log", daemon=True)
                with suppress(RuntimeError):  # no thread to be had: the next line tries again
                    self._thread.start()
            self._changed.notify_all()

    debug = info = warning = error = critical = put

    def flush(self, timeout_s: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: not self._lines and not self._is_writing, timeout_s)

    def close(self) -> None:
        """Write what is in the queue, and end the thread."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _append(self, line: str) -> None:
        data = self._encoded(line)
        self._lines.append(data)
        self._waiting_bytes += len(data)

    def _encoded(self, line: str) -> bytes:
        return f"{line}\n".encode(self._encoding, "backslashreplace")

    def _append_dropped(self) -> None:
        if self._dropped:
            self._append(self.dropped_line(self._dropped))
            self._dropped = 0

    def _run(self) -> None:
        while lines := self._take():
            told = [self._encoded(self.dropped_line(self._lost))] if self._lost else []
            try:
                self._write(b"".join(told + lines))
                self._lost = 0
            except (OSError, ValueError):  # a full disk, a reader that has left, a stream that somebody has closed
                self._lost += len(lines)

    def _take(self) -> list[bytes]:
        """Wait for lines, and take as many as a pipe takes at once; none when it is time to end."""
        lines: list[bytes] = []
        with self._changed:
            self._is_writing = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._lines or self._is_closed)
            while self._lines and (not lines or sum(map(len, lines)) + len(self._lines[0]) <= select.PIPE_BUF):
                lines.append(self._lines.popleft())
            self._waiting_bytes -= sum(map(len, lines))
            self._is_writing = bool(lines)
            if not self._lines:
                self._append_dropped()
        return lines

    def _write(self, data: bytes) -> None:
        """Write past the stream's own buffer: what stays in there would be tried again at exit, and might block it."""
        assert self.stream is not None  # noqa: S101 - put() saw to it
        try:
            descriptor = self.stream.fileno()
        except io.UnsupportedOperation:  # a stream in memory
            self.stream.write(data.decode(self._encoding))
            self.stream.flush()
            return
        while data:
            try:
                data = data[os.write(descriptor, data) :]
            except BlockingIOError:  # somebody who shares the terminal has set it so
                select.select([], [descriptor], [], _LONGEST_WAIT_S)
