"""Deliver a message to PagerDuty's Events API v2, with the vendor's client.

The API: https://developer.pagerduty.com/docs/events-api-v2-overview
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pagerduty
from pydantic import Field

from graphitepager.config.fields import RoutingKey
from graphitepager.config.notifying import NotifierKeys
from graphitepager.config.sections import ROUTING_KEY
from graphitepager.deadlines import run_within
from graphitepager.errors import SendError
from graphitepager.model import EventKind
from graphitepager.notifiers import Kind
from graphitepager.notifiers.oneshot import Cut, hold_to_one_request
from graphitepager.notifiers.posting import retry_after, web_address
from graphitepager.printable import encodable, printable
from graphitepager.rules import Level

if TYPE_CHECKING:
    from graphitepager.model import Message
    from graphitepager.rules import Settings

MAX_TEXT = 1024  # PagerDuty's limit for a summary; a sane one for the other lines
MAX_DEDUP_KEY = 255
MAX_BODY_BYTES = 512_000

_SEVERITY = {Level.CRITICAL: "critical", Level.WARNING: "warning", Level.NO_DATA: "error", Level.OK: "info"}
# Room for the routing key, which the client adds.
_EVENT_BYTES = MAX_BODY_BYTES - 100
_SHORT_TEXT, _FEW_DETAILS = 500, 50
_REASON_LENGTH = 300
_ACCEPTED, _REQUEST_TIMEOUT, _TOO_MANY_REQUESTS = 202, 408, 429
_BAD_REQUEST, _TOO_LARGE = 400, 413


def from_settings(settings: Settings) -> PagerDuty:
    """Make the notifier for the service region that the settings name."""
    return PagerDuty(settings.pagerduty_events_url)


class Keys(NotifierKeys):
    """A PagerDuty service."""

    key: RoutingKey = Field(description="The routing key of the service (Events API v2).", examples=[ROUTING_KEY])

    def address(self) -> str:
        return self.key


# PagerDuty itself takes about 120 a minute for a routing key, which other tools of the same people may use as well.
KIND = Kind(keys=Keys, make=from_settings, rate_per_minute=100)


class PagerDuty:
    """Sends to the Events API at `events_url`; the address is a routing key.

    One send is one request on a connection of its own. Pages are rare, so that a kept connection would mostly be one
    that the other side has closed meanwhile, found out only by a failed send. `timeout_s` bounds each wait for the
    network, `deadline_s` the whole.
    """

    def __init__(self, events_url: str, timeout_s: float = 5.0, deadline_s: float = 10.0) -> None:
        self._events_url = events_url
        self._timeout_s = timeout_s
        self._deadline_s = deadline_s
        self._host = urlsplit(events_url).netloc.rpartition("@")[2]  # a URL as a whole may hold a password

    def send(self, message: Message, address: str) -> str:
        event = _event(message)
        try:
            client = _OneRequest(address, self._events_url, self._timeout_s)
            answer = run_within(self._deadline_s, partial(client.enqueue, event))
        except TimeoutError:
            client.cut()
            raise SendError(f"{self._host} gave no whole answer within {self._deadline_s:g} s") from None
        except Exception as error:  # noqa: BLE001 - the client lets through what its HTTP library throws: no answer
            raise SendError(f"{self._host} gave no answer: {_words(error.__cause__ or error, address)}") from None
        return _verdict(answer, address)


class _OneRequest(pagerduty.EventsApiV2Client):
    """The vendor's client, held to one request without retries, and cut off from outside when that takes too long."""

    def __init__(self, routing_key: str, events_url: str, timeout_s: float) -> None:
        self._cut = Cut()
        super().__init__(routing_key, base_url=events_url, event_hooks=self._cut.hooks)
        hold_to_one_request(self, answered=[_TOO_MANY_REQUESTS], timeout_s=timeout_s)

    @property
    def url(self) -> str:
        """The vendor's own insists on https. Ours comes from the settings, which allow http on loopback only."""
        return self._events_url

    @url.setter
    def url(self, base_url: str) -> None:
        self._events_url = base_url

    def enqueue(self, event: dict[str, Any]) -> Any:
        """Post the event and return the HTTP response, whatever its status; pagerduty.Error when there is none."""
        with self:
            try:
                # Not send_event(), which keeps PagerDuty's words to itself. Packed answers are one more thing to fail.
                return self.post("/v2/enqueue", json=event, headers={"Accept-Encoding": "identity"})
            except pagerduty.HttpError as error:  # its way of telling a 401 or a redirect
                return error.response

    def cut(self) -> None:
        """End the request from another thread, for good: a trigger that arrived after its resolve would stay open."""
        self._cut.make()


def _event(message: Message) -> dict[str, Any]:
    """The message as an event that PagerDuty accepts, whatever a series may be called or a rule may say."""
    is_end = message.kind is EventKind.RESOLVED
    # A repeat is a trigger, too: it joins its incident, or opens it again where somebody has closed it by hand.
    event: dict[str, Any] = {
        "event_action": "resolve" if is_end else "trigger",
        "dedup_key": _dedup_key(message.dedup_key),
    }
    if is_end:
        return event
    links = {link: address for link in message.links if (address := web_address(link.href))}
    affected = _line(message.series, message.alert, "Graphite")
    event["client"] = "graphite-pager"
    event["links"] = [{"href": address, "text": _line(link.text, "Link")} for link, address in links.items()]
    if message.image and message.image.src.startswith("https://"):  # it refuses the event for another one
        event["images"] = [{"src": message.image.src, "alt": _line(message.image.text, "Chart")}]
    event["payload"] = {
        "summary": _line(message.summary, message.alert, "graphite-pager alert"),
        "source": affected,
        "severity": message.severity.value if message.severity else _SEVERITY[message.level],
        "timestamp": message.at.isoformat(),
        "component": affected,
        "class": _line(message.alert, "alert"),
        # A link that PagerDuty would refuse the event for is still there to read.
        "custom_details": _clean({link.text: link.href for link in message.links if link not in links})
        | _clean(message.details),
    }
    return event if _size(event) <= _EVENT_BYTES else _shortened(event)


def _shortened(event: dict[str, Any]) -> dict[str, Any]:
    """The same event within the size limit, saying so: a page with little to read is better than none."""
    details = list(event["payload"]["custom_details"].items())
    few = {_cut(key, _SHORT_TEXT): _cut(_as_text(value), _SHORT_TEXT) for key, value in details[:_FEW_DETAILS]}
    few["shortened"] = f"{len(details)} details and {len(event['links'])} links were more than PagerDuty takes"
    event.pop("images", None)
    shorter = {**event, "payload": {**event["payload"], "custom_details": few}}
    return shorter if _size(shorter) <= _EVENT_BYTES else {**shorter, "links": []}


def _clean(value: object) -> Any:
    """A JSON value in place of anything; NaN and infinity, which are none, in words."""
    match value:
        case None | bool() | int():
            return value
        case float() | Decimal() if math.isfinite(value):
            return float(value)
        case date():
            return value.isoformat()
        case Mapping():
            return {printable(str(key)): _clean(member) for key, member in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_clean(member) for member in value]
        case _:
            return "\n".join(printable(line) for line in str(value).split("\n"))


def _line(*choices: str) -> str:
    """The first choice that is not blank, on one line that is short enough."""
    return _cut(printable(next((text for text in choices if text.strip()), "")), MAX_TEXT)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "…"


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _dedup_key(key: str) -> str:
    """The key, or where PagerDuty would not take it one that stands for it: trigger and resolve must get the same."""
    key = encodable(key)
    return key if key.strip() and len(key) <= MAX_DEDUP_KEY else sha256(key.encode()).hexdigest()


def _size(event: dict[str, Any]) -> int:
    """Bytes on the wire: the client's library encodes it just so."""
    return len(json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode())


def _verdict(answer: Any, routing_key: str) -> str:
    """PagerDuty's answer in a few words when it accepted the event, a SendError when it did not.

    A 202 that is not PagerDuty's own (a proxy's page, an empty one) counts as no answer: to send twice is harmless.
    """
    status: int = answer.status_code
    body = _json_object(answer)
    if status == _ACCEPTED and body.get("status") == "success":
        return f"{status} {_printable(str(body.get('message', '')), routing_key)}".strip()
    said = _printable("; ".join(_complaints(body)) or answer.text, routing_key)
    reason = f"PagerDuty answered {status}" + (f": {said}" if said else "")
    if status in (_REQUEST_TIMEOUT, _TOO_MANY_REQUESTS) or status // 100 not in (3, 4):
        is_throttled = status == _TOO_MANY_REQUESTS
        raise SendError(reason, is_throttled=is_throttled, retry_after=retry_after(answer.headers))
    # What it says of a key that it does not know is plain text, and no plainer message would help.
    is_invalid = status == _TOO_LARGE or (status == _BAD_REQUEST and "errors" in body)
    if "errors" not in body:
        reason += " (check the routing key, and that pagerduty_events_url is that of your service region)"
    # PagerDuty itself says 400: to an invalid message, and to a key that it does not know. The rest may be a proxy.
    raise SendError(reason, permanent=True, is_invalid=is_invalid, may_pass=status not in (_BAD_REQUEST, _TOO_LARGE))


def _json_object(answer: Any) -> dict[str, Any]:
    try:
        body = json.loads(answer.content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _complaints(body: dict[str, Any]) -> list[str]:
    errors = body.get("errors")
    said = [body.get("message"), *(errors if isinstance(errors, list) else [errors])]
    return [str(part) for part in said if part]


def _words(error: BaseException, routing_key: str) -> str:
    return _printable(str(error), routing_key) or type(error).__name__


def _printable(text: str, routing_key: str) -> str:
    """Somebody else's text on one short line, without our key should they have quoted it."""
    without_key = re.sub(re.escape(routing_key) or "$^", "(routing key)", text, flags=re.IGNORECASE)
    line = " ".join("".join(character if character.isprintable() else " " for character in without_key).split())
    return _cut(line, _REASON_LENGTH)
