"""What happened, as people look it up: incidents with what was told of them, and how loud alerts were."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from graphitepager.listed import ListedDelivery, ListedIncident


class ToldIncident(NamedTuple):
    """An incident with its deliveries, in order."""

    incident: ListedIncident
    deliveries: tuple[ListedDelivery, ...]


class Week(NamedTuple):
    """One week of an alert: how many incidents opened, how many of them somebody was told of, how many near misses."""

    begins_at: datetime
    incidents: int = 0
    pages: int = 0
    near_misses: int = 0


class Noise(NamedTuple):
    """What the database knows of how loud alerts are.

    `weeks` are by alert, oldest first; `latest` is when each alert's newest incident opened; `series` counts the known
    series by alert and target.
    """

    weeks: Mapping[str, tuple[Week, ...]]
    latest: Mapping[str, datetime]
    series: Mapping[str, Mapping[str, int]]
