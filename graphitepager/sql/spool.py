"""A run's lines, on disk until all of them are there: what is sent can be sent again, and what failed taken back."""

from __future__ import annotations

import contextlib
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from graphitepager.sql.hashes import Hashes
from graphitepager.sql.lines import key_of
from graphitepager.sql.scratch import explained, nameless

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    from graphitepager.sql.lines import Lines

BATCH_BYTES = 64 * 1024


class Part(NamedTuple):
    """Where the lines of one query begin, and how many there are."""

    query: str
    start: int
    lines: int


class Spool:
    """A file without a name, which goes with the process."""

    def __init__(self, *, prefix: str, now: int) -> None:
        """`prefix` and `now` are those of the lines: by them their keys are found again."""
        self._file = nameless()
        self._prefix = prefix
        self._now = now
        self._parts: list[Part] = []
        self._hashes = Hashes()
        self.count = 0

    def add(self, lines: Lines) -> None:
        """Put lines behind the others."""
        self._write(lines.text, len(lines.keys))
        self._hashes.add(lines.keys)

    def add_plain(self, lines: list[str]) -> None:
        """The same for lines of our own, whose names occur once."""
        self._write("".join(lines), len(lines))

    def _write(self, text: str, count: int) -> None:
        with explained():
            self._file.write(text.encode())
        self.count += count

    def mark(self) -> tuple[int, int]:
        """Where the next line will stand."""
        return self._file.tell(), self.count

    def keep(self, query: str, mark: tuple[int, int]) -> None:
        """All since the mark is the query's."""
        self._parts.append(Part(query, mark[0], self.count - mark[1]))

    def take_back(self, mark: tuple[int, int]) -> None:
        """Forget all since the mark."""
        self._file.seek(mark[0])
        self._file.truncate()
        self.count = mark[1]

    def drop_repeated(self) -> Iterator[tuple[str, str]]:
        """Drop each line whose name and time an earlier one has, and yield its query and key.

        Carbon would keep one of the two, without a word.
        """
        for suspects in self._hashes.repeated():
            yield from self._drop(suspects)

    def _drop(self, suspects: set[int]) -> Iterator[tuple[str, str]]:
        """Copy all but the lines that are repeated among those whose keys have these hashes."""
        parts, old = self._parts, self._file
        self._file, self._parts, self.count = nameless(), [], 0
        seen: set[str] = set()
        with old, explained():
            for part in parts:
                mark = self.mark()
                old.seek(part.start)
                for line in islice(old, part.lines):
                    key = key_of(line.decode(), self._prefix, self._now)
                    if hash(key) in suspects:
                        if key in seen:
                            yield part.query, key
                            continue
                        seen.add(key)
                    self._file.write(line)
                    self.count += 1
                self.keep(part.query, mark)

    def batches(self) -> Iterator[bytes]:
        """Everything, from the beginning, in pieces of whole lines of about 64 KiB."""
        with explained():
            self._file.seek(0)  # which writes what is still in the buffer
        rest = b""
        while piece := self._file.read(BATCH_BYTES - len(rest)):
            cut = piece.rfind(b"\n") + 1
            if cut:
                yield rest + piece[:cut]
                rest = piece[cut:]
            else:
                rest += piece

    def last_line(self) -> str:
        """The line that a receiver gets last."""
        last = b""
        for last in self.batches():  # noqa: B007 - the last one is wanted
            pass
        return last.splitlines()[-1].decode()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):  # nobody wants any more what a full disk did not take
            self._file.close()
            self._hashes.close()
