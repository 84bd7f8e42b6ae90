"""Strict stand-ins for what takes messages over HTTP: Slack, Teams, a webhook, and one that apprise posts to."""

from __future__ import annotations

import base64
import enum
import hashlib
import hmac
import json
import re
import socket
import time
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from tests.fakes.pagerduty.door import Answer, Door, Manner

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from tests.fakes.pagerduty.door import Request

PATH = "/T00000000/B00000000/SecretPathOfAnAddress"
BOT_PATH = "/api/chat.postMessage"
TOKEN = "xoxb-0123456789-SecretTokenOfABot"
SIGNING_KEY = base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()

_CARD = "application/vnd.microsoft.card.adaptive"
_TEAMS_LIMIT, _SLACK_TEXT, _SLACK_BLOCKS = 28 * 1024, 3000, 50
_SLACK_ALT = 2000
_FRESH_S = 300
# What calls somebody in Slack: https://docs.slack.dev/messaging/formatting-message-text
_MENTION = re.compile(r"<[!@#]")
_ANGLE = re.compile(r"<(?!https?://)|&(?!amp;|lt;|gt;)")


class Fault(enum.Enum):
    """What goes wrong."""

    REFUSED = "nobody listens"
    RESET = "connection reset"
    HANG = "no answer, ever"
    DRIP = "an answer a byte at a time"
    INVALID = "the message is no good, says the receiver"
    FORBIDDEN = "the address is no good"
    SERVER_ERROR = "500"
    RATE_LIMITED = "too many, with the time to wait"
    GARBAGE = "an answer that means nothing"
    HUGE = "an answer of ten megabytes"


_GARBAGE = b"\x00\xff<html>\x1b[31m{[" * 20
_ANSWERS = {
    Fault.RESET: Answer(500, manner=Manner.RESET),
    Fault.HANG: Answer(200, manner=Manner.HANG),
    Fault.DRIP: Answer(200, body=b"ok", manner=Manner.DRIP),
    Fault.INVALID: Answer(400, body=b"invalid_blocks"),
    Fault.FORBIDDEN: Answer(403, body=b"invalid_token"),
    Fault.SERVER_ERROR: Answer(500, body=b"<html><h1>500</h1></html>"),
    Fault.RATE_LIMITED: Answer(429, (("Retry-After", "30"),), b"slow down"),
    Fault.GARBAGE: Answer(502, body=_GARBAGE),
    Fault.HUGE: Answer(500, body=b"x" * 10_000_000),
}


class Receiver:
    """Takes messages on a loopback port, as far as `objection` finds none; `received` holds their JSON.

    `answer` is what a message gets that is accepted. It answers the next request by `fault`, if there is one.
    """

    def __init__(
        self, objection: Callable[[Request, Any], str | None], answer: Callable[[Request], Answer], path: str = PATH
    ) -> None:
        self._objection = objection
        self._answer = answer
        self._path = path
        self.received: list[Any] = []
        self.requests: list[Request] = []
        self.objections: list[str] = []
        self.fault: Fault | Answer | None = None
        self._door = Door(0, self._respond)
        self.url = f"http://127.0.0.1:{self._door.port}{path}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._door.close()

    def _respond(self, request: Request) -> Answer:
        self.requests.append(request)
        if self.fault is not None:
            fault, self.fault = self.fault, None
            return fault if isinstance(fault, Answer) else _ANSWERS[fault]
        objection: str | None
        try:
            body = json.loads(request.body or b"")
        except ValueError as error:
            body, objection = None, f"no JSON: {error}"
        else:
            objection = _general(request, urlsplit(self._path).path) or self._objection(request, body)
        if objection:
            self.objections.append(objection)
            return Answer(400, body=objection.encode())
        self.received.append(body)
        return self._answer(request)


def _general(request: Request, path: str) -> str | None:
    if request.method != "POST" or request.path.partition("?")[0] != path:
        return f"{request.method} {request.path}"
    return None if request.content_type == "application/json" else f"Content-Type {request.content_type}"


def slack() -> Receiver:
    """An incoming webhook."""
    return Receiver(_slack_objection, lambda _: Answer(200, body=b"ok"))


def slack_api() -> Receiver:
    """The bot's method, for TOKEN; each message gets a time stamp of its own."""

    def objection(request: Request, body: Any) -> str | None:
        if request.authorization != f"Bearer {TOKEN}":
            return "not_authed"
        if not isinstance(body.get("channel"), str):
            return "no channel"
        return _slack_objection(request, body)

    def answer(_: Request) -> Answer:
        return Answer.of_json(200, {"ok": True, "channel": "C0123", "ts": f"1700000000.{len(api.received):06}"})

    api = Receiver(objection, answer, BOT_PATH)
    return api


def _slack_objection(_: Request, body: Any) -> str | None:
    blocks = body.get("blocks")
    if not isinstance(body.get("text"), str) or not body["text"] or not 0 < len(blocks) <= _SLACK_BLOCKS:
        return "no_text"
    for block in blocks:
        if block["type"] == "image" and block.keys() == {"type", "image_url", "alt_text"}:
            if not re.match(r"https?://", block["image_url"]) or not 0 < len(block["alt_text"]) <= _SLACK_ALT:
                return "invalid_blocks"
            continue
        text = block["text"]["text"]
        if block["type"] != "section" or block["text"]["type"] != "mrkdwn" or not block["text"]["verbatim"]:
            return "invalid_blocks"
        if not 0 < len(text) <= _SLACK_TEXT or _MENTION.search(text) or _ANGLE.search(text):
            return f"invalid_blocks: {text}"
    return f"a mention in {body['text']}" if _MENTION.search(body["text"]) or _ANGLE.search(body["text"]) else None


def teams() -> Receiver:
    """A workflow that posts cards."""

    def objection(request: Request, body: Any) -> str | None:
        if len(request.body or b"") > _TEAMS_LIMIT:
            return "larger than 28 KB"
        [attachment] = body["attachments"]
        card = attachment["content"]
        if body["type"] != "message" or attachment["contentType"] != _CARD or card["type"] != "AdaptiveCard":
            return "no card"
        if any(block["type"] != "RichTextBlock" or not block["inlines"] for block in card["body"]):
            return "text that Markdown could change"
        if not all(re.match(r"https?://", action["url"]) for action in card["actions"]):
            return "a link that is none"
        return None

    return Receiver(objection, lambda _: Answer(202), f"{PATH}?sig=SecretSignature")


def webhook() -> Receiver:
    """A program that checks the signature."""

    def objection(request: Request, body: Any) -> str | None:
        id_, timestamp = request.headers.get("webhook-id", ""), request.headers.get("webhook-timestamp", "")
        if not re.fullmatch(r"msg_[0-9a-f]{32}", id_) or abs(time.time() - int(timestamp)) > _FRESH_S:
            return "no id, or not of now"
        signed = f"{id_}.{timestamp}.".encode() + (request.body or b"")
        expected = base64.b64encode(hmac.new(base64.b64decode(SIGNING_KEY), signed, hashlib.sha256).digest()).decode()
        return None if request.headers.get("webhook-signature") == f"v1,{expected}" else "a wrong signature"

    return Receiver(objection, lambda _: Answer(200, body=b"taken"))


def json_taker() -> Receiver:
    """What apprise's json:// posts to."""
    return Receiver(
        lambda _, body: None if {"title", "message", "type"} <= body.keys() else "no message", lambda _: Answer(200)
    )


def unused_port() -> int:
    """A loopback port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
