"""The strict stand-in for Graphite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakes.graphite import FakeGraphite

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def graphite() -> Iterator[FakeGraphite]:
    """A fake that may not find anything wrong with our requests."""
    with FakeGraphite().serve() as running:
        yield running
    assert running.objections == []
