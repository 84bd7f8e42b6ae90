"""Addresses of the chart of a series as it was when it paged: signed, so that nobody else can ask for one."""

from __future__ import annotations

import hashlib
import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from itsdangerous import BadData, URLSafeSerializer

from graphitepager.model import OWN, EventKind, Image, SeriesKey
from graphitepager.printable import encodable, printable

if TYPE_CHECKING:
    from graphitepager.model import Event

# For how long such an address is good, and how much of the time before it shows.
LASTS = timedelta(days=30)
_SHOWN = timedelta(hours=3)
_SALT = "graphite-pager chart"
# Proxies and chats cut longer ones off.
_LONGEST = 1_500
_LONGEST_TEXT = 200


class Charted(NamedTuple):
    """What an address asks for."""

    key: SeriesKey
    begin: datetime
    end: datetime


def image_of(event: Event, public_url: str, secret: str) -> Image | None:
    """The picture for a message; None where there is no single series to show, or its name is too long."""
    is_begin = event.kind in {EventKind.TRIGGERED, EventKind.REPEATED, EventKind.FLAPPING}
    if not is_begin or event.entry is None or event.size or not event.key.is_series or event.key.alert == OWN:
        return None
    try:
        token = _token(Charted(event.key, event.at - _SHOWN, event.at), secret)
    except ValueError:  # a lone surrogate, which no address can hold
        return None
    address = f"{public_url.rstrip('/')}/charts/{token}.png"
    text = ": ".join(event.key.words)
    return Image(address, printable(encodable(text))[:_LONGEST_TEXT]) if len(address) <= _LONGEST else None


def charted(token: str, secret: str, now: datetime) -> Charted | None:
    """What a token asks for; None where it is none of ours, or too old."""
    try:
        alert, series, begin, end = _serializer(secret).loads(token)
    except (BadData, ValueError, TypeError):
        return None
    found = Charted(SeriesKey(alert, series), _moment(begin), _moment(end))
    return found if found.end <= now + timedelta(minutes=5) and now - found.end <= LASTS else None


def _token(one: Charted, secret: str) -> str:
    times = (math.floor(moment.timestamp()) for moment in (one.begin, one.end))
    token = _serializer(secret).dumps([*one.key, *times])
    return token if isinstance(token, str) else token.decode()


def _serializer(secret: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret, salt=_SALT, signer_kwargs={"digest_method": hashlib.sha256})


def _moment(epoch_s: int) -> datetime:
    return datetime.fromtimestamp(epoch_s, UTC)
