"""An alert as an address of a page names it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from graphitepager.health import own_alert
from graphitepager.model import OWN, SeriesKey

if TYPE_CHECKING:
    from graphitepager.rules import Alert, Config


class Named(NamedTuple):
    """An alert by its name in the database, and what alerts.yml says of it; None where that holds it no more."""

    name: str
    alert: Alert | None


def alert_named(text: str, config: Config) -> Named:
    """The alert that pages call so."""
    known = {SeriesKey(alert.name, "").words[0]: alert for alert in (own_alert(config.settings), *config.alerts)}
    alert = known.get(text)
    return Named(alert.name if alert else text, alert)


def is_own(named: Named) -> bool:
    """Whether it is the alert by which the pager watches itself."""
    return named.name == OWN
