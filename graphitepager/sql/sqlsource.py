"""queries.sql in, the same document as of a queries.yml out: `-- name: orders` begins a query, its keys follow.

Like this, a file can be tried in psql or mysql as it is:

    -- name: orders
    -- metric: orders.{status}
    SELECT status, count(*) FROM orders GROUP BY status;
"""

from __future__ import annotations

import re
from dataclasses import replace

from graphitepager.config import yamlsource
from graphitepager.config.yamlsource import Document, Node, Place, mapping
from graphitepager.problems import Problem

_HEADING = re.compile(r"--\s*(?P<key>[a-z_]+)\s*:(?:\s+(?P<value>.*?))?\s*")
_NAME = "name"
_HINT = "begin each query with a line -- name: orders"

_Children = dict[str | int, tuple[Place, Place, Node]]


def document_of(text: str, source: str) -> tuple[Document | None, list[Problem]]:
    """Read the text of the file that the user calls `source`; no document where there is no query in it."""
    problems: list[Problem] = []
    queries: _Children = {}
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")  # what else splitlines() splits at is SQL
    starts = [number for number, line in enumerate(lines) if _is_start(line)]
    before = next((n for n, line in enumerate(lines[: starts[0] if starts else None]) if _says_something(line)), None)
    if before is not None or not starts:
        message = "there is SQL before the first name" if starts else "there is no query in this file"
        return None, [Problem(source=source, line=(before or 0) + 1, column=1, message=message, hint=_HINT)]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        keys: _Children = {}
        body = start
        for body in range(start, end + 1):
            heading = _HEADING.fullmatch(lines[body]) if body < end else None
            if heading is None:
                break
            place = Place(body + 1, heading.start("key") + 1, source)
            keys[heading["key"]] = (place, place, _value(heading["value"] or "", place, problems))
        name = keys.pop(_NAME)
        sql = "\n".join(lines[body:end]).strip()
        at = Place(body + 1, 1, source)
        keys["sql"] = (at, at, Node(at, sql or None))
        if str(name[2].data) in queries:
            problems.append(
                Problem(source=source, line=start + 1, column=1, message=f"a second query {name[2].data!r}")
            )
        queries[str(name[2].data)] = (name[0], name[0], mapping(name[0], keys))
    top = Place(1, 1, source)
    root = mapping(top, {"queries": (top, top, mapping(top, queries))})
    return Document(root.data if isinstance(root.data, dict) else {}, root), problems


def _is_start(line: str) -> bool:
    heading = _HEADING.fullmatch(line)
    return heading is not None and heading["key"] == _NAME and bool(heading["value"])


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("--")


def _value(text: str, place: Place, problems: list[Problem]) -> Node:
    """The value of a key, as YAML would have it: `[n, total]`, `{min_rows: 1}` or plain text."""
    is_template = text.startswith("{") and ":" not in text
    if is_template or not text.startswith(("[", "{", '"', "'")):
        return Node(place, text or None)
    document, found = yamlsource.parse(f"value: {text}", place.source)
    problems += [replace(one, line=place.line, column=place.column) for one in found]
    return _moved(document.root.children["value"][2], place) if document else Node(place, None)


def _moved(node: Node, place: Place) -> Node:
    """The same value, as if all of it stood there."""
    return Node(
        place, node.data, {key: (place, place, _moved(child, place)) for key, (_, _, child) in node.children.items()}
    )
