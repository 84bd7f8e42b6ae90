"""`{env}` in the texts of an alert: where it stands, and what takes its place.

Only a name that is known counts, alone between single braces. Graphite's own lists `{a,b}` and Jinja's `{{ env }}` and
`{{env}}` are left as they are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from graphitepager.config.yamlsource import Node

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_IN_BRACES = re.compile(rf"(?<!\{{)\{{({NAME.pattern})\}}(?!\}})", re.ASCII)
_JINJA = re.compile(r"\{[{%]")


def substitute(node: Node, values: Mapping[str, Node]) -> Node:
    """A copy of the node with the values in the texts of it, and in those of all that it holds, but not in its keys.

    A text that is nothing but a name becomes its value together with the place of that, which is where to mend it.
    """
    if isinstance(node.data, str):
        return _in_text(node, node.data, values)
    if not values or not node.children:
        return node
    children = {}
    for key, (key_place, place, child) in node.children.items():
        replaced = substitute(child, values)
        children[key] = (key_place, place if replaced.place == child.place else replaced.place, replaced)
    inner = [child.data for _, _, child in children.values()]
    data = inner if isinstance(node.data, list) else dict(zip(map(str, children), inner, strict=True))
    return Node(node.place, data, children)


def _in_text(node: Node, text: str, values: Mapping[str, Node]) -> Node:
    whole = _IN_BRACES.fullmatch(text)
    if whole and whole[1] in values:
        return values[whole[1]]
    replaced = _IN_BRACES.sub(lambda found: str(values[found[1]].data) if found[1] in values else found[0], text)
    return node if replaced == text else Node(node.place, replaced)


def names_in(node: Node) -> Iterator[tuple[str, Node]]:
    """Every name between single braces, with the text that it stands in."""
    if isinstance(node.data, str):
        for found in _IN_BRACES.finditer(node.data):
            yield found[1], node
    for _, _, child in node.children.values():
        yield from names_in(child)


def words_of_templates(node: Node) -> Iterator[str]:
    """Every word in a text with Jinja in it, which may use a name without braces."""
    if isinstance(node.data, str) and _JINJA.search(node.data):
        yield from NAME.findall(node.data)
    for _, _, child in node.children.values():
        yield from words_of_templates(child)
