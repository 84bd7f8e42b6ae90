"""The strict stand-ins for PagerDuty and Graphite, and the notifier that talks to one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import hypothesis
import pytest

from graphitepager.notifiers.pagerduty import PagerDuty
from tests.fakes.graphite import FakeGraphite
from tests.fakes.pagerduty import FakePagerDuty
from tests.unit.pagerduty_support import no_log_line_holds_the_key

if TYPE_CHECKING:
    from collections.abc import Iterator

# Each property has been tried many thousand times; `--hypothesis-profile default` tries a hundred again. No deadline:
# on a busy machine an example may take any time.
hypothesis.settings.register_profile("quick", max_examples=25, deadline=None)
hypothesis.settings.load_profile("quick")


@pytest.fixture
def fake() -> Iterator[FakePagerDuty]:
    """A fake that no message of ours, whatever is in it, may ever be refused by."""
    with FakePagerDuty() as running:
        yield running
        assert running.rejected() == ()


@pytest.fixture
def notifier(fake: FakePagerDuty) -> PagerDuty:
    return PagerDuty(fake.url)


@pytest.fixture
def key_stays_secret(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with no_log_line_holds_the_key(caplog):
        yield


@pytest.fixture
def graphite() -> Iterator[FakeGraphite]:
    """A fake that may not find anything wrong with our requests."""
    with FakeGraphite().serve() as running:
        yield running
    assert running.objections == []
