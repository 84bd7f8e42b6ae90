"""What has happened comes in pages, the newest first, and only what is wanted of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from graphitepager.listed import WantedDeliveries, WantedIncidents
from graphitepager.model import EventKind, Matcher
from graphitepager.records import DeliveryStatus
from graphitepager.rules import Level, Route
from graphitepager.store import listings
from tests.integration.store_support import NOON, PAGERDUTY, held, record, resolved, triggered

if TYPE_CHECKING:
    from graphitepager.store import Store

MINUTE = timedelta(minutes=1)


def at(minutes: int) -> Any:
    return NOON + minutes * MINUTE


def make_history(store: Store) -> None:
    """Opened each minute: a, b, c, d; b ended in the third. c is critical, d held back."""
    record(store, triggered("a", at=at(0)), known={})
    record(store, triggered("b", PAGERDUTY, Route("stdout", ""), at=at(1)))
    for each in store.claim(at(1), worker="w", lease=MINUTE, limit=9):
        store.mark_sent(each.id, "w", at(2), "202")
    record(store, triggered("c", level=Level.CRITICAL, at=at(2)))
    record(store, resolved("b", at=at(3)), held("d"))


def found(store: Store, limit: int = 10, before: int | None = None, **wanted: Any) -> str:
    rows = store.ask(listings.list_incidents, WantedIncidents(**wanted), limit=limit, before=before)
    return "".join(one.key.series for one in rows)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, "dcba"),
        ({"alerts": ("Load", "Disk")}, "dcba"),
        ({"alerts": ("Disk",)}, ""),
        ({"series": "c"}, "c"),
        ({"level": Level.CRITICAL}, "c"),
        ({"is_open": True}, "dca"),
        ({"is_open": False}, "b"),
        ({"since": at(4)}, "dca"),
        ({"since": at(3)}, "dcba"),
        ({"until": at(1), "is_open": True}, "da"),
        ({"until": at(1)}, "dba"),
    ],
)
def test_incidents_are_those_that_are_wanted(store: Store, wanted: dict[str, Any], expected: str) -> None:
    make_history(store)
    assert found(store, **wanted) == expected


def test_incidents_come_in_pages(store: Store) -> None:
    make_history(store)
    first = store.ask(listings.list_incidents, WantedIncidents(), limit=3)
    assert [one.key.series for one in first] == ["d", "c", "b"]
    assert found(store, before=first[-1].id) == "a"
    assert (first[0].held_by, first[2].close_reason, first[2].closed_at) == ("silence 1", "back to Nominal", at(3))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (
            {},
            [
                ("b", "resolve"),
                ("b", "resolve"),
                ("c", "trigger"),
                ("b", "trigger"),
                ("b", "trigger"),
                ("a", "trigger"),
            ],
        ),
        ({"notifier": "stdout"}, [("b", "resolve"), ("b", "trigger")]),
        ({"kind": EventKind.RESOLVED}, [("b", "resolve"), ("b", "resolve")]),
        ({"status": DeliveryStatus.PENDING, "kind": EventKind.TRIGGERED}, [("c", "trigger")]),
        ({"since": at(2), "until": at(2)}, [("c", "trigger")]),
        ({"alerts": ("Disk",)}, []),
    ],
)
def test_deliveries_are_those_that_are_wanted(
    store: Store, wanted: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    make_history(store)
    rows = store.ask(listings.list_deliveries, WantedDeliveries(**wanted), limit=10)
    assert [(one.key.series, one.kind.value) for one in rows] == expected


def test_the_deliveries_of_one_incident_come_in_pages_and_without_their_address(store: Store) -> None:
    make_history(store)
    [incident] = store.ask(listings.list_incidents, WantedIncidents(series="b"), limit=10)
    wanted = WantedDeliveries(incident_id=incident.id)
    first = store.ask(listings.list_deliveries, wanted, limit=3)
    rest = store.ask(listings.list_deliveries, wanted, limit=3, before=first[-1].id)
    assert [one.kind.value for one in (*first, *rest)] == ["resolve", "resolve", "trigger", "trigger"]
    assert (rest[0].answer, rest[0].finished_at, rest[0].status) == ("202", at(2), DeliveryStatus.SENT)
    assert PAGERDUTY.address not in repr(first + rest)


def test_silences_come_in_pages_over_or_not(store: Store) -> None:
    matchers = (Matcher("alert", "*", is_negated=False),)
    one, two, three = (
        store.add_silence(matchers=matchers, author="ann", comment="", begins_at=NOON, ends_at=at(minutes))
        for minutes in (1, 2, 9)
    )

    def listed(is_over: bool | None, limit: int = 9, before: int | None = None) -> list[int]:
        rows = store.ask(listings.list_silences, at(2), is_over=is_over, limit=limit, before=before)
        return [each.id for each in rows]

    assert listed(None) == [three.id, two.id, one.id]
    assert listed(is_over=True) == [two.id, one.id]
    assert listed(is_over=False) == [three.id]
    assert listed(None, limit=1, before=three.id) == [two.id]
    assert store.ask(listings.silence, two.id) == two
    assert store.ask(listings.silence, three.id + 1) is None
