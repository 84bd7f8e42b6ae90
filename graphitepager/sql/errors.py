"""What can go wrong in a run, by who has to mend it."""

from __future__ import annotations

from graphitepager.errors import PagerError


class UrlError(PagerError):
    """A database's URL cannot be used; the text never quotes it."""


class UnreachableError(PagerError):
    """A database does not let us in."""


class QueryError(PagerError):
    """A database did not answer one query with rows that can be used."""


class LockedError(PagerError):
    """Another run of the same queries is not over yet."""
