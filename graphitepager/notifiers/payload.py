"""A message as JSON, for programs: what `webhook` posts and `exec` hands over. Its schema: docs/webhook.schema.json."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphitepager.model import Message

VERSION = 1


def payload(message: Message) -> bytes:
    """The message in UTF-8; what has none, such as a lone surrogate, stays a JSON escape."""
    return json.dumps(
        {
            "version": VERSION,
            "id": message.id,
            "kind": message.kind.value,
            "level": message.level.value,
            "severity": message.severity and message.severity.value,
            "incident": message.incident_id,
            "dedup_key": message.dedup_key,
            "alert": message.alert,
            "series": message.series,
            "summary": message.summary,
            "at": message.at.isoformat(),
            "since": message.since and message.since.isoformat(),
            "labels": dict(message.labels),
            "details": dict(message.details),
            "links": [{"text": link.text, "href": link.href} for link in message.links],
        },
        allow_nan=False,
    ).encode("ascii")
