"""What an entry asks of Graphite, asked of another time: of longer ago, or as it was at a moment."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from graphitepager.durations import parse_offset

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from graphitepager.rules import Entry, Query


def over(entry: Entry, span: timedelta) -> Entry:
    """The entry asked for the last `span`, or for its window where that is longer; without its comparison.

    For what its series have been, not for what it says of them.
    """

    def asked(query: Query) -> Query:
        begin, end = parse_offset(query.from_), parse_offset(query.until or "now")
        if begin is None or end is None or begin <= end - span:
            return query
        return query._replace(from_=f"-{round((span - end).total_seconds())}s")

    return _with_queries(replace(entry, compare=None), asked)


def at(entry: Entry, moment: datetime) -> Entry:
    """The entry asked as if it were that moment; times that are not relative to now stay as they are."""

    def asked(query: Query) -> Query:
        return query._replace(from_=_absolute(query.from_, moment), until=_absolute(query.until or "now", moment))

    return _with_queries(entry, asked)


def _absolute(text: str, moment: datetime) -> str:
    offset = parse_offset(text)
    return text if offset is None else str(int((moment + offset).timestamp()))


def _with_queries(entry: Entry, asked: Callable[[Query], Query]) -> Entry:
    ratio, compare = entry.ratio, entry.compare
    return replace(
        entry,
        query=asked(entry.query),
        ratio=ratio and replace(ratio, to=asked(ratio.to)),
        compare=compare and replace(compare, queries=tuple(map(asked, compare.queries))),
    )
