"""YAML text in; plain data that remembers its places out, with everything that is wrong as YAML.

Every plain scalar stays text exactly as written, and the schema decides what it means. So none of YAML 1.1's traps
can snap: `on`, `22:00`, `1e3` and a key of digits with an `e` in it are what their author wrote. Only an empty
value, `~` and `null` mean "nothing".

The text is read as a stream of events rather than composed by PyYAML, because only the events know where an alias
stands, and because reading can go on after a duplicate key or an unknown anchor.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import yaml
from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from graphitepager.config.yamlerrors import explain
from graphitepager.problems import LINE_BREAK, Problem, quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from yaml.events import Event

Data = str | None | list["Data"] | dict[str, "Data"]
Path = tuple[str | int, ...]

MINIMAL_FILE = "alerts: [{name: Load, target: servers.*.loadavg, warning: 5, critical: 10}]"

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's is ten times as fast, but not built everywhere
_UNREADABLE = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_MERGE = "<<"
_TAG_PREFIX = "tag:yaml.org,2002:"
_PLAIN_TAGS = {"!", *(_TAG_PREFIX + kind for kind in ("str", "int", "float", "bool", "null", "seq", "map"))}
_DEEPEST = 50
_MOST_UNREADABLE = 10


class Place(NamedTuple):
    """Where something stands in the file that the user calls `source`; both count from 1, columns in characters."""

    line: int
    column: int
    source: str


@dataclass(slots=True)
class Node:
    """A value and where it was written. `children` hold the places: of a key and its value, or of an item.

    Nodes are shared, by aliases and by what is made of them later: once read, none of them is changed.
    """

    place: Place
    data: Data
    children: dict[str | int, tuple[Place, Place, Node]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data (text, None, lists, mappings with text keys) and the places it came from."""

    data: dict[str, Data]
    root: Node

    def place(self, path: Path) -> Place:
        """Where the value at the path stands, or the nearest thing around it that exists."""
        return self._walk(path)[1]

    def key_place(self, path: Path) -> Place:
        """Where the key of that value stands; an item of a list is its own key."""
        return self._walk(path)[0]

    def _walk(self, path: Path) -> tuple[Place, Place]:
        key_place = place = self.root.place
        node = self.root
        for step in path:
            if step == 0 and not isinstance(node.data, list):
                continue  # a single item, written without its list
            if step not in node.children:
                break
            key_place, place, node = node.children[step]
        return key_place, place


def parse(
    text: str, source: str, *, top: str = "alerts", minimal: str = MINIMAL_FILE
) -> tuple[Document | None, list[Problem]]:
    """Read the text (without a byte order mark) of the file that the user calls `source`.

    The document is None where nothing in it can be trusted; where it is given, problems may still come with it. `top`
    is the key that such a file must have, `minimal` the least that one can be.
    """
    unreadable = list(islice(_unreadable_characters(text, source), _MOST_UNREADABLE))
    if unreadable:
        return None, unreadable
    reader = _Reader(yaml.parse(text, Loader=_LOADER), source)
    try:
        root = reader.read_file()
    except yaml.MarkedYAMLError as error:
        line, column, message, hint = explain(error, text)
        reader.report(Place(line, column, source), message, hint)
        return None, reader.problems
    if root.data is None:
        message = "there is nothing in this file"
        return None, [Problem(source=source, message=message, hint=f"the least that works is {minimal}")]
    if not isinstance(root.data, dict):
        hint = f"write the line {top}: above it" if isinstance(root.data, list) else f"for example {minimal}"
        reader.report(root.place, f"expected the key '{top}' at the top, got {kind_of(root.data)}", hint)
        return None, reader.problems
    return Document(root.data, root), reader.problems


def mapping(place: Place, children: dict[str | int, tuple[Place, Place, Node]]) -> Node:
    """A mapping made of parts that were read elsewhere, as if it had been written at the place."""
    return Node(place, {str(key): child.data for key, (_, _, child) in children.items()}, children)


def sequence(place: Place, items: list[Node]) -> Node:
    """The same for a list."""
    return Node(
        place, [item.data for item in items], {i: (item.place, item.place, item) for i, item in enumerate(items)}
    )


def describe(data: object) -> str:
    """What somebody wrote, for `expected …, got …`: a text is quoted."""
    return quote(data) if isinstance(data, str) and data else kind_of(data)


def kind_of(data: object) -> str:
    """The shape of what somebody wrote; says nothing of a text, which may be a whole line with a secret in it."""
    if data is None or data == "":
        return "nothing"
    if isinstance(data, str):
        return "a text"
    if isinstance(data, list):
        return "a list" if data else "an empty list"
    return "a mapping"


def _unreadable_characters(text: str, source: str) -> Iterator[Problem]:
    """The first character of each line that YAML forbids."""
    for number, line in enumerate(LINE_BREAK.split(text), start=1):
        if found := _UNREADABLE.search(line):
            yield Problem(
                source=source,
                line=number,
                column=found.start() + 1,
                message=f"the character U+{ord(found[0]):04X} is not allowed in YAML",
                hint="delete it, or save the file as UTF-8",
            )


class _Reader:
    """Owns the stream of events, the anchors seen so far and the problems found on the way."""

    def __init__(self, events: Iterator[Event], source: str) -> None:
        self.problems: list[Problem] = []
        self._events = events
        self._source = source
        self._anchors: dict[str, Node] = {}
        self._open: list[Node] = []

    def report(self, place: Place, message: str, hint: str | None = None) -> None:
        line, column, source = place
        self.problems.append(Problem(source=source, line=line, column=column, message=message, hint=hint))

    def _place(self, event: Event) -> Place:
        mark = event.start_mark
        return Place(mark.line + 1, mark.column + 1, self._source) if mark else Place(1, 1, self._source)

    def read_file(self) -> Node:
        """The only document's root; YAMLError where the text is no YAML."""
        next(self._events)  # the stream starts
        start = next(self._events)
        if isinstance(start, StreamEndEvent):
            return Node(self._place(start), None)
        _, root = self._read(next(self._events))
        next(self._events)  # the document ends
        after = next(self._events)
        if not isinstance(after, StreamEndEvent):
            self.report(
                self._place(after), "a second document begins here, and only one is read", "delete the line ---"
            )
        return root

    def _read(self, event: Event) -> tuple[Place, Node]:
        """The node that begins with the event, and the place it is used at (an alias stands where it is written)."""
        place = self._place(event)
        if isinstance(event, AliasEvent):
            return place, self._aliased(event.anchor or "", place)
        if isinstance(event, ScalarEvent):
            node = Node(place, _scalar(event))
            self._note(event.tag, event.anchor, node)
            return place, node
        if not isinstance(event, CollectionStartEvent):
            raise TypeError(event)
        node = Node(place, None)
        self._note(event.tag, event.anchor, node)
        if len(self._open) == _DEEPEST:
            # The stubs do not know that libyaml's marks are as good as any.
            raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=event.start_mark)  # type: ignore[arg-type]
        self._open.append(node)
        if isinstance(event, MappingStartEvent):
            self._fill_mapping(node)
        else:
            self._fill_sequence(node)
        self._open.pop()
        return place, node

    def _note(self, tag: str | None, anchor: str | None, node: Node) -> None:
        if tag is not None and tag not in _PLAIN_TAGS:
            name = tag.replace(_TAG_PREFIX, "!!")
            hint = "put it in quotes, as in '!= 0'" if name == "!=" else "delete it: no value here needs a tag"
            self.report(node.place, f"the tag {quote(name)} is not known", hint)
        if anchor is not None:
            self._anchors[anchor] = node

    def _aliased(self, anchor: str, place: Place) -> Node:
        node = self._anchors.get(anchor)
        if node is None:
            hint = "a text that begins with * must stand in quotes"
            self.report(place, f"nothing above is marked &{quote(anchor)[1:-1]}", hint)
        elif any(node is around for around in self._open):
            self.report(place, "this alias contains itself")
        else:
            return node
        return Node(place, None)

    def _fill_sequence(self, node: Node) -> None:
        items: list[Data] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            place, item = self._read(event)
            node.children[len(items)] = (place, place, item)
            items.append(item.data)
        node.data = items

    def _fill_mapping(self, node: Node) -> None:
        own = node.children
        merged: dict[str | int, tuple[Place, Place, Node]] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            key_place, key_node = self._read(event)
            value_place, value = self._read(next(self._events))
            key = event.value if isinstance(event, ScalarEvent) else key_node.data
            if isinstance(event, ScalarEvent) and key == _MERGE and event.implicit[0]:
                merged |= self._merged(value, value_place)
            elif not isinstance(key, str):
                hint = "put a text that begins with {{ in quotes" if isinstance(key, dict) else None
                self.report(key_place, f"expected a name as key, got {kind_of(key)}", hint)
            elif key in own:
                self.report(
                    key_place, f"the key {quote(key)} is already on line {own[key][0].line}", "keep one of them"
                )
            else:
                own[key] = (key_place, value_place, value)
        node.children = merged | own
        node.data = mapping(node.place, node.children).data

    def _merged(self, node: Node, place: Place) -> dict[str | int, tuple[Place, Place, Node]]:
        """The fields that `<<` takes over; of several mappings, the earlier one wins."""
        if isinstance(node.data, dict):
            return node.children
        parts = [child for _, _, child in node.children.values()]
        if not isinstance(node.data, list) or not all(isinstance(part.data, dict) for part in parts):
            self.report(place, "<< takes over the keys of a mapping, and this is none", "write <<: *name")
            return {}
        fields: dict[str | int, tuple[Place, Place, Node]] = {}
        for part in reversed(parts):
            fields |= part.children
        return fields


def _scalar(event: ScalarEvent) -> str | None:
    is_null = event.tag == _TAG_PREFIX + "null" or (event.implicit[0] and event.value in _NULLS)
    return None if is_null else event.value
