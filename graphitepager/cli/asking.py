"""Asks Graphite once for everything that some alerts want."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from graphitepager import checks
from graphitepager.graphite import Fetcher

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from graphitepager.errors import FetchError
    from graphitepager.rawdata import RawAnswer
    from graphitepager.rules import Alert, Query, Settings

    Answers = Mapping[Query, RawAnswer | FetchError]


def ask(settings: Settings, alerts: Iterable[Alert]) -> Answers:
    """The answer, or what is wrong with it, to every query of these alerts; within a heartbeat."""
    with contextlib.closing(Fetcher(settings)) as fetcher:
        return ask_with(fetcher, settings, alerts)


def ask_with(fetcher: Fetcher, settings: Settings, alerts: Iterable[Alert]) -> Answers:
    """The same with connections that are kept."""
    return fetcher.fetch_all(checks.queries_of(alerts), deadline_s=settings.heartbeat_s)
