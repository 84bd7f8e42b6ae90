"""Files without a name, which go with the process."""

from __future__ import annotations

import contextlib
import tempfile
from typing import IO, TYPE_CHECKING

from graphitepager.errors import PagerError

if TYPE_CHECKING:
    from collections.abc import Iterator


def nameless() -> IO[bytes]:
    """A new one, empty."""
    with explained():
        return tempfile.TemporaryFile(prefix="sql-to-graphite-")


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Raise PagerError, with what to do, where the disk does not take it."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or "no such file").lower()
        raise PagerError(f"the temporary folder: {reason}; free some space, or set TMPDIR to another one") from None
