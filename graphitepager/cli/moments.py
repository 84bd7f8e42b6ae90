"""Moments and lengths of time as people write them on a command line."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

import click

from graphitepager.durations import parse_duration, parse_offset


def as_moment(_ctx: click.Context, _parameter: click.Parameter, text: str) -> datetime:
    """Read `-7d`, `now` or a time as people write it, which is local where it has no zone; BadParameter."""
    with contextlib.suppress(ValueError, OverflowError, OSError):
        offset = parse_offset(text)
        if offset is not None:
            return datetime.now(UTC) + offset
        return datetime.fromisoformat(text).astimezone(UTC)
    raise click.BadParameter(f"expected a time such as -7d, now or 2026-03-01T22:00Z, got {text!r}")


def as_past_moment(ctx: click.Context, parameter: click.Parameter, text: str | None) -> datetime | None:
    """The same, where it may be left out, and is not still to come."""
    if text is None:
        return None
    moment = as_moment(ctx, parameter, text)
    if moment > datetime.now(UTC):
        raise click.BadParameter(f"{text} is still to come")
    return moment


def as_length(_ctx: click.Context, _parameter: click.Parameter, text: str) -> timedelta:
    """Read `30min`; BadParameter."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
