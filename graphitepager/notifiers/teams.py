"""Post a message to a Microsoft Teams channel or chat, as an Adaptive Card to a webhook of Workflows.

The card: https://adaptivecards.io/explorer/AdaptiveCard.html
Workflows: https://support.microsoft.com/office/create-incoming-webhooks-with-workflows-for-microsoft-teams
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import Field

from graphitepager.config.notifying import NotifierKeys
from graphitepager.config.urls import SecretUrl
from graphitepager.model import EventKind
from graphitepager.notifiers import Kind
from graphitepager.notifiers.posting import USUAL_LIMITS, one_line, post, refusal, web_address
from graphitepager.printable import encodable
from graphitepager.rules import Level

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphitepager.model import Message
    from graphitepager.notifiers.posting import Limits
    from graphitepager.rules import Settings

_OK = 2
# Teams drops what is larger than 28 KB without a word.
_MOST_BYTES = 27_000
_SUMMARY, _DETAIL, _FEW_DETAILS = 1000, 500, 10
_MOST_LINKS, _LONGEST_LINK = 6, 2000

_COLOR = {
    Level.OK: "Good",
    Level.WARNING: "Warning",
    Level.CRITICAL: "Attention",
    Level.NO_DATA: "Accent",
}


class Keys(NotifierKeys):
    """A channel or chat of Microsoft Teams, by a workflow that posts what a webhook receives."""

    url: SecretUrl = Field(description="The workflow's URL; secret as a whole.", examples=["https://…"])

    def address(self) -> str:
        return self.url


def from_settings(_settings: Settings) -> Teams:
    """Make the notifier; its address says everything."""
    return Teams()


# A workflow's connector takes few calls: https://learn.microsoft.com/connectors/teams/#throttling-limits
KIND = Kind(keys=Keys, make=from_settings, rate_per_minute=60)


class Teams:
    """Posts to the workflow's URL, which is the address. It answers before the card is posted: a yes is not a proof."""

    def __init__(self, limits: Limits = USUAL_LIMITS) -> None:
        self._limits = limits

    def send(self, message: Message, address: str) -> str:
        answer = post(address, _body(message), {"Content-Type": "application/json"}, self._limits, [address])
        if answer.status // 100 != _OK:
            raise refusal("Teams", answer, [address], "check the url: the workflow may be off, or its owner gone")
        return f"{answer.status} {one_line(answer.text, [address])}".strip()


def _body(message: Message) -> bytes:
    """The card, with fewer details where it would be too large."""
    shown = [(name, value) for name, value in message.details.items() if value is not None]
    whole = _encoded(message, shown)
    if len(whole) <= _MOST_BYTES:
        return whole
    few = [(name[:_DETAIL], str(value)[:_DETAIL]) for name, value in shown[:_FEW_DETAILS]]
    shorter = _encoded(message, few)
    return shorter if len(shorter) <= _MOST_BYTES else _encoded(message, [])


def _encoded(message: Message, details: Iterable[tuple[str, object]]) -> bytes:
    color = _COLOR[Level.OK if message.kind is EventKind.RESOLVED else message.level]
    # Rich text, not a TextBlock: there a series' name could be Markdown.
    title = {"type": "TextRun", "text": encodable(message.summary)[:_SUMMARY], "weight": "Bolder", "color": color}
    lines = [
        [
            {"type": "TextRun", "text": f"{encodable(name)}: ", "isSubtle": True},
            {"type": "TextRun", "text": encodable(str(value))},
        ]
        for name, value in details
    ]
    hrefs = ((link.text, web_address(link.href)) for link in message.links)
    links = [(text, href) for text, href in hrefs if href and len(href) <= _LONGEST_LINK][:_MOST_LINKS]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": encodable(message.summary)[:_SUMMARY],
        "body": [{"type": "RichTextBlock", "inlines": inlines} for inlines in ([title], *lines)],
        "actions": [{"type": "Action.OpenUrl", "title": encodable(text), "url": href} for text, href in links],
        "msteams": {"width": "Full"},
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return json.dumps({"type": "message", "attachments": [attachment]}, ensure_ascii=False).encode()
