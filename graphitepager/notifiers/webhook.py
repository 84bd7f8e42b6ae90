"""Post a message as JSON to a URL of your own, signed as Standard Webhooks have it.

The signature: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from graphitepager.config.fields import refuse
from graphitepager.config.notifying import NotifierKeys
from graphitepager.config.urls import SecretUrl
from graphitepager.notifiers import Kind
from graphitepager.notifiers.payload import payload
from graphitepager.notifiers.posting import USUAL_LIMITS, one_line, post, refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphitepager.model import Message
    from graphitepager.notifiers.posting import Limits
    from graphitepager.rules import Settings

_OK = 2
_PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64  # bytes, as the standard has it


def _secret(value: object) -> str:
    """Never quotes what it was given."""
    text = value.strip() if isinstance(value, str) else ""
    try:
        size = len(_key(text)) if text.startswith(_PREFIX) else 0
    except binascii.Error:
        size = 0
    if not _SHORTEST <= size <= _LONGEST:
        raise refuse(
            f"expected {_PREFIX} and {_SHORTEST} to {_LONGEST} bytes in base64",
            f'echo "{_PREFIX}$(openssl rand -base64 32)" makes one',
        )
    return text


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)


_Secret = Annotated[
    str, BeforeValidator(_secret), WithJsonSchema({"type": "string", "pattern": f"^{_PREFIX}", "writeOnly": True})
]


class Keys(NotifierKeys):
    """A program of your own that takes JSON over HTTPS."""

    url: SecretUrl = Field(description="Where to post; https, unless it is on loopback.", examples=["https://…"])
    secret: _Secret | None = Field(
        None, description="What the signature is made with: whsec_ and base64.", examples=["whsec_…"]
    )

    def address(self) -> str:
        return json.dumps({"url": self.url, "secret": self.secret})

    def secrets(self) -> Iterable[str]:
        return [secret for secret in (self.url, self.secret) if secret]


def from_settings(_settings: Settings) -> Webhook:
    """Make the notifier; its address says everything."""
    return Webhook()


KIND = Kind(keys=Keys, make=from_settings)


class Webhook:
    """Posts to the URL in the address, a JSON object with `url` and `secret`. Any 2xx is a yes."""

    def __init__(self, limits: Limits = USUAL_LIMITS) -> None:
        self._limits = limits

    def send(self, message: Message, address: str) -> str:
        place = json.loads(address)
        url, secret = place["url"], place["secret"]
        body = payload(message)
        headers = {"Content-Type": "application/json", **_signature(message.id, body, secret)}
        answer = post(url, body, headers, self._limits, [secret or ""])
        if answer.status // 100 != _OK:
            raise refusal("the webhook", answer, [url, secret or ""], "check its url")
        return f"{answer.status} {one_line(answer.text, [url, secret or ''])}".strip()


def _signature(message_id: str, body: bytes, secret: str | None) -> dict[str, str]:
    """The headers: an id that is the same at each attempt, the time of this one, and both signed with the body."""
    id_, timestamp = f"msg_{message_id}", str(int(time.time()))
    headers = {"webhook-id": id_, "webhook-timestamp": timestamp}
    if secret is not None:
        signed = hmac.digest(_key(secret), f"{id_}.{timestamp}.".encode() + body, hashlib.sha256)
        headers["webhook-signature"] = f"v1,{base64.b64encode(signed).decode()}"
    return headers
