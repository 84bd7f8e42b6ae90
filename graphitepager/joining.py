"""Series of two targets that belong together: their names are taken apart into nodes, as aliasByNode sees them.

Source: graphite-web's render/functions.py, `aggKey` and `getNodeOrTag`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graphitepager.model import Series

# The functions that stand around a path in a name, such as scale(perSecond(servers.db1.x),100).
_CALLS = re.compile(r"(?:\s*[A-Za-z_]\w*\()*\s*")
# The path inside of them ends with the first argument; the commas in {a,b} are its own.
_PATH = re.compile(r"(?:[^\s,(){}]|\{[^{}]*\})*")


class MissingNodeError(Exception):
    """A series' name lacks a node; the text says which."""


class Joined(NamedTuple):
    """Series by the nodes that they have in common with others, and what is missing of the names that lack one."""

    by_key: dict[str, list[Series]]
    lacking: list[tuple[Series, str]]


def joined(series: Iterable[Series], by: Sequence[int | str] | None) -> Joined:
    """Group the series by their nodes. One that came twice, and is the same down to its points, counts once."""
    result = Joined({}, [])
    for one in dict.fromkeys(series):
        try:
            result.by_key.setdefault(key_of(one.name, by), []).append(one)
        except MissingNodeError as missing:
            result.lacking.append((one, str(missing)))
    return result


def key_of(name: str, by: Sequence[int | str] | None) -> str:
    """Join the nodes of a name, `db1` or `db1.shard2`; every one but the last where `by` is None.

    A number is a node, from the end where it is negative, and a text is the name of a tag. MissingNodeError where the
    name has no such node, or nothing in it.
    """
    path, *tags = path_of(name).split(";")
    nodes = path.split(".")
    if by is None:
        if len(nodes) == 1:
            raise MissingNodeError("one node only")
        return ".".join(nodes[:-1])
    values = dict(tag.split("=", 1) for tag in tags if "=" in tag)
    return ".".join(_node(nodes, values, each) for each in by)


def path_of(name: str) -> str:
    """The path in a name, with its tags: the first one where functions stand around it."""
    if not name.endswith(")"):
        return name
    calls = _CALLS.match(name)
    path = _PATH.match(name, calls.end() if calls else 0)
    return path[0] if path and path[0] else name


def _node(nodes: Sequence[str], tags: dict[str, str], wanted: int | str) -> str:
    if isinstance(wanted, str):
        found, what = tags.get(wanted), f"no tag {wanted}"
    else:
        found, what = nodes[wanted] if -len(nodes) <= wanted < len(nodes) else None, f"no node {wanted}"
    if not found:
        raise MissingNodeError(what)
    return found
