"""Opens the pager's database when a page first needs it, and again when its file is another one. Never migrates."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from graphitepager.errors import StoreError
from graphitepager.store import Store
from graphitepager.store.database import file_identity

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

# A page that waits longer is of no use to anybody.
_PATIENCE = timedelta(seconds=5)


class LateStore:
    """Called, it returns the open database, or raises StoreError: the pager may not have run yet. Thread-safe."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._store: Store | None = None
        self._file: tuple[int, int] | None = None
        self._failure: tuple[float, str] | None = None

    def __call__(self) -> Store:
        came_at = time.monotonic()
        with self._lock:
            file = file_identity(self._url)
            if self._store is not None and file != self._file:
                self._store.close()
                self._store = None
            if self._store is None:
                self._store = self._open(came_at)
                self._file = file
            return self._store

    def _open(self, came_at: float) -> Store:
        """Who has waited while another tried in vain need not try, too: a page would wait for all before it."""
        if self._failure is not None and self._failure[0] >= came_at:
            raise StoreError(self._failure[1])
        try:
            return Store.open_to_read(self._url, patience=_PATIENCE)
        except StoreError as error:
            self._failure = time.monotonic(), str(error)
            raise

    def close(self) -> None:
        with self._lock:
            if self._store is not None:
                self._store.close()
                self._store = None
