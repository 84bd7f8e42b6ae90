"""The fake itself: judges each request, keeps the incidents, plays the faults, answers the test's questions."""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict, deque
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from tests.fakes.pagerduty import rest
from tests.fakes.pagerduty.door import Answer, Door, Request
from tests.fakes.pagerduty.faults import Fault, Script, script, throttled
from tests.fakes.pagerduty.incidents import Event, Incident, Ledger
from tests.fakes.pagerduty.rules import Rejection, judge

if TYPE_CHECKING:
    from collections.abc import Callable

API_TOKEN = "y_Tok3n-F4ke+66ryYWU"

_WINDOW = timedelta(minutes=1)
_NO_FAULT = Script(ingests=True)


class FakePagerDuty:
    """PagerDuty's Events API for one test, and what its REST API lists of it. Thread-safe; `with` starts and stops it.

    `clock` is what the rate limit and the incidents' times go by. `on_event` is called with every accepted event.
    `rate_limit` is the events a minute for one routing key; `tells_retry_after` says whether the 429 names a time.
    `api_token` is the one that the REST API takes. `makes_alerts` is how services are set up today: an event opens an
    alert, which carries the dedup key, in an incident, which then shows none.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        on_event: Callable[[Event], None] | None = None,
        rate_limit: int = 120,
        tells_retry_after: bool = True,
        api_token: str = API_TOKEN,
        makes_alerts: bool = True,
    ) -> None:
        self.port = port
        self._clock = clock
        self._on_event = on_event
        self._rate_limit = rate_limit
        self._tells_retry_after = tells_retry_after
        self.api_token = api_token
        self._makes_alerts = makes_alerts
        self.rest_fault: Fault | Answer | None = None
        self._fault: Fault | Answer | None = None
        self._door: Door | None = None
        self._started = False
        self._changed = threading.Condition()
        self.clear()

    # What a test asks. Every answer is a snapshot.

    @property
    def url(self) -> str:
        """What pagerduty_events_url is to be, and pagerduty_api_url."""
        return f"http://127.0.0.1:{self.port}"

    def incidents(self) -> tuple[Incident, ...]:
        with self._changed:
            return self._ledger.incidents

    def open_incidents(self) -> tuple[Incident, ...]:
        return tuple(incident for incident in self.incidents() if incident.is_open)

    def events(self) -> tuple[Event, ...]:
        """Return what was accepted, in order; also what had no effect."""
        with self._changed:
            return tuple(self._events)

    def rejected(self) -> tuple[Rejection, ...]:
        """Return the requests that broke a rule, whatever they were answered. A 429 breaks none."""
        with self._changed:
            return tuple(self._rejected)

    def request_count(self) -> int:
        """Count every request read, also those that a fault kept from being answered."""
        with self._changed:
            return self._request_count

    def wait_until(self, holds: Callable[[], object], timeout_s: float = 5.0) -> bool:
        """Wait until something has arrived that makes `holds()` true; False when the time was not enough."""
        with self._changed:
            return bool(self._changed.wait_for(holds, timeout_s))

    # What a test, or somebody on call, does.

    def acknowledge(self, routing_key: str, dedup_key: str) -> None:
        """Take an open incident, as a human does in the app; KeyError where none is open."""
        with self._changed:
            self._ledger.acknowledge((routing_key, dedup_key))

    def resolve(self, routing_key: str, dedup_key: str) -> None:
        """Close an open incident by hand, or as a service's auto-resolve does; KeyError where none is open."""
        with self._changed:
            self._ledger.resolve((routing_key, dedup_key), self._clock())

    def fail_next(self, fault: Fault | Answer, times: int = 1) -> None:
        """Fail the next events, in the order of the calls; an Answer is given as it is."""
        self._queue(self._queued_faults, fault, times)

    def fail_next_listing(self, fault: Fault | Answer, times: int = 1) -> None:
        """Fail the next requests to the REST API likewise; `rest_fault` is what all the others meet."""
        self._queue(self._queued_rest_faults, fault, times)

    @property
    def fault(self) -> Fault | Answer | None:
        """What every event meets that has no queued fault of its own; None is health. REFUSED is for both APIs."""
        return self._fault

    @fault.setter
    def fault(self, fault: Fault | Answer | None) -> None:
        self._fault = fault
        if fault is Fault.REFUSED:
            self._close_door()
        elif self._started and self._door is None:
            self._open_door()

    def clear(self) -> None:
        """Forget everything: incidents, records, queued faults. A standing fault is left as it is."""
        with self._changed:
            self._ledger = Ledger()
            self._events: list[Event] = []
            self._rejected: list[Rejection] = []
            self._request_count = 0
            self._accepted_at: defaultdict[str, deque[datetime]] = defaultdict(deque)
            self._queued_faults: deque[Fault | Answer] = deque()
            self._queued_rest_faults: deque[Fault | Answer] = deque()

    # Its life.

    def start(self) -> None:
        self._started = True
        if self._fault is not Fault.REFUSED:
            self._open_door()

    def stop(self) -> None:
        self._started = False
        self._close_door()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _open_door(self) -> None:
        give_up_at = time.monotonic() + 2
        while True:
            try:
                self._door = Door(self.port, self._respond)
            except OSError:  # while the door was closed, the kernel may have lent the port to somebody's connection
                if time.monotonic() > give_up_at:
                    raise
                time.sleep(0.02)
            else:
                self.port = self._door.port
                return

    def _close_door(self) -> None:
        door, self._door = self._door, None
        if door is not None:
            door.close()

    def _queue(self, queue: deque[Fault | Answer], fault: Fault | Answer, times: int) -> None:
        if fault is Fault.REFUSED:
            msg = "nobody can count the connections to a closed port: set fault = Fault.REFUSED, then None"
            raise ValueError(msg)
        with self._changed:
            queue.extend([fault] * times)

    # What happens to a request.

    def _respond(self, request: Request) -> Answer:
        return self._list(request) if rest.is_for_rest(request) else self._take(request)

    def _list(self, request: Request) -> Answer:
        with self._changed:
            self._request_count += 1
            fault = self._queued_rest_faults.popleft() if self._queued_rest_faults else self.rest_fault
            played = script(fault) if fault is not None else _NO_FAULT
            answer = self._listing(rest.judge(request))
            if played.answer is not None:
                answer = rest.in_rests_words(played.answer) if isinstance(fault, Fault) else played.answer
            self._changed.notify_all()
        return replace(answer, manner=played.manner)

    def _listing(self, asked: rest.Query | Rejection) -> Answer:
        if isinstance(asked, Rejection):
            self._rejected.append(asked)
            return rest.refused(asked)
        if asked.token != self.api_token:
            return rest.unauthenticated()  # the user's mistake, and no bug of the sender
        return rest.respond(asked, self._ledger.incidents, self._clock(), have_alerts=self._makes_alerts)

    def _take(self, request: Request) -> Answer:
        with self._changed:
            self._request_count += 1
            fault = self._queued_faults.popleft() if self._queued_faults else self._fault
            played = script(fault) if fault is not None else _NO_FAULT
            refusal, body = judge(request)
            if refusal is not None:
                self._rejected.append(refusal)
            answer, event = self._play(played, refusal, body)
            self._changed.notify_all()
        if event is not None and self._on_event is not None:
            self._on_event(event)
        return answer

    def _play(self, played: Script, refusal: Rejection | None, body: dict[str, Any]) -> tuple[Answer, Event | None]:
        """Return the answer, and the event if it was ingested: a fault strikes before a refusal would be spoken."""
        answer, event = played.answer or Answer(202), None
        if played.ingests:
            if refusal is not None:
                answer = _spoken(refusal)
            elif (limited := self._limit(body["routing_key"])) is not None:
                answer = limited
            else:
                event = self._ledger.ingest(body, self._clock(), has_effect=played.has_effect)
                self._events.append(event)
                answer = _accepted(event)
        return replace(answer, manner=played.manner), event

    def _limit(self, routing_key: str) -> Answer | None:
        """Return the 429 when this key has used up its sliding minute; count the event as accepted otherwise."""
        now = self._clock()
        accepted_at = self._accepted_at[routing_key]
        while accepted_at and accepted_at[0] <= now - _WINDOW:
            accepted_at.popleft()
        if len(accepted_at) < self._rate_limit:
            accepted_at.append(now)
            return None
        wait = accepted_at[0] + _WINDOW - now if accepted_at else _WINDOW
        return throttled((("Retry-After", str(math.ceil(wait.total_seconds()))),) if self._tells_retry_after else ())


def _spoken(refusal: Rejection) -> Answer:
    speech = {"status": "invalid event", "message": "Event object is invalid", "errors": list(refusal.errors)}
    return Answer.of_json(refusal.status, speech)


def _accepted(event: Event) -> Answer:
    return Answer.of_json(202, {"status": "success", "message": "Event processed", "dedup_key": event.dedup_key})
