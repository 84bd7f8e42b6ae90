"""What goes wrong: a process that dies, or a database that hangs up, at a boundary; a network that fails a send."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from graphitepager.errors import StoreError
from tests.fakes.pagerduty import Answer, Fault

if TYPE_CHECKING:
    from tests.soak.tally import Tally


class Crash(BaseException):
    """The process is gone at this point: nothing may catch it, and nothing in memory survives it."""


class Boundary(enum.Enum):
    """Where the process touches what outlives it."""

    BEFORE_READING = "before reading"
    BEFORE_TRANSACTION = "before the transaction"
    BEFORE_COMMIT = "before the commit"
    AFTER_COMMIT = "after the commit"
    BEFORE_SEND = "before the send"
    AFTER_INGEST = "after the ingest"
    WHILE_FETCHING = "while fetching"

    @property
    def is_in_database(self) -> bool:
        return self.name not in {"BEFORE_SEND", "AFTER_INGEST", "WHILE_FETCHING"}


@dataclass(frozen=True)
class Doom:
    """What strikes at the boundary when it has been passed `after` times: death, or (in the database) a lost answer.

    With `operation`, only that one of the store's methods counts.
    """

    boundary: Boundary
    after: int = 0
    is_death: bool = True
    operation: str | None = None


class Blow(NamedTuple):
    """A fault that one send meets, and how long the send takes."""

    fault: Fault | Answer | None
    takes_s: int = 0


# What is never tried again.
FOR_GOOD = frozenset({Fault.UNKNOWN_KEY, Fault.REDIRECT})
# What is tried once more, as the least that can be said.
INVALID = Answer.of_json(400, {"status": "invalid event", "message": "Event object is invalid", "errors": ["no"]})

SENDING_FAULTS = (
    INVALID,
    Fault.REFUSED,
    Fault.HANG,
    Fault.RESET_BEFORE_INGEST,
    Fault.RESET_AFTER_INGEST,
    Fault.SERVER_ERROR,
    Fault.BAD_GATEWAY,
    Fault.UNAVAILABLE,
    Fault.REQUEST_TIMEOUT,
    Fault.ACCEPTED_HTML,
    Fault.ACCEPTED_EMPTY,
    Fault.RATE_LIMITED,
    Fault.RATE_LIMITED_FOR_SECONDS,
    Fault.RATE_LIMITED_UNTIL_DATE,
    Fault.UNKNOWN_KEY,
    Fault.REDIRECT,
)


class Fate:
    """Strikes once where it was told to."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._doom: Doom | None = None

    def arm(self, doom: Doom | None) -> None:
        self._doom = doom

    def reach(self, boundary: Boundary, what: str) -> None:
        """Go on, unless this is where it ends."""
        doom = self._doom
        if doom is None or doom.boundary is not boundary or doom.operation not in {None, what}:
            return
        if doom.after:
            self._doom = replace(doom, after=doom.after - 1)
            return
        self._doom = None
        place = f"{boundary.value} of {what}" if boundary.is_in_database else boundary.value
        if doom.is_death or not boundary.is_in_database:
            self._tally.crashes[place] += 1
            raise Crash(place)
        self._tally.lost_answers[place] += 1
        raise StoreError(f"the connection was lost {place}")
