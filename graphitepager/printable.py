"""Text that is safe to show: a series may be named by anyone who can send a metric."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text on one line, with whatever would break that line or command a terminal shown as its escape."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def encodable(text: str) -> str:
    """Text that UTF-8 can encode: a lone surrogate, left over from a byte that was none, becomes its escape."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
