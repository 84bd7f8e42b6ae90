"""The strict stand-in for PagerDuty, and the notifier that talks to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from graphitepager.notifiers.pagerduty import PagerDuty
from tests.fakes.pagerduty import FakePagerDuty
from tests.integration.pagerduty.support import Clock, no_log_line_holds_the_key

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def fake() -> Iterator[FakePagerDuty]:
    """A fake that no message of ours, whatever is in it, may ever be refused by."""
    with FakePagerDuty() as running:
        yield running
        assert running.rejected() == ()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def clocked_fake(clock: Clock) -> Iterator[FakePagerDuty]:
    """A fake that lives by the test's clock, and may refuse anything."""
    with FakePagerDuty(clock=clock) as running:
        yield running


@pytest.fixture
def notifier(fake: FakePagerDuty) -> PagerDuty:
    return PagerDuty(fake.url)


@pytest.fixture
def key_stays_secret(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with no_log_line_holds_the_key(caplog):
        yield
