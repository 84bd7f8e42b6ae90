"""alerts.yml and the files that it includes, as values: also as one text, which can be compared and kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from graphitepager.config import yamlsource

if TYPE_CHECKING:
    from graphitepager.config.yamlsource import Node

# No alerts.yml begins like this by accident, and an older program takes the line for a comment.
_PACKED = "#!graphite-pager: alerts.yml and what it includes, as JSON\n"


class IncludedFile(NamedTuple):
    """A file that a pattern of `include` fits: what the user calls it, its text, or why that cannot be read."""

    source: str
    text: str
    error: str | None = None


class Files(NamedTuple):
    """The text of alerts.yml, and each of its patterns with the files that it fits, in their order."""

    text: str
    included: tuple[tuple[str, tuple[IncludedFile, ...]], ...] = ()


def patterns(text: str) -> list[str]:
    """What alerts.yml says under `include`; what is wrong with that is for `load` to say."""
    if "include" not in text:  # most files are not read twice
        return []
    document, _ = yamlsource.parse(text, "")
    include = document and document.root.children.get("include")
    return [item.data for item in items(include[2]) if isinstance(item.data, str)] if include else []


def items(node: Node) -> list[Node]:
    """The items of a list, or the one that stands for it."""
    if isinstance(node.data, list):
        return [item for _, _, item in node.children.values()]
    return [] if node.data is None else [node]


def pack(files: Files) -> str:
    """All of it as one text; a file that includes nothing is its own."""
    if not files.included and not files.text.startswith(_PACKED):
        return files.text
    return _PACKED + json.dumps({"text": files.text, "included": files.included})


def unpack(text: str) -> Files:
    """What `pack` has packed."""
    if not text.startswith(_PACKED):
        return Files(text)
    packed = json.loads(text.removeprefix(_PACKED))
    included = tuple((pattern, tuple(IncludedFile(*file) for file in files)) for pattern, files in packed["included"])
    return Files(packed["text"], included)
