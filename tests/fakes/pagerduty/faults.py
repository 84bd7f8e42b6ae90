"""The ways in which PagerDuty, or the network before it, can fail a request."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from tests.fakes.pagerduty.door import Answer, Manner
from tests.fakes.pagerduty.rules import PATH


class Fault(enum.Enum):
    """What goes wrong. Those that say so have ingested the event, although the sender cannot tell."""

    REFUSED = "nobody listens on the port"
    RESET_BEFORE_INGEST = "connection reset"
    RESET_AFTER_INGEST = "ingested, then connection reset"
    HANG = "no answer, ever"
    SLOW_DRIP = "ingested, answered a byte at a time"
    SERVER_ERROR = "500 with an HTML page"
    BAD_GATEWAY = "502 with an HTML page"
    UNAVAILABLE = "503 with an HTML page"
    REQUEST_TIMEOUT = "408 without a body"
    ACCEPTED_HTML = "202 with an HTML page: a proxy's, not PagerDuty's"
    ACCEPTED_EMPTY = "202 without a body"
    REDIRECT = "307 to the same place"
    RATE_LIMITED = "429 without Retry-After"
    RATE_LIMITED_FOR_SECONDS = "429 with Retry-After in seconds"
    RATE_LIMITED_UNTIL_DATE = "429 with Retry-After as a date"
    UNKNOWN_KEY = "400 in plain text"
    ACCEPT_WITHOUT_INCIDENT = "202 as ever, but no incident: the service is disabled or in maintenance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """How a fault is played: is the event ingested, does it have its effect, what is answered in which manner.

    `answer` None is the answer that the event would have got without the fault.
    """

    ingests: bool = False
    has_effect: bool = True
    answer: Answer | None = None
    manner: Manner = Manner.PROMPT


def throttled(headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """Return the 429 of the rate limit, which ingests nothing."""
    return Answer.of_json(429, {"status": "throttle exceeded", "message": "Event rate limit exceeded"}, headers)


def script(fault: Fault | Answer) -> Script:
    """Return what to play; an answer of the test's own stands for itself and ingests nothing."""
    return Script(answer=fault) if isinstance(fault, Answer) else _SCRIPTS[fault]


def _html(status: int) -> Answer:
    page = f"<html>\n<head><title>{status}</title></head>\n<body>Something is wrong here.</body>\n</html>\n"
    return Answer(status, (("Content-Type", "text/html"),), page.encode())


_DATE = ("Date", "Wed, 21 Oct 2026 07:28:00 GMT")
_A_MINUTE_AND_A_HALF_LATER = ("Retry-After", "Wed, 21 Oct 2026 07:29:30 GMT")

_SCRIPTS = {
    Fault.RESET_BEFORE_INGEST: Script(manner=Manner.RESET),
    Fault.RESET_AFTER_INGEST: Script(ingests=True, manner=Manner.RESET),
    Fault.HANG: Script(manner=Manner.HANG),
    Fault.SLOW_DRIP: Script(ingests=True, manner=Manner.DRIP),
    Fault.SERVER_ERROR: Script(answer=_html(500)),
    Fault.BAD_GATEWAY: Script(answer=_html(502)),
    Fault.UNAVAILABLE: Script(answer=_html(503)),
    Fault.REQUEST_TIMEOUT: Script(answer=Answer(408)),
    Fault.ACCEPTED_HTML: Script(answer=_html(202)),
    Fault.ACCEPTED_EMPTY: Script(answer=Answer(202)),
    Fault.REDIRECT: Script(answer=Answer(307, (("Location", PATH),))),
    Fault.RATE_LIMITED: Script(answer=throttled()),
    Fault.RATE_LIMITED_FOR_SECONDS: Script(answer=throttled((("Retry-After", "30"),))),
    Fault.RATE_LIMITED_UNTIL_DATE: Script(answer=throttled((_DATE, _A_MINUTE_AND_A_HALF_LATER))),
    Fault.UNKNOWN_KEY: Script(answer=Answer(400, (("Content-Type", "text/plain"),), b"Invalid routing key")),
    Fault.ACCEPT_WITHOUT_INCIDENT: Script(ingests=True, has_effect=False),
}
