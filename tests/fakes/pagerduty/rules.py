"""What PagerDuty's Events API v2 refuses, as a list of reasons; stricter than the original where that is vague."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.fakes.pagerduty.door import Request

PATH = "/v2/enqueue"
MAX_BODY_BYTES = 512_000
MAX_SUMMARY = 1024
MAX_DEDUP_KEY = 255
SEVERITIES = ("critical", "error", "warning", "info")

_ROUTING_KEY = re.compile(r"[A-Za-z0-9]{32}")
_FOLLOW_UP_FIELDS = {"routing_key", "event_action", "dedup_key"}
_TRIGGER_FIELDS = _FOLLOW_UP_FIELDS | {"payload", "links", "images", "client", "client_url"}
_PAYLOAD_TEXTS = ("component", "group", "class")
_PAYLOAD_FIELDS = {"summary", "source", "severity", "timestamp", "custom_details", *_PAYLOAD_TEXTS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A request that PagerDuty would have refused: always a bug of the sender."""

    status: int
    errors: tuple[str, ...]
    body: bytes


def judge(request: Request) -> tuple[Rejection | None, dict[str, Any]]:
    """Return what is wrong with a request, if anything is, and the event that it holds."""
    body, event = request.body or b"", dict[str, Any]()
    status, errors = next(_http_problems(request), (400, []))
    if not errors:
        try:
            event = _parse(body)
            errors = list(_event_problems(event))
        except ValueError as error:
            errors = [f"invalid JSON: {error}"]
    return Rejection(status=status, errors=tuple(errors), body=body) if errors else None, event


def _http_problems(request: Request) -> Iterator[tuple[int, list[str]]]:
    if request.path != PATH:
        yield 404, [f"no such path: {request.path}"]
    if request.method != "POST":
        yield 405, [f"no such method: {request.method}"]
    if request.content_type != "application/json":
        yield 415, [f"Content-Type must be application/json, not {request.content_type or 'absent'}"]
    if request.body is None:
        yield 411, ["Content-Length is missing or absurd"]
    elif len(request.body) > MAX_BODY_BYTES:
        yield 413, [f"the body must not be larger than {MAX_BODY_BYTES} bytes, not {len(request.body)}"]


def _parse(body: bytes) -> dict[str, Any]:
    """Return the JSON object in `body`; the ValueError says why there is none."""
    event = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    if not isinstance(event, dict):
        msg = "the body must be a JSON object"
        raise ValueError(msg)  # noqa: TRY004 - all that is wrong with a body is a ValueError
    # An escaped lone surrogate is valid JSON, but no text: encoding it raises UnicodeEncodeError, a ValueError.
    json.dumps(event, ensure_ascii=False).encode("utf-8")
    return event


def _event_problems(event: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with an event, in PagerDuty's manner of speaking; nothing when it would be accepted."""
    key = event.get("routing_key")
    if not (isinstance(key, str) and _ROUTING_KEY.fullmatch(key)):
        yield "'routing_key' must be 32 alphanumeric characters"
    match event.get("event_action"):
        case "trigger":
            yield from _trigger_problems(event)
        case "acknowledge" | "resolve":
            yield from _unknown_fields(event, _FOLLOW_UP_FIELDS, "")
            if "dedup_key" not in event:
                yield "'dedup_key' is required to acknowledge or resolve"
        case _:
            yield "'event_action' must be one of 'trigger', 'acknowledge' or 'resolve'"
    if "dedup_key" in event and not _is_text(event["dedup_key"], MAX_DEDUP_KEY):
        yield f"'dedup_key' must be a string of 1 to {MAX_DEDUP_KEY} characters"


def _trigger_problems(event: Mapping[str, Any]) -> Iterator[str]:
    yield from _unknown_fields(event, _TRIGGER_FIELDS, "")
    payload = event.get("payload")
    if isinstance(payload, dict):
        yield from _payload_problems(payload)
    else:
        yield "'payload' must be an object"
    if not isinstance(event.get("client", ""), str):
        yield "'client' must be a string"
    if "client_url" in event and not _is_url(event["client_url"]):
        yield "'client_url' must be a URL"
    for link in _objects(event.get("links", [])):
        if not (_is_url(link.get("href")) and isinstance(link.get("text", ""), str)):
            yield "'links' must be a list of objects with a URL as href and an optional text"
    for image in _objects(event.get("images", [])):
        if not _is_url(image.get("src"), schemes=("https",)):
            yield "'images' must be a list of objects with an https URL as src"


def _payload_problems(payload: Mapping[str, Any]) -> Iterator[str]:
    yield from _unknown_fields(payload, _PAYLOAD_FIELDS, "payload.")
    if not _is_text(payload.get("summary"), MAX_SUMMARY):
        yield f"'payload.summary' must be a string of 1 to {MAX_SUMMARY} characters"
    if not _is_text(payload.get("source"), MAX_BODY_BYTES):
        yield "'payload.source' is missing or blank"
    if payload.get("severity") not in SEVERITIES:
        yield f"'payload.severity' is invalid (must be one of the following: {', '.join(SEVERITIES)})"
    if "timestamp" in payload and not _is_timestamp(payload["timestamp"]):
        yield "'payload.timestamp' must be an ISO 8601 time"
    if not isinstance(payload.get("custom_details", {}), dict):
        yield "'payload.custom_details' must be an object"
    for name in _PAYLOAD_TEXTS:
        if not isinstance(payload.get(name, ""), str):
            yield f"'payload.{name}' must be a string"


def _unknown_fields(found: Mapping[str, Any], known: set[str], prefix: str) -> Iterator[str]:
    """PagerDuty ignores these, so a misspelt `dedupe_key` would cost a resolve: the fake does not let it pass."""
    for name in sorted(found.keys() - known):
        yield f"'{prefix}{name}' does not belong here"


def _objects(value: object) -> list[dict[str, Any]]:
    """Return the members of a list of objects; an empty object stands for whatever is not one, and fails its checks."""
    if not isinstance(value, list):
        return [{}]
    return [member if isinstance(member, dict) else {} for member in value]


def _is_text(value: object, limit: int) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= limit


def _is_url(value: object, schemes: tuple[str, ...] = ("http", "https")) -> bool:
    if not isinstance(value, str):
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.hostname)


def _is_timestamp(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _refuse_constant(name: str) -> float:
    msg = f"{name} is not JSON"
    raise ValueError(msg)
