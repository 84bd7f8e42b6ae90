"""Any text as a node of a metric's name, for Carbon and for Graphite's targets."""

from __future__ import annotations

import re
import unicodedata

_NOT_IN_NODE = re.compile(r"[^A-Za-z0-9_-]+")


def clean_node(text: str) -> str:
    """One node: whatever could not stand in one becomes `_`, and an empty text `empty`."""
    return clean(text, _NOT_IN_NODE)


def clean(text: str, unwanted: re.Pattern[str]) -> str:
    """The text with `_` for whatever is not wanted; an accent goes, its letter stays."""
    if not text.isascii():
        text = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    return unwanted.sub("_", text) or "empty"
