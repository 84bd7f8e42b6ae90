"""What differs between PagerDuty and the database, and what only seems to."""

from __future__ import annotations

import pytest

from graphitepager.model import SeriesKey
from graphitepager.reconciling import Differences, Knowledge, RemoteIncident, RemoteStatus, compare, pagerduty_routes
from graphitepager.records import KnownIncident
from graphitepager.rules import Level, Route

ROUTE = Route("pagerduty", "R0utingKey")
STDOUT = Route("stdout", "")


def known(key: str, *routes: Route, is_open: bool) -> KnownIncident:
    return KnownIncident(
        dedup_key=key,
        key=SeriesKey("Load", key),
        level=Level.WARNING,
        is_open=is_open,
        routes=frozenset(routes or (ROUTE,)),
    )


def remote(key: str, id_: str = "Q1") -> RemoteIncident:
    return RemoteIncident(
        dedup_key=key,
        id=id_,
        title=f"WARNING Load: {key}",
        status=RemoteStatus.TRIGGERED,
        service="Ops",
        url=f"https://example.pagerduty.com/incidents/{id_}",
        opened_at=None,
    )


def knowledge(*incidents: KnownIncident | None, is_told: bool = True) -> Knowledge:
    """A database with these incidents; PagerDuty has accepted the triggers of the open ones, or of none."""
    stored = {one.dedup_key: one for one in incidents if one is not None}
    told = frozenset(key for key, one in stored.items() if one.is_open and is_told)
    return Knowledge(incidents=stored, told=told)


def differences(*listed: RemoteIncident, stored: tuple[KnownIncident, ...]) -> Differences:
    """With a database in which nothing happens meanwhile."""
    return compare(listed, knowledge(*stored), knowledge(*stored))


def test_what_is_open_at_both_is_no_difference() -> None:
    found = differences(remote("web1"), stored=(known("web1", is_open=True), known("web2", is_open=False)))
    assert found == Differences(agreed=1)


def test_open_there_and_ended_here_is_a_stray() -> None:
    ended = known("web1", is_open=False)
    found = differences(remote("web1"), stored=(ended,))
    assert [tuple(stray) for stray in found.strays] == [(remote("web1"), ended)]
    assert (found.foreign, found.missing) == ((), ())


def test_each_service_that_has_a_stray_shows_it() -> None:
    found = differences(remote("web1", "Q1"), remote("web1", "Q2"), stored=(known("web1", is_open=False),))
    assert [stray.remote.id for stray in found.strays] == ["Q1", "Q2"]


def test_open_there_and_unknown_here_is_foreign_and_no_stray() -> None:
    found = differences(remote("other"), stored=())
    assert (found.strays, found.foreign, found.missing) == ((), (remote("other"),), ())


def test_told_here_and_not_open_there_is_missing() -> None:
    firing = (known("web2", is_open=True), known("web1", is_open=True))
    found = differences(stored=firing)
    assert [one.dedup_key for one in found.missing] == ["web1", "web2"]
    assert (found.strays, found.foreign) == ((), ())


def test_what_pagerduty_was_not_told_of_is_not_missing_there() -> None:
    waiting = knowledge(known("web1", is_open=True), is_told=False)
    assert compare([], waiting, waiting) == Differences()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(known("web1", is_open=True), known("web1", is_open=False), id="its resolve is on its way"),
        pytest.param(None, known("web1", is_open=False), id="it opened and ended"),
        pytest.param(known("web1", is_open=False), known("web1", is_open=True), id="it fires again"),
        pytest.param(None, known("web1", is_open=True), id="it has just opened"),
        pytest.param(known("web1", is_open=False), None, id="it was just cleaned up"),
    ],
)
def test_what_changed_while_the_list_was_fetched_is_neither_stray_nor_foreign(
    before: KnownIncident | None, after: KnownIncident | None
) -> None:
    found = compare([remote("web1")], knowledge(before), knowledge(after))
    assert (found.strays, found.foreign, found.missing) == ((), (), ())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(knowledge(), knowledge(known("web1", is_open=True)), id="it has just opened"),
        pytest.param(
            knowledge(known("web1", is_open=True), is_told=False),
            knowledge(known("web1", is_open=True)),
            id="it has just been told",
        ),
        pytest.param(
            knowledge(known("web1", is_open=True)), knowledge(known("web1", is_open=False)), id="it has just ended"
        ),
    ],
)
def test_what_was_told_or_ended_while_the_list_was_fetched_is_not_missing(before: Knowledge, after: Knowledge) -> None:
    assert compare([], before, after).missing == ()


def test_a_resolve_goes_to_every_pagerduty_service_and_nowhere_else() -> None:
    other = Route("pagerduty", "An0therKey")
    assert pagerduty_routes(known("web1", STDOUT, ROUTE, other, is_open=False)) == (other, ROUTE)
