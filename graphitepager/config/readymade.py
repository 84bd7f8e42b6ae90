"""Ready-made checks: the YAML of one in, its description, its parameters and its entries out.

The files are ours and a test reads every one of them, so mistakes in them are not explained here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphitepager.config import yamlsource
from graphitepager.config.files import items

if TYPE_CHECKING:
    from graphitepager.config.yamlsource import Node

FOLDER = "graphitepager/library"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What a check lets its user say. Without a `default` it must be said, for example as `example`."""

    name: str
    about: str
    default: Node | None
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A ready-made check. `source` is what its file is called in problems."""

    name: str
    source: str
    about: str
    parameters: tuple[Parameter, ...]
    entries: tuple[Node, ...]


def read_check(name: str, text: str) -> Check:
    """The check that the file of this name describes."""
    source = f"{FOLDER}/{name}.yml"
    document, problems = yamlsource.parse(text, source)
    if document is None or problems:
        raise ValueError("; ".join(problem.headline for problem in problems))
    parts = {key: node for key, (_, _, node) in document.root.children.items()}
    return Check(
        name=name,
        source=source,
        about=_text(parts["about"]),
        parameters=tuple(
            _parameter(str(key), {part: child for part, (_, _, child) in node.children.items()})
            for key, (_, _, node) in parts["parameters"].children.items()
        ),
        entries=tuple(items(parts["alerts"] if "alerts" in parts else parts["alert"])),
    )


def _parameter(name: str, parts: dict[str | int, Node]) -> Parameter:
    default = parts.get("default")
    example = parts.get("example", default)
    return Parameter(name=name, about=_text(parts["about"]), default=default, example=_text(example) if example else "")


def _text(node: Node) -> str:
    if not isinstance(node.data, str):
        raise TypeError(f"{node.place.source}:{node.place.line}: expected a text")
    return node.data.strip()
