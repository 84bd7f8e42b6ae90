"""What Carbon does with bytes on its port, as carbon 1.1.10 does it: the rules of its parser, and of its storage."""

from __future__ import annotations

import math
from typing import NamedTuple

MAX_LENGTH = 16_384  # Twisted's LineOnlyReceiver, which drops the connection at a longer line
_LONGEST_FILE_NAME = 255
_MAX_RETENTION_S = 400 * 86_400


class Point(NamedTuple):
    """A datapoint that is stored where its name says."""

    name: str
    value: float
    at: float


def stored(data: bytes, now: int) -> list[Point]:
    """The datapoints that Carbon stores of this; AssertionError where it ignores, loses or misplaces one."""
    *lines, rest = data.split(b"\n")
    assert rest == b"", "what has no newline at its end is dropped"
    return [_stored(line, now) for line in lines]


def _stored(line: bytes, now: int) -> Point:
    assert len(line) <= MAX_LENGTH, "the connection is dropped"
    text = line.decode("utf-8")  # an error here drops the connection
    fields = text.strip().split()
    assert len(fields) == 3, f"the line is ignored: {text!r}"
    name, value, at = fields[0], float(fields[1]), float(fields[2])
    assert not math.isnan(value), "NaN is dropped"
    assert not math.isinf(value), "infinity is stored as such"
    assert math.isfinite(at), "the connection is dropped"
    assert now - _MAX_RETENTION_S <= at <= now + 60, "the file is made, and the point is lost"
    _check_path(name)
    return Point(name, value, at)


def _check_path(name: str) -> None:
    path, *tags = name.split(";")
    for tag in tags:
        key, equals, value = tag.partition("=")
        assert equals, "a broken tag"
        assert key, "a broken tag"
        assert value, "a broken tag"
        assert not set(key) & set(";!^="), "a broken tag"
        assert not value.startswith("~"), "a broken tag"
    nodes = path.split(".")
    assert all(nodes), f"an empty node leads elsewhere: {name!r}"
    assert not set(path) & set("/\\\0"), f"another file than the name says: {name!r}"
    if not tags:
        for node in nodes:
            assert len(f"{node}.wsp".encode()) <= _LONGEST_FILE_NAME, "the file cannot be made"
        assert len(name.encode()) <= 4096 - 1024, "the path is too long"
