"""Which alerts are loud for nothing, and which watch nothing: what a team looks at to have fewer pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from graphitepager.chronicle import Noise, Week
    from graphitepager.rules import Alert, Config


class Loudness(NamedTuple):
    """One alert: its weeks, oldest first, and when its newest incident opened; `is_gone` from alerts.yml."""

    alert: str
    weeks: Sequence[Week]
    latest: datetime | None
    is_gone: bool

    @property
    def pages(self) -> int:
        """Of which somebody was told."""
        return sum(week.pages for week in self.weeks)

    @property
    def incidents(self) -> int:
        """Told or not."""
        return sum(week.incidents for week in self.weeks)

    @property
    def near_misses(self) -> int:
        """Breaches that were over before they fired."""
        return sum(week.near_misses for week in self.weeks)


class Unmatched(NamedTuple):
    """A target of alerts.yml that no series is known of."""

    alert: str
    target: str
    line: int


class Report(NamedTuple):
    """`loud` are the alerts with anything to tell, the loudest first; `never` have had no incident that is remembered.

    `unmatched` are in the order of the file.
    """

    loud: Sequence[Loudness]
    never: Sequence[str]
    unmatched: Sequence[Unmatched]


def report(config: Config, noise: Noise) -> Report:
    """All of it. An entry that was never polled yet counts as unmatched: so does one that matches nothing."""
    names = [alert.name for alert in config.alerts]
    found = [
        Loudness(name, weeks, noise.latest.get(name), name not in names)
        for name, weeks in noise.weeks.items()
        if any(week.incidents or week.near_misses for week in weeks)
    ]
    return Report(
        loud=sorted(found, key=lambda one: (-one.pages, -one.near_misses, -one.incidents, one.alert)),
        never=[name for name in names if name not in noise.latest],
        unmatched=[one for alert in config.alerts for one in _unmatched(alert, noise)],
    )


def _unmatched(alert: Alert, noise: Noise) -> Iterator[Unmatched]:
    known = noise.series.get(alert.name, {})
    for entry in alert.entries:
        if not known.get(entry.source):
            yield Unmatched(alert.name, entry.source, entry.line)
