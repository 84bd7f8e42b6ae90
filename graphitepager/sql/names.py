"""Names of metrics that Carbon stores where they belong, and that Graphite can be asked for.

Carbon itself takes nearly everything: white space has it ignore the line, a newline makes a forged one, `/` and `..`
lead to another metric's file, a node that is too long or holds a NUL is lost when its file is made.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from graphitepager import metricnames
from graphitepager.problems import quote

if TYPE_CHECKING:
    from collections.abc import Sequence

# What stands before all that a run says of itself: a row that could say it would hide that a query fails.
SELF = "sql_to_graphite"
_OF_THE_RUN = f"{SELF}."
# Printable, and without a meaning of its own in a path, in a target or in Carbon's line. ASCII, because Carbon takes
# more, but graphite-web's targets do not.
_CHARACTER = r"[A-Za-z0-9_:%@#$&+~^!<>=-]"
_NAME = re.compile(rf"{_CHARACTER}++(?:\.{_CHARACTER}++)*+")
_ODD = re.compile(r"[^A-Za-z0-9_:%@#$&+~^!<>=.-]")
_PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_:%@#$&+~^!<>=-"
# What each byte of a name is: a part of a node, an end of one (the names themselves are put between newlines), or odd.
_SHAPES = bytes(ord("a" if byte in _PLAIN else "." if byte in b".\n" else "?") for byte in range(256))
_NODE = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
_NOT_IN_TAG_VALUE = re.compile(r"[^A-Za-z0-9_:@+.-]+")
_TAG = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
# With `.wsp` behind it, a node is the name of a file: 255 bytes is what file systems take.
_LONGEST_NODE = 250
# Carbon drops a connection at a line of 16 KiB; a path of 4096 bytes, with the storage's folder, is the file system's.
_LONGEST_NAME = 2000


class Refused(ValueError):  # noqa: N818 - an outcome that is counted, not an error that ends anything
    """Carbon would lose or misplace this; the text says why, and what to do."""


def checked_name(name: object) -> str:
    """A whole name, with tags or without, as it may be sent; Refused where Carbon would not file it correctly."""
    if type(name) is str and len(name) <= _LONGEST_NODE and _NAME.fullmatch(name):
        return _not_of_the_run(name)
    if type(name) is int:  # such as a user's number, which the original sent
        name = str(name)
    if not isinstance(name, str):
        kind = "NULL" if name is None else type(name).__name__
        raise Refused(f"the name is no text but {kind}")
    path, *tags = name.split(";")
    _check_path(path)
    if tags:
        path = with_tags(path, [_checked_tag(name, tag) for tag in tags])
    return _checked_length(_not_of_the_run(path))


def are_plain(names: Sequence[object]) -> bool:
    """Whether all may be sent as they are. Says no in doubt: it looks at all of them at once, which is quick."""
    try:
        text = "\n".join(names).encode("ascii")  # type: ignore[arg-type]
    except (TypeError, UnicodeEncodeError):
        return False
    shape = b".%b." % text.translate(_SHAPES)
    return (
        b"?" not in shape
        and b".." not in shape  # an empty node, or an empty name
        and text.count(b"\n") == len(names) - 1  # else there is one within a name
        and _OF_THE_RUN.encode() not in text
        and max(map(len, names)) <= _LONGEST_NODE  # type: ignore[arg-type]
    )


def with_tags(name: str, added: list[tuple[str, str]]) -> str:
    """The name with its own tags and the added ones, in the order in which Carbon keeps them."""
    path, *own = name.split(";")
    tags = [(tag, value) for tag, _, value in (one.partition("=") for one in own)] + added
    if len({tag for tag, _ in tags}) < len(tags):
        raise Refused(f"the name {quote(path)} has the same tag twice")
    return path + "".join(sorted(f";{tag}={value}" for tag, value in tags))


def clean_node(value: object) -> str:
    """One node of a value: whatever could not stand in one becomes `_`, NULL is `null`, an empty text `empty`."""
    return metricnames.clean_node(_text(value))


def clean_nodes(values: Sequence[object]) -> Sequence[str]:
    """The same of many values: quicker where all of them are clean."""
    texts: Any = list(map(str, values)) if set(map(type, values)) == {int} else values
    try:
        if all(texts) and not "".join(texts).encode("ascii").translate(None, _NODE):
            return texts  # type: ignore[no-any-return]
    except (TypeError, UnicodeEncodeError):
        pass
    return list(map(clean_node, values))


def clean_tag_value(value: object) -> str:
    """The same for the value of a tag, which may hold dots."""
    return metricnames.clean(_text(value), _NOT_IN_TAG_VALUE)


def is_tag(name: str) -> bool:
    """Whether a tag may be called so; `name` is Graphite's own."""
    return _TAG.fullmatch(name) is not None and name != "name"


def is_path(text: str) -> bool:
    """Whether this can stand in a name by itself, as a prefix does."""
    return _NAME.fullmatch(text) is not None and len(text) <= _LONGEST_NODE // 2


def checked_clean(name: str) -> str:
    """A name that was put together of clean parts: only its length and its beginning are left to check."""
    if len(name) > _LONGEST_NODE:
        _checked_length(name)
    return _not_of_the_run(name)


def _text(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bytes | bytearray | memoryview):
        raise Refused("a part of the name is binary data")
    return value if type(value) is str else str(value)


def _check_path(path: str) -> None:
    if odd := _ODD.search(path):
        character = odd[0]
        shown = quote(character) if character.isprintable() else f"U+{ord(character):04X}"
        raise Refused(f"the name {quote(path)} holds {shown}")
    if not _NAME.fullmatch(path):
        raise Refused(f"the name {quote(path)} has an empty node" if path else "the name is empty")


def _checked_tag(name: str, tag: str) -> tuple[str, str]:
    key, equals, value = tag.partition("=")
    if not (equals and is_tag(key) and value and _NOT_IN_TAG_VALUE.search(value) is None):
        raise Refused(f"the name {quote(name)} has a broken tag")
    return key, value


def _not_of_the_run(name: str) -> str:
    if name.startswith(_OF_THE_RUN):
        raise Refused(f"the name {quote(name.partition(';')[0])} is one of those that tell of a run")
    return name


def _checked_length(name: str) -> str:
    path = name.partition(";")[0]
    if any(len(node) > _LONGEST_NODE for node in path.split(".")):
        raise Refused(f"the name {quote(name)} has a node of more than {_LONGEST_NODE} bytes")
    if len(name) > _LONGEST_NAME:
        raise Refused(f"the name {quote(name)} has more than {_LONGEST_NAME} bytes")
    return name
