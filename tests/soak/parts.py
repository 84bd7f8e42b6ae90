"""The real store and the real PagerDuty payload, with a hand on each boundary."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphitepager.errors import SendError
from graphitepager.model import EventKind
from graphitepager.notifiers import pagerduty
from graphitepager.store import Store
from tests.fakes.pagerduty import Answer, Fault, Manner
from tests.fakes.pagerduty.door import Request
from tests.soak.faults import FOR_GOOD, INVALID, Blow, Boundary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from graphitepager.model import Message
    from graphitepager.records import Change, PollRecord
    from tests.fakes.pagerduty import FakePagerDuty
    from tests.soak.faults import Fate
    from tests.soak.tally import Tally


class SoakStore(Store):
    """One process's store. `recorded` is called with each poll as soon as it is committed."""

    def attach(self, fate: Fate, recorded: Callable[[PollRecord], None]) -> SoakStore:
        """Another process's way to the same database, through the same engine."""
        other = type(self)(self._reader, self._url)
        other.fate, other.recorded = fate, recorded
        return other

    fate: Fate | None = None
    recorded: Callable[[PollRecord], None] | None = None
    _poll: PollRecord | None = None

    def record(self, poll: PollRecord) -> tuple[Change, ...]:
        self._poll = poll
        try:
            return super().record(poll)
        finally:
            self._poll = None

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        self._reach(Boundary.BEFORE_READING, sys._getframe(2).f_code.co_name)
        with super()._reading() as db:
            yield db

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        what = sys._getframe(2).f_code.co_name  # the Store's own method
        self._reach(Boundary.BEFORE_TRANSACTION, what)
        with super()._writing() as db:
            yield db
            self._reach(Boundary.BEFORE_COMMIT, what)
        if self._poll is not None and self.recorded is not None:
            self.recorded(self._poll)
        self._reach(Boundary.AFTER_COMMIT, what)

    def _reach(self, boundary: Boundary, what: str) -> None:
        if self.fate is not None:
            self.fate.reach(boundary, what)


@dataclass(frozen=True)
class _Reply:
    """An HTTP answer as the notifier reads it."""

    status_code: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()


class Network:
    """Stands where notifiers/pagerduty.py meets the network: its real event goes out, its real verdict comes back."""

    def __init__(self, fake: FakePagerDuty, tally: Tally, passes: Callable[[int], None]) -> None:
        self._fake = fake
        self._tally = tally
        self._passes = passes  # so many seconds
        self.blows: list[Blow] = []
        self.standing: Fault | Answer | None = None

    def sender(self, fate: Fate, before: Callable[[Message, str], None], meanwhile: Callable[[str], None]) -> _Sender:
        return _Sender(self, fate, before, meanwhile)

    def post(self, message: Message, address: str) -> _Reply:
        """Take the event to the fake, through whatever is wrong on the way."""
        self._tally.sends += 1
        blow = self.blows.pop(0) if self.blows else Blow(self.standing)
        fault = blow.fault
        # Nobody can mend by trying again what is refused for good: that a resolve is, is for people to clear up.
        is_final = fault in FOR_GOOD or (fault is INVALID and not message.details)
        if is_final and message.kind is EventKind.RESOLVED:
            fault = Fault.SERVER_ERROR
        self._passes(blow.takes_s)
        if fault is not None:
            self._tally.faults[fault.name.lower() if isinstance(fault, Fault) else "invalid_event"] += 1
        if fault is Fault.REFUSED:
            raise SendError("gave no answer: connection refused")
        if fault is not None:
            self._fake.fail_next(fault)
        event = {**pagerduty._event(message), "routing_key": address}
        body = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
        answer = self._fake._respond(
            Request(method="POST", path="/v2/enqueue", content_type="application/json", body=body)
        )
        if answer.manner is Manner.HANG:
            self._passes(10)
            raise SendError("gave no whole answer within 10 s")
        if answer.manner is Manner.RESET:
            raise SendError("gave no answer: connection reset")
        return _Reply(answer.status, dict(answer.headers), answer.body)


class _Sender:
    """One process's notifier."""

    def __init__(
        self,
        network: Network,
        fate: Fate,
        before: Callable[[Message, str], None],
        meanwhile: Callable[[str], None],
    ) -> None:
        self._network = network
        self._fate = fate
        self._before = before
        self._meanwhile = meanwhile

    def send(self, message: Message, address: str) -> str:
        self._fate.reach(Boundary.BEFORE_SEND, "")
        self._before(message, address)
        self._meanwhile("send")
        try:
            reply = self._network.post(message, address)
        finally:
            self._fate.reach(Boundary.AFTER_INGEST, "")
        return pagerduty._verdict(reply, address)
