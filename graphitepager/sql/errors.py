"""What can go wrong in a run, by who has to mend it."""

from __future__ import annotations

from graphitepager.errors import PagerError


class UrlError(PagerError):
    """A database's URL cannot be used; the text never quotes it."""


class UnreachableError(PagerError):
    """A database does not let us in."""


class QueryError(PagerError):
    """A database did not answer one query with rows that can be used."""


class GraphiteError(PagerError):
    """Graphite did not take everything, or nobody can say whether it did.

    `permanent` means that another try would be the same.
    """

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        super().__init__(reason)
        self.permanent = permanent


class LockedError(PagerError):
    """Another run of the same queries is not over yet."""
