"""Rows in, lines of Carbon's plaintext protocol out: only such as Carbon accepts and files where they belong."""

from __future__ import annotations

from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from graphitepager.problems import quote
from graphitepager.sql.model import NullPolicy, Query, Tally
from graphitepager.sql.names import SELF, Refused, are_plain
from graphitepager.sql.plans import planned
from graphitepager.sql.values import plain_numbers, plain_timestamps, timestamp, value_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graphitepager.sql.plans import Row

_MOST_NAMED = 5


class Lines(NamedTuple):
    """Lines, each with its newline; and what makes each unique in its run: its name, and its time if it has its own."""

    text: str
    keys: Sequence[str]


class Renderer:
    """Makes lines of the rows of one query, and keeps the tally of what it refused."""

    def __init__(self, query: Query, columns: Sequence[str], *, prefix: str, now: int, tally: Tally) -> None:
        """`prefix` stands before every name, `now` (epoch seconds) is the run's time, `tally` is written to.

        Raises WrongColumnsError.
        """
        self._query = query
        self._plan = planned(query, columns)
        self._front = f"{prefix}." if prefix else ""
        self._now = now
        self.tally = tally

    def render(self, rows: Sequence[Row]) -> Lines:
        """The lines of these rows. What cannot be sent is counted, and the first of it named."""
        return self._all_at_once(rows) or self._one_by_one(rows)

    def _all_at_once(self, rows: Sequence[Row]) -> Lines | None:
        """The lines of rows in which there is nothing to refuse: twice as fast. None in doubt."""
        plan, now = self._plan, self._now
        if plan.name.of_all is None or not rows:
            return None
        try:
            names = plan.name.of_all(rows)
        except Refused:
            return None
        if not are_plain(names):
            return None
        times: Sequence[int] | None = None
        if plan.timestamp is not None:
            times = plain_timestamps(_column(rows, plan.timestamp), now, self._query.max_age_s)
            if times is None:
                return None
        keys: list[Sequence[str]] = []
        texts: list[Sequence[str]] = []
        for column, added in plan.values:
            numbers = plain_numbers(_column(rows, column))
            if numbers is None:
                return None
            full = [name + added for name in names] if added else names
            keys.append(full)
            texts.append([f"{name} {number!r}" for name, number in zip(full, numbers, strict=True)])
        self.tally.rows += len(rows)
        self.tally.good_rows += len(rows)
        return self._joined(_row_by_row(keys), _row_by_row(texts), times)

    def _joined(self, keys: Sequence[str], texts: Sequence[str], times: Sequence[int] | None) -> Lines:
        """Lines of names with values; each of the times counts for the same number of them."""
        front, end = self._front, "\n"
        if times is None:
            end = f" {self._now}\n"
        else:
            each = [at for at in times for _ in range(len(texts) // len(times))]
            texts = [f"{text} {at}" for text, at in zip(texts, each, strict=True)]
            keys = [key if at == self._now else f"{key} {at}" for key, at in zip(keys, each, strict=True)]
        return Lines(f"{front}{f'{end}{front}'.join(texts)}{end}", keys)

    def _one_by_one(self, rows: Iterable[Row]) -> Lines:
        lines: list[str] = []
        keys: list[str] = []
        (name_of, _), values, timestamp_column = self._plan
        query, tally, front, now = self._query, self.tally, self._front, self._now
        suffix = f" {now}\n"
        row_number = tally.rows
        made = 0
        for row in rows:
            row_number += 1
            try:
                name = name_of(row)
                at = now if timestamp_column is None else timestamp(row[timestamp_column], now, query.max_age_s)
            except Refused as refused:
                self._reject(row_number, refused)
                continue
            tail = suffix if at == now else f" {at}\n"
            for column, added in values:
                full = name if not added else _longer(name, added)
                value = row[column]
                if value is None and query.null is not NullPolicy.ERROR:
                    tally.nulls += 1
                    if query.null is NullPolicy.SKIP:
                        continue
                    value = 0
                try:
                    text = value_text(value)
                except Refused as refused:
                    self._reject(row_number, refused, full)
                    continue
                lines.append(f"{front}{full} {text}{tail}")
                keys.append(full if at == now else full + tail[:-1])
            if len(lines) > made:
                made = len(lines)
                tally.good_rows += 1
        tally.rows = row_number
        return Lines("".join(lines), keys)

    def _reject(self, row_number: int, refused: Refused, name: str = "") -> None:
        self.tally.rejected += 1
        if len(self.tally.named) < _MOST_NAMED:
            place = f"row {row_number}" + (f", {quote(name)[1:-1]}" if name else "")
            self.tally.named.append(f"{place}: {refused}")


def _column(rows: Sequence[Row], number: int) -> list[object]:
    return list(map(itemgetter(number), rows))


def _row_by_row(columns: Sequence[Sequence[str]]) -> Sequence[str]:
    """The texts of columns in the order of rows."""
    return columns[0] if len(columns) == 1 else list(chain.from_iterable(zip(*columns, strict=True)))


def _longer(name: str, added: str) -> str:
    """The name with one more node, which stands before its tags."""
    path, semicolon, tags = name.partition(";")
    return f"{path}{added}{semicolon}{tags}"


def key_of(line: str, prefix: str, now: int) -> str:
    """The key that `Lines` has for this line."""
    name, _, rest = line[len(prefix) + 1 if prefix else 0 : -1].partition(" ")
    at = rest[rest.index(" ") + 1 :]
    return name if at == str(now) else f"{name} {at}"


def self_metrics(query: str, tally: Tally, *, prefix: str, now: int) -> list[str]:
    """What a run says of one of its queries."""
    front = f"{prefix}." if prefix else ""
    values = {
        "ok": int(tally.is_ok), "rows": tally.rows, "rejected": tally.rejected, "seconds": round(tally.seconds, 3),
    }  # fmt: skip
    return [f"{front}{SELF}.{query}.{name} {value} {now}\n" for name, value in values.items()]


def finished(*, prefix: str, now: int) -> str:
    """The last line of a run in which all went well. Its value tells it from that of any other run."""
    return f"{prefix}." * bool(prefix) + f"{SELF}.finished {now} {now}\n"
