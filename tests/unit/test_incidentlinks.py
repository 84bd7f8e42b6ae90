"""Links to PagerDuty's incidents come from the background: a page never waits for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphitepager.errors import PagerError
from graphitepager.reconciling import RemoteIncident, RemoteStatus
from graphitepager.web.incidentlinks import IncidentLinks
from tests.examples import NOON, settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphitepager.rules import Settings

WITH_TOKEN = settings(pagerduty_api_token="u+secret")
URL = "https://example.pagerduty.com/incidents/P1"


def remote(key: str, url: str = URL) -> RemoteIncident:
    return RemoteIncident(
        dedup_key=key, id="P1", title="t", status=RemoteStatus.TRIGGERED, service="s", url=url, opened_at=NOON
    )


class Background:
    """Runs what was begun only when told to; lists what it holds, or fails."""

    def __init__(self) -> None:
        self.begun: list[Callable[[], None]] = []
        self.listed: list[RemoteIncident] | PagerError = []
        self.now = 0.0
        self.asked = 0

    def links(self, which: Settings = WITH_TOKEN) -> IncidentLinks:
        return IncidentLinks(lambda: which, listing=self.listing, start=self.begun.append, now=lambda: self.now)

    def listing(self, _: Settings) -> list[RemoteIncident]:
        self.asked += 1
        if isinstance(self.listed, PagerError):
            raise self.listed
        return self.listed

    def run(self) -> None:
        while self.begun:
            self.begun.pop(0)()


def test_a_link_is_known_once_pagerduty_was_asked() -> None:
    background = Background()
    background.listed = [remote("a")]
    links = background.links()
    assert links("a") is None
    background.run()
    assert (links("a"), links("b")) == (URL, None)


def test_it_is_asked_once_for_a_whole_page_and_again_half_a_minute_later() -> None:
    background = Background()
    links = background.links()
    for _ in range(100):
        links("a")
    background.run()
    links("a")
    background.run()
    assert background.asked == 1
    background.now = 30.0
    links("a")
    background.run()
    assert background.asked == 2


def test_without_a_token_nobody_is_asked() -> None:
    background = Background()
    assert background.links(settings())("a") is None
    assert background.begun == []


def test_a_refusal_keeps_what_is_known_and_is_not_repeated_at_once() -> None:
    background = Background()
    background.listed = [remote("a")]
    links = background.links()
    links("a")
    background.run()
    background.listed, background.now = PagerError("401"), 30.0
    links("a")
    background.run()
    background.now = 100.0
    assert links("a") == URL
    background.run()
    assert background.asked == 2


def test_what_is_no_link_is_none() -> None:
    background = Background()
    background.listed = [remote("a", "javascript:alert(1)"), remote("b", "")]
    links = background.links()
    links("a")
    background.run()
    assert (links("a"), links("b")) == (None, None)
