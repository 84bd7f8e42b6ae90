"""Prove that no secret shows up where people and log collectors read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def assert_no_secret(text: str, keys: Iterable[str]) -> None:
    """Fail when one of `keys` is in `text`, in any case; say in which line, without repeating the key."""
    lines = text.lower().splitlines()
    for number, key in enumerate(keys, start=1):
        if not key:
            msg = f"key {number} is empty, so it would be found anywhere"
            raise ValueError(msg)
        for line_number, line in enumerate(lines, start=1):
            assert key.lower() not in line, f"secret {number} shows up in line {line_number} of {len(lines)}"
