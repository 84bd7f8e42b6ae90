"""What Graphite answered for an entry in, the series to judge out: as they came, divided, or held against earlier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphitepager.comparing import compared
from graphitepager.derived import Sourced
from graphitepager.errors import FetchError
from graphitepager.ratios import divided

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from graphitepager.rawdata import RawAnswer
    from graphitepager.rules import Entry, Query


def series_of(entry: Entry, answers: Mapping[Query, RawAnswer | FetchError], now: datetime) -> Sourced | FetchError:
    """Make the series of an entry from the answers to all of its queries; the first error is the entry's."""
    given: list[RawAnswer] = []
    for query in entry.queries:
        answer = answers[query]
        if isinstance(answer, FetchError):
            return answer
        given.append(answer)
    if entry.compare is None:
        return _of_one_time(entry, given)
    half = len(given) // 2
    earlier = _of_one_time(entry, given[half:])
    return compared(entry.judged, entry.compare, _of_one_time(entry, given[:half]), earlier, now)


def _of_one_time(entry: Entry, given: Sequence[RawAnswer]) -> Sourced:
    if entry.ratio is None:
        return Sourced(given[0], {})
    return divided(given[0].series, given[1].series, entry.query.target, entry.ratio)
