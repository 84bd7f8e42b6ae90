"""`${SLACK_OPS}` where notifiers, keys and webhooks stand: a variable of the environment takes its place."""

from __future__ import annotations

import re
from collections import ChainMap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from graphitepager.config.notifying import PLAIN_KEYS, NotifierKeys
from graphitepager.config.yamlsource import Document, Node, mapping
from graphitepager.problems import Problem, quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from graphitepager.config.yamlsource import Place

    Children = dict[str | int, tuple[Place, Place, Node]]

# For the whole file the environment has variables of its own. Behind each key what stands for what is not set.
_NO_KEY, _NO_URL = "0" * 32, "https://not-set.invalid"
_AT_LEVELS = {"pagerduty": _NO_KEY, "slack": _NO_URL}
_IN_ALERT = {"pagerduty_key": _NO_KEY, "slack_url": _NO_URL}
_REFERENCE = re.compile(r"\$(?P<escaped>\$(?=\{))|\$\{(?P<name>[^{}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
SCHEMA = {"type": "string", "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*\}"}

UNSET = "unset"


class UnsetKeys(NotifierKeys):
    """Stands for a notifier where there is no environment to fill it in, as in a repository; nothing is sent by it."""

    name: str

    def address(self) -> str:
        return self.name


@dataclass(slots=True)
class Borrowed:
    """The document with its references filled in, what is wrong with them, and the values, all of them secret."""

    document: Document
    problems: list[Problem] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)


def fill_in(document: Document, environ: Mapping[str, str], *, is_needed: bool) -> Borrowed:
    """Put the variables in their places.

    One that is not set is an error; unless the environment `is_needed`, a warning, and something stands for it.
    """
    work = _FillingIn(environ, is_needed=is_needed)
    root = document.root
    children = {key: (at, place, work.part(str(key), node)) for key, (at, place, node) in root.children.items()}
    filled = mapping(root.place, children)
    data = {str(key): child.data for key, (_, _, child) in children.items()}
    return Borrowed(Document(data, filled), work.problems, work.secrets)


def with_unset(kinds: Mapping[str, type[NotifierKeys]]) -> Mapping[str, type[NotifierKeys]]:
    """These kinds, and the one that stands for a notifier that cannot be filled in."""
    return ChainMap({UNSET: UnsetKeys}, kinds)  # type: ignore[arg-type]  # which of them are never changed


def is_reference(text: str) -> bool:
    """Whether it names a variable, and holds nothing that is secret itself."""
    found = _REFERENCE.fullmatch(text)
    return found is not None and _NAME.fullmatch(found["name"] or "") is not None


class _FillingIn:
    def __init__(self, environ: Mapping[str, str], *, is_needed: bool) -> None:
        self.problems: list[Problem] = []
        self.secrets: set[str] = set()
        self._environ = environ
        self._is_needed = is_needed

    def part(self, key: str, node: Node) -> Node:
        """One key of the file."""
        if key == "notifiers" and isinstance(node.data, dict):
            return _with(node, {name: self._notifier(str(name), one) for name, (_, _, one) in node.children.items()})
        if key in _AT_LEVELS:
            return self._keys(node, node.children.keys(), _AT_LEVELS[key])
        if key == "alerts" and isinstance(node.data, list):
            return _with(node, {n: self._alert(one) for n, (_, _, one) in node.children.items()})
        return node

    def _notifier(self, name: str, node: Node) -> Node:
        if not isinstance(node.data, dict):
            return node
        before = len(self.problems)
        filled = _with(node, {k: self._node(c) for k, (_, _, c) in node.children.items() if k not in PLAIN_KEYS})
        if self._is_needed or len(self.problems) == before:
            return filled
        said = {"type": Node(node.place, UNSET), "name": Node(node.place, name)}
        stand_in: Children = {key: (node.place, node.place, one) for key, one in said.items()}
        kept: Children = {key: part for key, part in node.children.items() if key in PLAIN_KEYS}
        return mapping(node.place, kept | stand_in)

    def _alert(self, node: Node) -> Node:
        for key, stand_in in _IN_ALERT.items():
            node = self._keys(node, [key], stand_in)
        return node

    def _keys(self, node: Node, keys: Iterable[str | int], stand_in: str) -> Node:
        """A mapping with whole secrets under these keys."""
        if not isinstance(node.data, dict):
            return node
        replaced = {}
        for key in [key for key in keys if key in node.children]:
            before = len(self.problems)
            filled = self._node(node.children[key][2])
            is_left_open = not self._is_needed and len(self.problems) > before
            replaced[key] = Node(filled.place, stand_in) if is_left_open else filled
        return _with(node, replaced)

    def _node(self, node: Node) -> Node:
        if isinstance(node.data, str):
            text = _REFERENCE.sub(lambda found: self._value(found, node), node.data)
            return node if text == node.data else Node(node.place, text)
        return _with(node, {key: self._node(child) for key, (_, _, child) in node.children.items()})

    def _value(self, found: re.Match[str], node: Node) -> str:
        if found["escaped"]:
            return "$"
        name = found["name"].strip()
        value = self._environ.get(name, "").strip()
        if not _NAME.fullmatch(name):
            self._report(node, f"expected the name of a variable in ${{…}}, got {quote(name)}", "$${ is a plain ${")
        elif not value:
            self._report(node, f"{name} is not set in the environment", f"export {name}=…", is_error=self._is_needed)
        self.secrets.update({value} if value else ())
        return value or found[0]

    def _report(self, node: Node, message: str, hint: str, *, is_error: bool = True) -> None:
        line, column, source = node.place
        problem = Problem(source=source, line=line, column=column, message=message, hint=hint, is_error=is_error)
        self.problems.append(problem)


def _with(node: Node, replaced: Mapping[str | int, Node]) -> Node:
    """The node with these instead of its own children."""
    if all(node.children[key][2] is child for key, child in replaced.items()):
        return node
    children = {key: (at, place, replaced.get(key, child)) for key, (at, place, child) in node.children.items()}
    if isinstance(node.data, list):
        return Node(node.place, [child.data for _, _, child in children.values()], children)
    return mapping(node.place, children)
