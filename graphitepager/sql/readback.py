"""Reads the last point of a run back through Graphite's render API: the only proof that it is stored."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from graphitepager.errors import FetchError, GraphiteError
from graphitepager.graphite.render import Connection
from graphitepager.rawdata import last_point
from graphitepager.rules import Query

if TYPE_CHECKING:
    from graphitepager.rules import Settings

_ASK_EVERY_S = 1.0
_BEFORE_S = 60


def read_back(line: str, settings: Settings, *, key: str | None, patience_s: float) -> None:
    """Wait until Graphite returns the value of this line at its time; GraphiteError where it does not in time.

    A receiver takes the API `key` off a name before it stores it.
    """
    name, value, at = line.split()
    name = name.removeprefix(f"{key}.") if key else name
    query = Query(name, str(int(at) - _BEFORE_S), None)
    end = time.monotonic() + patience_s
    reason = "it has no such metric yet"
    connection = Connection(settings)
    try:
        while (left := end - time.monotonic()) > 0:
            try:
                answer = connection.ask(query, lambda: end - time.monotonic())
            except FetchError as error:
                reason = error.reason
            else:
                points = [last_point(series) for series in answer.series]
                found = [point for point in points if point and point.covered_until > int(at)]
                if any(point.value == float(value) for point in found):
                    return
                if answer.series:
                    reason = "it has another value" if found else "it has no point of this run"
            threading.Event().wait(min(_ASK_EVERY_S, left))
    finally:
        connection.close()
    raise GraphiteError(f"{name} could not be read back within {patience_s:g} s: {reason}")
