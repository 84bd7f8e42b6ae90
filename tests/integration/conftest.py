"""The real Graphite of the integration tests; without one they are skipped, or failed where REQUIRE_ALL=1."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.graphite_server.client import Graphite, graphite_python
from tests.support import missing

if TYPE_CHECKING:
    from collections.abc import Iterator


class StartGraphite(Protocol):
    """Starts a Graphite of one's own, with an empty storage; it is ended with the tests."""

    def __call__(self, *, credentials: str | None = None) -> Graphite: ...


@pytest.fixture(scope="session")
def start_graphite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartGraphite]:
    if graphite_python() is None:
        missing("there is no Graphite environment: run `make setup`, or set GRAPHITE_PYTHON")
    with contextlib.ExitStack() as stack:

        def start(*, credentials: str | None = None) -> Graphite:
            root = tmp_path_factory.mktemp("graphite")
            return stack.enter_context(Graphite(root, credentials=credentials))

        yield start


@pytest.fixture(scope="session")
def graphite(start_graphite: StartGraphite) -> Graphite:
    """The Graphite that all tests share: write below a prefix of your own."""
    return start_graphite()
