"""The interface of the original sql-to-graphite: queries on standard input, one on each line."""

from __future__ import annotations

from graphitepager.sql.model import Query

VARIABLE = "S2G_DSN"
DATABASE = "main"


def queries_of(text: str) -> tuple[Query, ...]:
    """A query for each line that holds one; column 1 is the name, column 2 the value, further ones are ignored."""
    return tuple(
        Query(name=f"line_{number}", sql=line.strip(), database=DATABASE, ignores_further_columns=True)
        # Only a newline ends a line: str.splitlines() knows others, which may stand in a query.
        for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1)
        if line.strip() and not line.lstrip().startswith(("--", "#"))
    )
