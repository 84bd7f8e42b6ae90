"""Post a message to a Slack channel: by an incoming webhook, or as a bot, which threads what follows under its trigger.

Webhooks: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
The bot's method: https://docs.slack.dev/reference/methods/chat.postMessage
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from graphitepager.config.fields import Text, Token, refuse
from graphitepager.config.notifying import NotifierKeys
from graphitepager.config.urls import SecretUrl
from graphitepager.errors import SendError
from graphitepager.model import EventKind
from graphitepager.notifiers import Kind
from graphitepager.notifiers.posting import USUAL_LIMITS, one_line, post, refusal, web_address
from graphitepager.printable import encodable
from graphitepager.rules import Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from graphitepager.model import Link, Message
    from graphitepager.notifiers.posting import Answer, Limits
    from graphitepager.rules import Settings

_API_URL = "https://slack.com/api/chat.postMessage"
_OK = 200

# Slack's limit for a section is 3,000, and escaping makes text longer.
_MOST_TEXT = 2900
_MOST_ALT = 2000
_SUMMARY, _DETAIL = 1200, 300
_SAID = {"alert", "series", "level"}  # in the summary
_LONGEST_LINK = 1400  # two of them fit

_ICON = {
    Level.OK: ":large_green_circle:",
    Level.WARNING: ":large_yellow_circle:",
    Level.CRITICAL: ":red_circle:",
    Level.NO_DATA: ":white_circle:",
}

# What Slack says of a message that it finds fault with; a plainer one may do. A thread may be gone, too.
_INVALID = {
    "invalid_payload", "invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "no_text",
    "invalid_arguments", "invalid_json", "invalid_post_type", "invalid_form_data", "thread_not_found",
    "cannot_reply_to_message", "too_many_attachments", "invalid_attachments",
}  # fmt: skip
# And of itself.
_PASSING = {
    "ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout",
    "rollup_error", "message_limit_exceeded",
}  # fmt: skip
_THROTTLED = {"ratelimited", "rate_limited"}
_ADVICE = {
    "channel_not_found": "no such channel, or the bot may not see it: invite it, or check channel",
    "not_in_channel": "invite the bot to the channel",
    "is_archived": "the channel is archived",
    "channel_is_archived": "the channel is archived",
    "invalid_auth": "check the token",
    "account_inactive": "check the token",
    "token_revoked": "make a new token",
    "missing_scope": "the bot needs the scope chat:write",
    "not_authed": "check the token",
    "no_service": "the webhook was removed: make a new one",
    "invalid_token": "the webhook was removed: make a new one",
}


def _channel(value: str) -> str:
    if not re.fullmatch(r"[#@]?[^\s#@<>&|]{1,80}", value.strip()):
        raise refuse("expected the name of a channel or its id, such as #ops or C0123456789")
    return value.strip()


class Keys(NotifierKeys):
    """A Slack channel: by url, or by token and channel."""

    url: SecretUrl | None = Field(
        None, description="An incoming webhook.", examples=["https://hooks.slack.com/services/…"]
    )
    token: Token | None = Field(None, description="A bot token, with the scope chat:write.", examples=["xoxb-…"])
    channel: Annotated[Text, AfterValidator(_channel)] | None = Field(
        None, description="With a token, where to post: the channel's id, or its name.", examples=["C0123456789"]
    )

    @model_validator(mode="after")
    def _know_where(self) -> Keys:
        if (self.url is None) == (self.token is None):
            raise refuse("slack needs either url or token and channel", "url: is that of an incoming webhook")
        if (self.token is None) != (self.channel is None):
            raise refuse("token and channel go together", "an incoming webhook knows its channel")
        return self

    def address(self) -> str:
        return self.url or json.dumps({"token": self.token, "channel": self.channel})

    def secrets(self) -> Iterable[str]:
        return [self.token] if self.token else []


def from_settings(_settings: Settings) -> Slack:
    """Make the notifier; its address says everything."""
    return Slack()


# Slack takes about one message a second for each channel.
KIND = Kind(keys=Keys, make=from_settings, rate_per_minute=50)


class Slack:
    """Posts to the address: the URL of an incoming webhook, or a JSON object with `token` and `channel`."""

    def __init__(self, api_url: str = _API_URL, limits: Limits = USUAL_LIMITS) -> None:
        self._api_url = api_url
        self._limits = limits

    def send(self, message: Message, address: str) -> str:
        try:
            return self._send(message, address)
        except SendError as error:
            if not error.is_invalid or message.image is None:
                raise
        # Slack fetches the picture before it takes the message, and perhaps cannot reach it.
        return self._send(replace(message, image=None), address)

    def _send(self, message: Message, address: str) -> str:
        if not address.startswith("{"):
            answer = self._post(address, _body(message), [address])
            if answer.status == _OK and answer.text.strip() == "ok":
                return "200 ok"
            raise _refusal(answer, one_line(answer.text, [address]), [address])
        place = json.loads(address)
        return self._send_as_bot(message, place["token"], place["channel"])

    def _send_as_bot(self, message: Message, token: str, channel: str) -> str:
        body = _body(message) | {"channel": channel}
        # A webhook tells nobody what it has posted, and only the trigger's own answer says where its thread is.
        if message.in_reply_to and (found := re.search(r"\bchannel (\w+) ts ([0-9.]+)", message.in_reply_to)):
            body |= {"channel": found[1], "thread_ts": found[2]}
            if message.kind is EventKind.RESOLVED:
                body["reply_broadcast"] = True  # or nobody sees the end who does not look into the thread
        answer = self._post(self._api_url, body, [token], {"Authorization": f"Bearer {token}"})
        said = _json_object(answer.text)
        if answer.status == _OK and said.get("ok") is True:
            return f"200 ok channel {said.get('channel')} ts {said.get('ts')}"
        raise _refusal(answer, str(said.get("error") or ""), [token])

    def _post(
        self, url: str, body: dict[str, Any], secrets: Iterable[str], headers: dict[str, str] | None = None
    ) -> Answer:
        encoded = json.dumps(body).encode()
        return post(
            url, encoded, {"Content-Type": "application/json; charset=utf-8"} | (headers or {}), self._limits, secrets
        )


def _refusal(answer: Answer, word: str, secrets: Iterable[str]) -> SendError:
    """What a no means; `word` is Slack's own for it, if the answer is Slack's at all."""
    if not re.fullmatch(r"[a-z_]+", word) or word == "ok":
        if answer.status == _OK:  # a proxy's page; to send twice is harmless
            return SendError(f"Slack answered 200 without a verdict: {one_line(answer.text, secrets)}")
        return refusal("Slack", answer, secrets, "check the url")
    if word in _PASSING or answer.status // 100 == 5 or answer.status == 429:  # noqa: PLR2004 - HTTP's own
        error = refusal("Slack", answer, secrets)
        is_throttled = error.is_throttled or word in _THROTTLED
        return SendError(f"Slack answered {word}", is_throttled=is_throttled, retry_after=error.retry_after)
    advice = f" ({_ADVICE[word]})" if word in _ADVICE else ""
    return SendError(f"Slack answered {word}{advice}", permanent=True, is_invalid=word in _INVALID)


def _body(message: Message) -> dict[str, Any]:
    """The message as blocks, with a text for notifications. Nothing in it can mention anybody."""
    icon = _ICON[Level.OK if message.kind is EventKind.RESOLVED else message.level]
    parts = [f"{icon} *{_cut(_escaped(message.summary), _SUMMARY)}*", "\n".join(_details(message))]
    links = " · ".join(filter(None, map(_link, message.links)))
    blocks = [_section(part) for part in (*parts, links) if part]
    if message.image:
        alt = _cut(encodable(message.image.text), _MOST_ALT)
        blocks.append({"type": "image", "image_url": message.image.src, "alt_text": alt})
    return {
        "text": _cut(_escaped(message.summary), _MOST_TEXT),
        "blocks": blocks,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _details(message: Message) -> Iterator[str]:
    """What the summary does not say, a line each, as much as a section takes."""
    room = _MOST_TEXT
    shown = [(name, value) for name, value in message.details.items() if value is not None and name not in _SAID]
    for number, (name, value) in enumerate(shown):
        line = f"{_cut(_escaped(name), _DETAIL)}: {_cut(_escaped(str(value)), _DETAIL)}"
        room -= len(line) + 1
        if room < 0:
            yield f"… and {len(shown) - number} more"
            return
        yield line


def _link(link: Link) -> str:
    """`<https://…|Runbook>`; nothing where it is too long for that, or no link at all."""
    href = web_address(link.href)
    shown = "" if href is None else f"<{_escaped(href)}|{_escaped(link.text)}>"
    return shown if len(shown) <= _LONGEST_LINK else ""


def _section(text: str) -> dict[str, Any]:
    # Verbatim: a name such as #ops or @here stays what it is.
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _escaped(text: str) -> str:
    """Slack's three control characters as what they look like: `<!channel>` is how everybody is called."""
    return encodable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, limit: int) -> str:
    """No longer than that, and never in the middle of an entity."""
    return text if len(text) <= limit else re.sub(r"&[a-z]{0,3}$", "", text[: limit - 1]) + "…"


def _json_object(text: str) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
