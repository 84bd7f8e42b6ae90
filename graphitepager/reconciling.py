"""What PagerDuty has open, held against what the database knows of it; pure, so that nothing is done about it here."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from graphitepager.records import KnownIncident
    from graphitepager.rules import Route

PAGERDUTY = "pagerduty"  # the notifier, as routes name it


class RemoteStatus(enum.Enum):
    """Where an open incident stands at PagerDuty, in its words."""

    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteIncident:
    """An open incident of PagerDuty's with a dedup key of ours. One that holds several alerts comes once for each.

    `title` and `service` are PagerDuty's words. `opened_at` is None where it tells no time.
    """

    dedup_key: str
    id: str
    title: str
    status: RemoteStatus
    service: str
    url: str
    opened_at: datetime | None


class Stray(NamedTuple):
    """An incident that is open at PagerDuty and ended here."""

    remote: RemoteIncident
    known: KnownIncident


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """Where PagerDuty and the database do not agree.

    `strays` are open there and ended here. `foreign` are open there and unknown here: another installation's, or of a
    database that was lost. `missing` are open here and were told, and are not open there: closed by hand or by the
    service's own timer, or never opened because the service is disabled. `agreed` counts what is open at both.
    """

    strays: tuple[Stray, ...] = ()
    foreign: tuple[RemoteIncident, ...] = ()
    missing: tuple[KnownIncident, ...] = ()
    agreed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What the database knows at one moment, by dedup key. `told` are open, and PagerDuty accepted their triggers."""

    incidents: Mapping[str, KnownIncident]
    told: frozenset[str]


def compare(remote: Iterable[RemoteIncident], before: Knowledge, after: Knowledge) -> Differences:
    """Hold PagerDuty's list against the database as it was before that was fetched, and as it was after.

    Whatever changed in between is no difference: the pager was just telling it.
    """
    listed = tuple(remote)
    keys = {one.dedup_key for one in listed}
    missing = [after.incidents[key] for key in (before.told & after.told) - keys]
    return Differences(
        strays=tuple(
            Stray(one, after.incidents[one.dedup_key])
            for one in listed
            if _has_ended(before, one.dedup_key) and _has_ended(after, one.dedup_key)
        ),
        foreign=tuple(
            one for one in listed if one.dedup_key not in after.incidents and one.dedup_key not in before.incidents
        ),
        missing=tuple(sorted(missing, key=lambda known: (known.key, known.level.value))),
        agreed=sum(key in after.incidents and after.incidents[key].is_open for key in keys),
    )


def pagerduty_routes(known: KnownIncident) -> tuple[Route, ...]:
    """Where PagerDuty accepted a trigger of it, in an order that stays the same."""
    return tuple(sorted(route for route in known.routes if route.notifier == PAGERDUTY))


def _has_ended(knowledge: Knowledge, key: str) -> bool:
    known = knowledge.incidents.get(key)
    return known is not None and not known.is_open
