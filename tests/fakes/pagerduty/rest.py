"""The REST side of the fake: lists what the Events side opened, refuses what PagerDuty refuses, changes nothing.

Contract: https://developer.pagerduty.com/api-reference/9d0b4b12e36f9-list-incidents and, for pagination,
https://developer.pagerduty.com/docs/rest-api-v2/pagination/
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, urlsplit

from tests.fakes.pagerduty.door import Answer
from tests.fakes.pagerduty.incidents import Status
from tests.fakes.pagerduty.rules import Rejection

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.fakes.pagerduty.door import Request
    from tests.fakes.pagerduty.incidents import Incident

ROOT = "/incidents"
MAX_LIMIT = 100
MAX_POSITION = 10_000

_ACCEPT = "application/vnd.pagerduty+json;version=2"
_DEFAULT_LIMIT = 25
_DEFAULT_RANGE = timedelta(days=30)
_AUTHORIZATION = re.compile(r"Token token=([\x21-\x7e]+)")
_ALERTS = re.compile(rf"{ROOT}/(\w+)/alerts")
_FIELDS = {
    "incidents": {"statuses[]", "incident_key", "date_range", "sort_by", "limit", "offset", "total"},
    "alerts": {"statuses[]", "alert_key", "sort_by", "limit", "offset", "total"},
}
_STATUSES = {"incidents": {"triggered", "acknowledged", "resolved"}, "alerts": {"triggered", "resolved"}}
_SORT_BY = {"created_at:asc", "created_at:desc", "created_at"}
# PagerDuty's own numbers, in the answer beside the HTTP status.
_INVALID, _UNAUTHENTICATED, _THROTTLED, _NOT_FOUND = 2001, 2006, 2020, 2100


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A request that breaks no rule: for the incidents, or for the alerts of the one called `incident_id`."""

    kind: Literal["incidents", "alerts"]
    token: str
    incident_id: str
    statuses: frozenset[str]
    key: str | None
    is_of_all_time: bool
    newest_first: bool
    limit: int
    offset: int
    wants_total: bool


def is_for_rest(request: Request) -> bool:
    return urlsplit(request.path).path.startswith(ROOT)


def judge(request: Request) -> Query | Rejection:
    """What is asked, or what is wrong with how it is asked."""
    parts = urlsplit(request.path)
    alerts = _ALERTS.fullmatch(parts.path)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    single = {name: value for name, value in pairs if name != "statuses[]"}
    kind: Literal["incidents", "alerts"] = "alerts" if alerts else "incidents"
    status, errors = next(_http_problems(request, has_path=bool(alerts) or parts.path == ROOT), (400, []))
    errors = errors or list(_query_problems(kind, pairs, single))
    if errors:
        return Rejection(status=status, errors=tuple(errors), body=request.body or b"")
    authorization = _AUTHORIZATION.fullmatch(request.authorization)
    assert authorization is not None
    return Query(
        kind=kind,
        token=authorization[1],
        incident_id=alerts[1] if alerts else "",
        statuses=frozenset(value for name, value in pairs if name == "statuses[]") or frozenset(_STATUSES[kind]),
        key=single.get("alert_key" if alerts else "incident_key"),
        is_of_all_time="date_range" in single,
        newest_first=single.get("sort_by", "").endswith(":desc"),
        limit=int(single.get("limit", _DEFAULT_LIMIT)),
        offset=int(single.get("offset", 0)),
        wants_total=single.get("total") == "true",
    )


def respond(query: Query, incidents: Sequence[Incident], now: datetime, *, have_alerts: bool) -> Answer:
    """Answer from what has happened on the Events side."""
    services = {key: f"Service {number}" for number, key in enumerate(_routing_keys(incidents), start=1)}
    rows = [
        (incident, _incident(number, incident, services[incident.routing_key], have_alerts=have_alerts))
        for number, incident in enumerate(incidents, start=1)
    ]
    if query.kind == "alerts":
        found = [
            _alert(incident, row)
            for incident, row in rows
            if row["id"] == query.incident_id and have_alerts and query.key in (None, incident.dedup_key)
        ]
        if not any(row["id"] == query.incident_id for _, row in rows):
            return error(404, "Not Found", _NOT_FOUND)
    else:
        found = [
            row
            for incident, row in rows
            # A key finds its incident by that of an alert as well, which the incident itself does not show.
            if query.key in (None, incident.dedup_key)
            and (query.is_of_all_time or incident.opened_at > now - _DEFAULT_RANGE)
        ]
    found = [row for row in found if row["status"] in query.statuses]
    if query.newest_first:
        found.reverse()
    page = found[query.offset : query.offset + query.limit]
    body = {
        query.kind: page,
        "limit": query.limit,
        "offset": query.offset,
        "total": len(found) if query.wants_total else None,
        "more": query.offset + len(page) < len(found),
    }
    return Answer.of_json(200, body)


def refused(refusal: Rejection) -> Answer:
    code = {401: _UNAUTHENTICATED, 404: _NOT_FOUND}.get(refusal.status, _INVALID)
    return error(refusal.status, "Invalid Input Provided" if code == _INVALID else "Refused", code, *refusal.errors)


def unauthenticated() -> Answer:
    return error(401, "Authentication failed", _UNAUTHENTICATED)


def in_rests_words(answer: Answer) -> Answer:
    """A fault's 429 as this side says it: with the seconds in a header of its own, and not in Retry-After."""
    if answer.status != 429:
        return answer
    headers = dict(answer.headers)
    wait = headers.get("Retry-After", "")
    reset = (("ratelimit-reset", wait),) if wait.isdecimal() else ()
    throttled = error(429, "Rate Limit Exceeded", _THROTTLED)
    return replace(throttled, headers=(*throttled.headers, *reset))


def error(status: int, message: str, code: int, *errors: str) -> Answer:
    said: dict[str, object] = {"message": message, "code": code}
    return Answer.of_json(status, {"error": said | ({"errors": list(errors)} if errors else {})})


def _http_problems(request: Request, *, has_path: bool) -> Iterator[tuple[int, list[str]]]:
    # As PagerDuty does, ask who it is before saying what there is.
    if not _AUTHORIZATION.fullmatch(request.authorization):
        yield 401, ["Authorization must be 'Token token=…'"]
    if not has_path:
        yield 404, ["no such path"]
    if request.method != "GET":
        yield 405, [f"no such method: {request.method}"]
    if request.accept != _ACCEPT:
        yield 406, [f"Accept must be {_ACCEPT}, not {request.accept or 'absent'}"]


def _query_problems(kind: str, pairs: Sequence[tuple[str, str]], single: Mapping[str, str]) -> Iterator[str]:
    """PagerDuty ignores a misspelt filter and lists everything: the fake does not let it pass."""
    for name in sorted({name for name, _ in pairs} - _FIELDS[kind]):
        yield f"'{name}' does not belong here"
    for name in single:
        if sum(name == each for each, _ in pairs) > 1:
            yield f"'{name}' is given more than once"
    if any(value not in _STATUSES[kind] for name, value in pairs if name == "statuses[]"):
        yield f"'statuses[]' must be among {', '.join(sorted(_STATUSES[kind]))}"
    if any(not single[name] for name in ("incident_key", "alert_key") if name in single):
        yield "an empty key asks for everything"
    if single.get("date_range", "all") != "all":
        yield "'date_range' must be 'all'"
    if single.get("sort_by", "created_at") not in _SORT_BY:
        yield "'sort_by' must be a field, a colon and a direction"
    if single.get("total", "true") not in {"true", "false"}:
        yield "'total' must be true or false"
    yield from _position_problems(single)


def _position_problems(single: Mapping[str, str]) -> Iterator[str]:
    limit, offset = single.get("limit", "1"), single.get("offset", "0")
    if not (limit.isdecimal() and 1 <= int(limit) <= MAX_LIMIT):
        yield f"'limit' must be 1 to {MAX_LIMIT}"
    elif not offset.isdecimal() or int(limit) + int(offset) > MAX_POSITION:
        yield f"'offset' and 'limit' must not come to more than {MAX_POSITION}"


def _routing_keys(incidents: Sequence[Incident]) -> list[str]:
    return list(dict.fromkeys(incident.routing_key for incident in incidents))


def _incident(number: int, incident: Incident, service: str, *, have_alerts: bool) -> dict[str, Any]:
    """Where the service makes alerts of events, the key is the alert's: the incident has none."""
    id_ = f"Q{number:06}"
    is_open = incident.status is not Status.RESOLVED
    counts = {"all": 1, "triggered": int(is_open), "resolved": int(not is_open)}
    return {
        "id": id_,
        "type": "incident",
        "summary": f"[#{number}] {incident.title}",
        "self": f"https://api.pagerduty.com/incidents/{id_}",
        "html_url": f"https://example.pagerduty.com/incidents/{id_}",
        "incident_number": number,
        "title": incident.title,
        "created_at": _stamp(incident.opened_at),
        "status": incident.status.value,
        "incident_key": None if have_alerts else incident.dedup_key,
        "alert_counts": counts if have_alerts else {"all": 0, "triggered": 0, "resolved": 0},
        "service": {"id": f"PSERV{service[-1]}", "type": "service_reference", "summary": service},
    }


def _alert(incident: Incident, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": f"A{row['id']}",
        "type": "alert",
        "summary": incident.summary,
        "created_at": row["created_at"],
        # An alert knows no acknowledgement: that is the incident's.
        "status": "resolved" if incident.status is Status.RESOLVED else "triggered",
        "alert_key": incident.dedup_key,
        "service": row["service"],
        "incident": {"id": row["id"], "type": "incident_reference"},
    }


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
