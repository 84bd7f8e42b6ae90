"""Every series of an alert with its state, the worst first: what the page of an alert lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from graphitepager.model import SeriesKey
from graphitepager.overview import Section

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from graphitepager.overview import Row

_WORST = tuple(Section)


class Member(NamedTuple):
    """A series, or the alert as a whole; `row` is None where it is fine."""

    key: SeriesKey
    row: Row | None

    @property
    def state(self) -> str:
        """The word by which it is filtered: a section's, or `ok`."""
        return self.row.section.value if self.row else "ok"


def members(alert: str, names: Iterable[str], rows: Sequence[Row]) -> list[Member]:
    """All of them: by `rows`, of which a series may have several, then those that are fine, by name."""
    worst: dict[str, Row] = {}
    for row in sorted(rows, key=lambda one: (_WORST.index(one.section), one.rank)):
        worst.setdefault(row.key.series, row)
    fine = sorted(set(names) - worst.keys())
    return [
        *(Member(row.key, row) for row in worst.values()),
        *(Member(SeriesKey(alert, name), None) for name in fine),
    ]


def fitting(everyone: Sequence[Member], text: str, state: str) -> list[Member]:
    """Those whose names hold every word of the text, in this state; `not-ok` stands for every other one than ok."""
    words = text.casefold().split()
    return [
        one
        for one in everyone
        if (not state or one.state == state or (state == "not-ok" and one.row is not None))
        and all(word in one.key.words[1].casefold() for word in words)
    ]


def counted(everyone: Collection[Member]) -> dict[str, int]:
    """How many there are in each state that any of them is in, the worst first."""
    counts = dict.fromkeys((*(section.value for section in _WORST), "ok"), 0)
    for one in everyone:
        counts[one.state] += 1
    return {state: count for state, count in counts.items() if count}
