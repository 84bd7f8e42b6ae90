"""The names in an answer, which are mostly those of the answer before: what they mean is found out once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphitepager.rules import Entry
    from graphitepager.selection import Names

_NONE: frozenset[str] = frozenset()


class Claim(NamedTuple):
    """What an entry makes of names: those whose series are its own, that it excludes, and that it leaves to others."""

    own: frozenset[str]
    excluded: frozenset[str] = _NONE
    left_out: frozenset[str] = _NONE

    def without(self, names: frozenset[str]) -> Claim:
        return Claim(self.own - names, self.excluded - names, self.left_out - names)


class Roll:
    """The names of all series of an answer, in order.

    `joined` holds the bytes of each, ended by a newline, which no name can hold. `distinct` holds each once; with
    `has_twins`, some come more than once.
    """

    __slots__ = ("_claims", "distinct", "has_twins", "joined")

    def __init__(self, joined: bytes) -> None:
        self.joined = joined
        texts = self.texts()
        self.distinct = frozenset(texts)
        self.has_twins = len(self.distinct) < len(texts)
        self._claims: dict[tuple[Names | None, Names], Claim] = {}

    @classmethod
    def of(cls, names: Iterable[bytes], before: Roll | None = None) -> Roll:
        """Call the roll: the one `before`, where the names are the same."""
        joined = b"\n".join((*names, b""))
        return before if before is not None and before.joined == joined else cls(joined)

    def __len__(self) -> int:
        return self.joined.count(b"\n")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Roll) and other.joined == self.joined

    def __hash__(self) -> int:
        return hash(self.joined)

    def texts(self) -> list[str]:
        """The names as text; bytes that are no UTF-8 stay recognisable."""
        return self.joined.decode("utf-8", "backslashreplace").split("\n")[:-1]

    def claim(self, entry: Entry) -> Claim:
        """What an entry makes of these names, as if there were no other."""
        selection = entry.include, entry.exclude
        if selection not in self._claims:
            self._claims[selection] = self._claimed(entry)
        return self._claims[selection]

    def _claimed(self, entry: Entry) -> Claim:
        taken = self.distinct if entry.include is None else frozenset(filter(entry.include.__contains__, self.distinct))
        excluded = frozenset(filter(entry.exclude.__contains__, taken))
        return Claim(taken - excluded if excluded else taken, excluded, self.distinct - taken)
