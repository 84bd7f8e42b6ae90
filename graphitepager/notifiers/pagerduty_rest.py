"""Ask PagerDuty's REST API which of our incidents are open there, with the vendor's client. It only reads.

The API: https://developer.pagerduty.com/api-reference/9d0b4b12e36f9-list-incidents
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pagerduty

from graphitepager.deadlines import run_within
from graphitepager.errors import PagerError
from graphitepager.incidents import DEDUP_PREFIX
from graphitepager.notifiers.oneshot import Cut, hold_to_one_request
from graphitepager.reconciling import RemoteIncident, RemoteStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from graphitepager.rules import Settings

_PAGE = 100  # PagerDuty's limit, as is the next one: how deep a list can be read
_LAST_POSITION = 10_000
_ATTEMPTS = 4
_LONGEST_PAUSE_S = 20.0
_REASON_LENGTH = 300
_OK, _NOT_FOUND, _TOO_MANY_REQUESTS = 200, 404, 429
_TRANSIENT = {408, _TOO_MANY_REQUESTS, 500, 502, 503, 504}
_ADVICE = {
    401: "the token is wrong, or of another service region: check PAGERDUTY_API_TOKEN, which is a REST API key and no "
    "routing key, and in the EU set PAGERDUTY_API_URL=https://api.eu.pagerduty.com",
    402: "the account may not use the REST API",
    403: "the token may not read incidents: make a read-only REST API key",
    _NOT_FOUND: "check PAGERDUTY_API_URL (in the EU https://api.eu.pagerduty.com)",
    _TOO_MANY_REQUESTS: "too many requests: ask again in a minute",
}


class ListingError(PagerError):
    """PagerDuty did not say which incidents are open, so nothing may be concluded about them."""


def open_incidents(
    settings: Settings, *, timeout_s: float = 10.0, deadline_s: float = 60.0, pause_s: float = 1.0
) -> list[RemoteIncident]:
    """Everything triggered or acknowledged under a dedup key of ours, oldest first; ListingError if not all is known.

    `timeout_s` bounds each wait for the network, `deadline_s` the whole. `pause_s` is the first one between attempts,
    and doubles.
    """
    client = _Listing(token_of(settings), settings.pagerduty_api_url, timeout_s, pause_s)
    try:
        return run_within(deadline_s, client.open_incidents)
    except TimeoutError:
        client.cut()
        raise ListingError(
            f"{client.host} did not list the open incidents within {deadline_s:g} s: try again later"
        ) from None


def token_of(settings: Settings) -> str:
    """The token that the settings hold; ListingError where it cannot be one."""
    token = settings.pagerduty_api_token
    if not token:
        raise ListingError(
            "PAGERDUTY_API_TOKEN is not set: make a read-only REST API key in PagerDuty, at Integrations, "
            "API Access Keys, and export PAGERDUTY_API_TOKEN=…"
        )
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        # The client's own error would quote it.
        raise ListingError("PAGERDUTY_API_TOKEN holds a space or a character that no token has: copy it again")
    return token


class _Listing(pagerduty.RestApiV2Client):
    """The vendor's client, held to one request a call, and cut off from outside when the whole takes too long."""

    def __init__(self, token: str, api_url: str, timeout_s: float, pause_s: float) -> None:
        self._cut = Cut()
        super().__init__(token, base_url=api_url, event_hooks=self._cut.hooks)
        hold_to_one_request(self, answered=_TRANSIENT, timeout_s=timeout_s)
        self.host = urlsplit(api_url).netloc.rpartition("@")[2]  # a URL as a whole may hold a password
        self._token = token
        self._pause_s = pause_s

    @property
    def url(self) -> str:
        """The vendor's own insists on https. Ours comes from the settings, which allow http on loopback only."""
        return self._api_url

    @url.setter
    def url(self, base_url: str) -> None:
        self._api_url = base_url

    def open_incidents(self) -> list[RemoteIncident]:
        found: dict[tuple[str, str], RemoteIncident] = {}
        with self:
            statuses = [status.value for status in RemoteStatus]
            # Oldest first, so that what opens meanwhile comes last and moves nothing to another page.
            incidents = self._pages("incidents", statuses=statuses, date_range="all", sort_by="created_at:asc")
            for incident in incidents:
                for key in self._keys_of(incident):
                    if key.startswith(DEDUP_PREFIX) and (one := _remote(incident, key)) is not None:
                        found[one.dedup_key, one.id] = one
        return list(found.values())

    def cut(self) -> None:
        """End it from another thread."""
        self._cut.make()

    def _keys_of(self, incident: Mapping[str, Any]) -> list[str]:
        """Its dedup keys. Where the service makes alerts of events, which is usual, each open alert has one.

        "Incidents with child alerts do not have an incident key", says the API's documentation.
        """
        counts = incident.get("alert_counts")
        alerts = counts.get("all") if isinstance(counts, dict) else None
        own = incident.get("incident_key")
        if not alerts or (alerts == 1 and own):
            return [own] if isinstance(own, str) else []
        path = f"incidents/{_id(incident)}/alerts"
        return [
            alert["alert_key"]
            for alert in self._pages(path, statuses=["triggered"])
            if isinstance(alert.get("alert_key"), str)
        ]

    def _pages(self, path: str, **filters: Any) -> Iterator[dict[str, Any]]:
        name = path.rpartition("/")[2]
        for offset in range(0, _LAST_POSITION, _PAGE):
            body = self._read(path, {**filters, "limit": _PAGE, "offset": offset}, name)
            yield from body[name]
            if not body.get("more"):
                return
        raise ListingError(f"{self.host} has more than {_LAST_POSITION} open incidents, and lists no more than those")

    def _read(self, path: str, query: dict[str, Any], name: str) -> dict[str, Any]:
        answer = self._answer(path, query)
        if answer.status_code == _NOT_FOUND and name == "alerts":
            return {name: []}  # merged into another one since it was listed
        if answer.status_code != _OK:
            raise self._refusal(answer)
        body = _json_object(answer)
        rows = body.get(name)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ListingError(f"{self.host} answered 200 with no list of {name}: check PAGERDUTY_API_URL")
        return body

    def _answer(self, path: str, query: dict[str, Any]) -> Any:
        """The HTTP response, after some more attempts where that may help; ListingError where there is none."""
        pause_s = self._pause_s
        for attempts_left in reversed(range(_ATTEMPTS)):
            wish_s = 0.0
            try:
                answer = self.get(path, params=query, headers={"Accept-Encoding": "identity"})
            except pagerduty.HttpError as error:  # its way of telling a 401 or a redirect
                return error.response
            except Exception as error:  # noqa: BLE001 - the client lets through what its HTTP library throws
                if not attempts_left:
                    raise self._no_answer(error) from None
            else:
                wish_s = _wish(answer.headers)
                if answer.status_code not in _TRANSIENT or not attempts_left or wish_s > _LONGEST_PAUSE_S:
                    return answer
            if self._cut.is_made.wait(max(pause_s, wish_s)):
                break
            pause_s *= 2
        raise ListingError(f"{self.host} was given up")

    def _refusal(self, answer: Any) -> ListingError:
        status: int = answer.status_code
        said = _json_object(answer).get("error")
        message = said.get("message") if isinstance(said, dict) else None
        reason = f"PagerDuty answered {status}" + (f" ({self._printable(str(message))})" if message else "")
        return ListingError(f"{reason}: {_ADVICE.get(status, 'try again later, or check PAGERDUTY_API_URL')}")

    def _no_answer(self, error: Exception) -> ListingError:
        cause = error.__cause__ or error
        words = self._printable(str(cause)) or type(cause).__name__
        return ListingError(
            f"{self.host} gave no answer: {words}: check the network and PAGERDUTY_API_URL "
            "(in the EU https://api.eu.pagerduty.com)"
        )

    def _printable(self, text: str) -> str:
        """Somebody else's text on one short line, without our token should they have quoted it."""
        without = re.sub(re.escape(self._token), "(token)", text, flags=re.IGNORECASE)
        line = " ".join("".join(character if character.isprintable() else " " for character in without).split())
        return line if len(line) <= _REASON_LENGTH else line[:_REASON_LENGTH] + "…"


def _remote(incident: Mapping[str, Any], key: str) -> RemoteIncident | None:
    """The incident as far as it is of interest; None where it was resolved while the list was read."""
    try:
        status = RemoteStatus(incident.get("status"))
    except ValueError:
        return None
    service = incident.get("service")
    return RemoteIncident(
        dedup_key=key,
        id=_id(incident),
        title=_text(incident.get("title")),
        status=status,
        service=_text(service.get("summary")) if isinstance(service, dict) else "",
        url=_text(incident.get("html_url")),
        opened_at=_moment(_text(incident.get("created_at"))),
    )


def _id(incident: Mapping[str, Any]) -> str:
    """Its id, which becomes a part of a path."""
    id_ = incident.get("id")
    if not (isinstance(id_, str) and re.fullmatch(r"\w+", id_, re.ASCII)):
        raise ListingError("PagerDuty listed an incident without an id")
    return id_


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _wish(headers: Mapping[str, str]) -> float:
    """How many seconds a 429 asks to wait: https://developer.pagerduty.com/docs/rest-api-rate-limits."""
    wish = headers.get("ratelimit-reset", "")
    return float(wish) if re.fullmatch(r"[0-9]{1,9}", wish) else 0.0


def _json_object(answer: Any) -> dict[str, Any]:
    try:
        body = json.loads(answer.content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
