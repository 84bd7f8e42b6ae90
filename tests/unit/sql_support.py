"""Short ways to render rows and to read queries.yml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphitepager.errors import PagerError
from graphitepager.sql.lines import Renderer
from graphitepager.sql.model import Loaded, Query, Tally
from graphitepager.sql.queriesfile import load

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = 1_700_000_000


def query(**fields: Any) -> Query:
    return Query(**{"name": "q", "sql": "SELECT 1", "database": "main"} | fields)


def rendered(
    columns: Sequence[str], *rows: Sequence[Any], prefix: str = "db", **fields: Any
) -> tuple[list[str], Tally]:
    """The lines of these rows, without their newlines, and what was counted."""
    tally = Tally()
    text, keys = Renderer(query(**fields), columns, prefix=prefix, now=NOW, tally=tally).render(rows)
    *lines, rest = text.split("\n")
    assert (rest, len(lines)) == ("", len(keys))
    return lines, tally


def sent(*rows: Sequence[Any], **fields: Any) -> list[str]:
    """The lines of rows of (name, value), all of which must be sent."""
    lines, tally = rendered(("name", "value", "timestamp")[: len(rows[0])], *rows, **fields)
    assert tally.rejected == 0, tally.named
    return lines


def refused(*row: Any, **fields: Any) -> str:
    """Why nothing is sent of this row."""
    lines, tally = rendered(("name", "value", "timestamp")[: len(row)], row, **fields)
    assert lines == []
    assert tally.rejected == 1
    return tally.named[0]


def loaded(text: str, source: str = "queries.yml", **files: str) -> Loaded:
    """What a file holds, with others beside it."""

    def read(name: str) -> str:
        if name not in files:
            raise PagerError(f"{name}: no such file")
        return files[name]

    return load(text, source, read=read)
