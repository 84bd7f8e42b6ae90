"""The keys of a run as hashes, to find those that came twice: a set of a million names would take 150 MB.

Of 64 bits, so that no two keys of a million look alike: an alarm means that everything is read once more.
"""

from __future__ import annotations

from array import array
from collections import Counter
from typing import TYPE_CHECKING

from graphitepager.sql.scratch import explained, nameless

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BUCKETS = 256  # by the lowest byte
# Of eight bytes each: beyond that many in memory they wait on disk, however many rows there are.
_MOST_HELD = 1 << 18
# A set of so many, and of the keys that have them, takes some 15 MB.
_MOST_AT_ONCE = 1 << 16


class Hashes:
    """Every key's hash, of which the newest are in memory."""

    def __init__(self) -> None:
        self._file = nameless()
        self._held = [array("q") for _ in range(_BUCKETS)]
        self._on_disk: list[list[tuple[int, int]]] = [[] for _ in range(_BUCKETS)]  # where, how many

    def close(self) -> None:
        self._file.close()

    def add(self, keys: Iterable[str]) -> None:
        """Remember these."""
        append = [bucket.append for bucket in self._held]
        for number in map(hash, keys):
            append[number & 255](number)
        if sum(map(len, self._held)) > _MOST_HELD:
            self._put_on_disk()

    def repeated(self) -> Iterator[set[int]]:
        """The hashes that occur more than once, in sets that a process can hold."""
        found: set[int] = set()
        for bucket, places in zip(self._held, self._on_disk, strict=True):
            numbers = bucket[:]
            for place, count in places:
                with explained():
                    self._file.seek(place)
                    numbers.fromfile(self._file, count)
            if len(set(numbers)) < len(numbers):
                found.update(number for number, times in Counter(numbers).items() if times > 1)
            if len(found) >= _MOST_AT_ONCE:
                yield found
                found = set()
        if found:
            yield found

    def _put_on_disk(self) -> None:
        with explained():
            place = self._file.seek(0, 2)
            for bucket, places in zip(self._held, self._on_disk, strict=True):
                bucket.tofile(self._file)
                places.append((place, len(bucket)))
                place += len(bucket) * bucket.itemsize
                del bucket[:]
