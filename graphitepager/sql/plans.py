"""Which columns of a query are what: the names of its rows, their values, their time."""

from __future__ import annotations

import re
from itertools import repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from graphitepager.problems import quote
from graphitepager.sql.names import checked_clean, checked_name, clean_node, clean_nodes, clean_tag_value, with_tags

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from graphitepager.sql.model import Query

Row = Any  # what drivers give: something to be indexed
_COLUMN = re.compile(r"\{([^{}]*)\}")
_NAME_AND_VALUE = 2
_WITH_TIMESTAMP = 3


class WrongColumnsError(Exception):
    """The query's columns are not those that it is to have; the text says which."""


class Name(NamedTuple):
    """Makes the name of a row, checked; and of many rows at once, still to be checked, where that is quicker.

    Both raise Refused.
    """

    of: Callable[[Row], str]
    of_all: Callable[[Sequence[Row]], Sequence[str]] | None = None


class Plan(NamedTuple):
    """Which columns are what: `values` are columns with what a name gets for each."""

    name: Name
    values: tuple[tuple[int, str], ...]
    timestamp: int | None


def columns_in(template: str) -> list[str]:
    """The columns that stand in braces."""
    return _COLUMN.findall(template)


def filled_in(template: str, word: str) -> str:
    """The template with the same word in place of each of its columns."""
    return _COLUMN.sub(word, template)


def planned(query: Query, columns: Sequence[str]) -> Plan:
    """Raises WrongColumnsError."""
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
        name = _by_column(_only(names, columns, "name")) if names else _always(query.name)
    return Plan(_whole(name, tags), values, at)


def _by_position(query: Query, rest: list[int], columns: Sequence[str], at: int | None, tags: dict[str, Name]) -> Plan:
    """Rows of (name, value[, timestamp]), or of the value alone, which goes under the query's own name."""
    if query.ignores_further_columns:
        rest = rest[:_NAME_AND_VALUE]
    elif len(rest) == _WITH_TIMESTAMP and at is None:
        at = rest.pop()
    if len(rest) == 1 and not query.ignores_further_columns:
        name, value = _always(query.name), rest[0]
    elif len(rest) == _NAME_AND_VALUE:
        name, value = _by_column(rest[0]), rest[1]
    else:
        raise WrongColumnsError(
            f"expected the columns name and value, got {_listed(columns)}; say with metric and values what they are"
        )
    return Plan(_whole(name, tags), ((value, ""),), at)


def _always(name: str) -> Name:
    return Name(lambda _row: name, lambda rows: [name] * len(rows))


def _by_column(number: int) -> Name:
    return Name(lambda row: checked_name(row[number]), lambda rows: list(map(itemgetter(number), rows)))


def _template(text: str, columns: Sequence[str], clean: Callable[[object], str]) -> Name:
    """What fills in a template: the literal parts, and between them the columns' values, cleaned."""
    # Literal text and columns take turns.
    parts = [_place(columns, part) if number % 2 else part for number, part in enumerate(_COLUMN.split(text))]

    def fill(row: Row) -> str:
        return checked_clean("".join([part if isinstance(part, str) else clean(row[part]) for part in parts]))

    def fill_all(rows: Sequence[Row]) -> Sequence[str]:
        texts = [
            repeat(part, len(rows)) if isinstance(part, str) else clean_nodes(list(map(itemgetter(part), rows)))
            for part in parts
        ]
        return list(map("".join, zip(*texts, strict=True)))

    return Name(fill, fill_all)


def _whole(name: Name, tags: dict[str, Name]) -> Name:
    """The name with its tags, if there are any."""
    if not tags:
        return name
    return Name(
        lambda row: checked_clean(with_tags(name.of(row), [(tag, value.of(row)) for tag, value in tags.items()]))
    )


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
