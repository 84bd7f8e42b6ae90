"""The exit codes of sql-to-graphite, and which errors they stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphitepager.errors import GraphiteError
from graphitepager.sql.errors import LockedError, UnreachableError

if TYPE_CHECKING:
    from graphitepager.errors import PagerError

OK, CONFIGURATION, USAGE, SOME_FAILED, UNREACHABLE, NOT_SENT, BUG, LOCKED = 0, 1, 2, 3, 4, 5, 70, 75


def code_of(error: PagerError) -> int:
    """The exit code for what ends a run."""
    codes = {LockedError: LOCKED, UnreachableError: UNREACHABLE, GraphiteError: NOT_SENT}
    return next((code for kind, code in codes.items() if isinstance(error, kind)), CONFIGURATION)
