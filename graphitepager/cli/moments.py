"""Moments as people write them on a command line."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import click

from graphitepager.durations import parse_offset


def past_moment(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> datetime | None:
    """Read `-2h` or a time, which is local where it has no zone; BadParameter where it is none, or is still to come."""
    if text is None:
        return None
    now = datetime.now(UTC)
    moment = None
    with contextlib.suppress(ValueError, OverflowError, OSError):
        offset = parse_offset(text)
        moment = datetime.fromisoformat(text).astimezone(UTC) if offset is None else now + offset
    if moment is None:
        raise click.BadParameter(f"expected a time such as -2h, 2026-03-01T22:00 or 2026-03-01T22:00Z, got {text!r}")
    if moment > now:
        raise click.BadParameter(f"{text} is still to come")
    return moment
