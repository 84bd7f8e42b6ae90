"""A run's lines, on disk until all of them are there: what is sent can be sent again, and what failed taken back."""

from __future__ import annotations

import contextlib
import tempfile
from array import array
from collections import Counter
from typing import IO, TYPE_CHECKING, NamedTuple

from graphitepager.errors import PagerError
from graphitepager.sql.lines import key_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    from graphitepager.sql.lines import Lines

BATCH_BYTES = 64 * 1024
# A set of a million names takes 150 MB. Hashes of 40 bits, eight of which choose the bucket, take 4, and what looks
# alike in them is looked at again.
_BUCKETS = 256
_MASK = 0xFFFFFFFF


class Part(NamedTuple):
    """Where the lines of one query begin and end."""

    query: str
    start: int
    end: int


class Spool:
    """A file without a name, which goes with the process."""

    def __init__(self, *, prefix: str, now: int) -> None:
        """`prefix` and `now` are those of the lines: by them their keys are found again."""
        self._file = _nameless()
        self._prefix = prefix
        self._now = now
        self._parts: list[Part] = []
        self._hashes = [array("I") for _ in range(_BUCKETS)]
        self.count = 0

    def add(self, lines: Lines) -> None:
        """Put lines behind the others."""
        self.add_plain(lines.lines)
        append = [bucket.append for bucket in self._hashes]
        for number in map(hash, lines.keys):
            append[number & 255](number >> 8 & _MASK)

    def add_plain(self, lines: list[str]) -> None:
        """The same for lines of our own, whose names occur once."""
        with _explained():
            self._file.write("".join(lines).encode())
        self.count += len(lines)

    def mark(self) -> tuple[int, int]:
        """Where the next line will stand."""
        return self._file.tell(), self.count

    def keep(self, query: str, mark: tuple[int, int]) -> None:
        """All since the mark is the query's."""
        self._parts.append(Part(query, mark[0], self._file.tell()))

    def take_back(self, mark: tuple[int, int]) -> None:
        """Forget all since the mark."""
        self._file.seek(mark[0])
        self._file.truncate()
        self.count = mark[1]

    def drop_repeated(self) -> Iterator[tuple[str, str]]:
        """Drop each line whose name and time an earlier one has, and yield its query and key.

        Carbon would keep one of the two, without a word.
        """
        suspects = self._suspects()
        if not suspects:
            return
        parts, old = self._parts, self._file
        self._file, self._parts, self.count = _nameless(), [], 0
        seen: set[str] = set()
        with old:
            for part in parts:
                mark = self.mark()
                old.seek(part.start)
                position = part.start
                while position < part.end:
                    line = old.readline()
                    position += len(line)
                    key = key_of(line.decode(), self._prefix, self._now)
                    if hash(key) & (_MASK << 8 | 255) in suspects:
                        if key in seen:
                            yield part.query, key
                            continue
                        seen.add(key)
                    with _explained():
                        self._file.write(line)
                    self.count += 1
                self.keep(part.query, mark)

    def _suspects(self) -> set[int]:
        """The hashes that occur more than once."""
        found: set[int] = set()
        for low, bucket in enumerate(self._hashes):
            if len(set(bucket)) < len(bucket):
                found.update(number << 8 | low for number, times in Counter(bucket).items() if times > 1)
        return found

    def batches(self) -> Iterator[bytes]:
        """Everything, from the beginning, in pieces of whole lines of about 64 KiB."""
        with _explained():
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


def _nameless() -> IO[bytes]:
    with _explained():
        return tempfile.TemporaryFile(prefix="sql-to-graphite-")


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = (error.strerror or "no such file").lower()
        raise PagerError(f"the temporary folder: {reason}; free some space, or set TMPDIR to another one") from None
