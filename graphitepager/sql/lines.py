"""Rows in, lines of Carbon's plaintext protocol out: only such as Carbon accepts and files where they belong."""

from __future__ import annotations

import re
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from graphitepager.problems import quote
from graphitepager.sql.model import NullPolicy, Query, Tally
from graphitepager.sql.names import (
    SELF,
    Refused,
    are_plain,
    checked_clean,
    checked_name,
    clean_node,
    clean_tag_value,
    with_tags,
)
from graphitepager.sql.values import plain_numbers, timestamp, value_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Row = Any  # what drivers give: something to be indexed
_COLUMN = re.compile(r"\{([^{}]*)\}")
_MOST_NAMED = 5
_NAME_AND_VALUE = 2
_WITH_TIMESTAMP = 3


class WrongColumnsError(Exception):
    """The query's columns are not those that it is to have; the text says which."""


class Lines(NamedTuple):
    """Lines, each with its newline; and what makes each unique in its run: its name, and its time if it has its own."""

    text: str
    keys: list[str]


class _Plan(NamedTuple):
    """Which columns are what: `name` makes a row's name, `values` are columns with what their name adds.

    `plain` are the columns of the name and of the value where there is nothing else to a row.
    """

    name: Callable[[Row], str]
    values: tuple[tuple[int, str], ...]
    timestamp: int | None
    plain: tuple[int, int] | None = None


class Renderer:
    """Makes lines of the rows of one query, and keeps the tally of what it refused."""

    def __init__(self, query: Query, columns: Sequence[str], *, prefix: str, now: int, tally: Tally) -> None:
        """`prefix` stands before every name, `now` (epoch seconds) is the run's time, `tally` is written to.

        Raises WrongColumnsError.
        """
        self._query = query
        self._plan = _planned(query, columns)
        self._front = f"{prefix}." if prefix else ""
        self._now = now
        self.tally = tally

    def render(self, rows: Sequence[Row]) -> Lines:
        """The lines of these rows. What cannot be sent is counted, and the first of it named."""
        return self._all_at_once(rows) or self._one_by_one(rows)

    def _all_at_once(self, rows: Sequence[Row]) -> Lines | None:
        """The lines of rows in which there is nothing to refuse, to clean or to convert: three times as fast."""
        if self._plan.plain is None or not rows:
            return None
        name, value = self._plan.plain
        names = list(map(itemgetter(name), rows))
        numbers = plain_numbers(list(map(itemgetter(value), rows)))
        if numbers is None or not are_plain(names):
            return None
        self.tally.rows += len(rows)
        self.tally.good_rows += len(rows)
        front, tail = self._front, f" {self._now}\n"
        text = f"{tail}{front}".join([f"{one} {number!r}" for one, number in zip(names, numbers, strict=True)])
        return Lines(f"{front}{text}{tail}", names)

    def _one_by_one(self, rows: Iterable[Row]) -> Lines:
        lines: list[str] = []
        keys: list[str] = []
        name_of, values, timestamp_column, _ = self._plan
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


def columns_in(template: str) -> list[str]:
    """The columns that stand in braces."""
    return _COLUMN.findall(template)


def filled_in(template: str, word: str) -> str:
    """The template with the same word in place of each of its columns."""
    return _COLUMN.sub(word, template)


def _planned(query: Query, columns: Sequence[str]) -> _Plan:
    at = _place(columns, query.timestamp) if query.timestamp else None
    tags = {tag: _template(text, columns, clean_tag_value) for tag, text in query.tags.items()}
    used = {at} | {
        _place(columns, one) for text in (query.metric or "", *query.tags.values()) for one in columns_in(text)
    }
    rest = [number for number in range(len(columns)) if number not in used]
    if query.values:
        values = tuple((_place(columns, one), f".{clean_node(one)}") for one in query.values)
    elif query.value or query.metric:
        values = ((_place(columns, query.value) if query.value else _only(rest, columns), ""),)
    else:
        return _by_position(query, rest, columns, at, tags)
    if query.metric:
        name = _template(query.metric, columns, clean_node)
    else:
        taken = {number for number, _ in values}
        names = [number for number in rest if number not in taken]
        name = _by_column(_only(names, columns, "name")) if names else lambda _row: query.name
    return _Plan(_whole(name, tags), values, at)


def _by_position(
    query: Query, rest: list[int], columns: Sequence[str], at: int | None, tags: dict[str, Callable[[Row], str]]
) -> _Plan:
    """Rows of (name, value[, timestamp]), or of the value alone, which goes under the query's own name."""
    if query.ignores_further_columns:
        rest = rest[:_NAME_AND_VALUE]
    elif len(rest) == _WITH_TIMESTAMP and at is None:
        at = rest.pop()
    if len(rest) == 1 and not query.ignores_further_columns:
        name, value = (lambda _row: query.name), rest[0]
    elif len(rest) == _NAME_AND_VALUE:
        name, value = _by_column(rest[0]), rest[1]
    else:
        raise WrongColumnsError(
            f"expected the columns name and value, got {_listed(columns)}; say with metric and values what they are"
        )
    plain = (rest[0], value) if len(rest) > 1 and not tags and at is None else None
    return _Plan(_whole(name, tags), ((value, ""),), at, plain)


def _by_column(number: int) -> Callable[[Row], str]:
    return lambda row: checked_name(row[number])


def _template(text: str, columns: Sequence[str], clean: Callable[[object], str]) -> Callable[[Row], str]:
    """What fills in a template: the literal parts, and between them the columns' values, cleaned."""
    # Literal text and columns take turns.
    parts = [_place(columns, part) if number % 2 else part for number, part in enumerate(_COLUMN.split(text))]

    def fill(row: Row) -> str:
        return checked_clean("".join([part if isinstance(part, str) else clean(row[part]) for part in parts]))

    return fill


def _whole(name: Callable[[Row], str], tags: dict[str, Callable[[Row], str]]) -> Callable[[Row], str]:
    """The name with its tags, if there are any."""
    if not tags:
        return name
    return lambda row: checked_clean(with_tags(name(row), [(tag, value(row)) for tag, value in tags.items()]))


def _place(columns: Sequence[str], name: str) -> int:
    """Where the column is. Databases differ in the case of names, so that counts only where it must."""
    for found in ([n for n, one in enumerate(columns) if one == name],
                  [n for n, one in enumerate(columns) if one.lower() == name.lower()]):  # fmt: skip
        if len(found) == 1:
            return found[0]
    problem = "more than one column" if found else "no column"
    raise WrongColumnsError(f"{problem} is called {quote(name)}, the columns are {_listed(columns)}")


def _only(numbers: list[int], columns: Sequence[str], what: str = "value") -> int:
    if len(numbers) == 1:
        return numbers[0]
    left = _listed([columns[number] for number in numbers])
    raise WrongColumnsError(f"which column is the {what}? Left are {left}: say it with value, values or metric")


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(quote(one)[1:-1] for one in columns) or "none"
