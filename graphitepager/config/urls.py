"""The kinds of URLs that alerts.yml and the environment hold. Any of them may hold a password, so none is quoted."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, WithJsonSchema

from graphitepager.config.fields import Text, refuse

if TYPE_CHECKING:
    from collections.abc import Callable

_EVENTS_URLS = "https://events.pagerduty.com or https://events.eu.pagerduty.com"
_API_URLS = "https://api.pagerduty.com or https://api.eu.pagerduty.com"
_URL_SCHEMA = WithJsonSchema({"type": "string", "pattern": "^https?://"})


def _base_url(value: str, example: str) -> SplitResult:
    """The parts of an http(s) URL that a path can be put behind; its text may hold a password and is not quoted."""
    try:
        url = urlsplit(value)
        usable = url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:
        usable = False
    if not usable or re.search(r"[\s?#\\]", value):
        hint = "percent-encode the password, or set it apart from the URL" if "@" in value else None
        raise refuse(f"expected a URL like {example}", hint)
    return url


def _graphite_url(value: str) -> str:
    url = value.strip().rstrip("/")
    _base_url(url, "https://graphite.example.com, with nothing after the path")
    return url


def _pagerduty_url(examples: str, secrets: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        url = value.strip().rstrip("/")
        parts = _base_url(url, examples)
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            raise refuse(f"{secrets} travel over https only", f"write {examples}")
        return url

    return check


def _ping_url(value: str) -> str:
    """Never quotes what it was given: who knows the path can keep the watch quiet."""
    url = value.strip()
    # Here a query is usual.
    _base_url(url.partition("?")[0], "https://hc-ping.com/…")
    if re.search(r"[\s#\\]", url):
        raise refuse("expected a URL like https://hc-ping.com/…")
    return url


def _secret_url(value: str) -> str:
    """A URL that lets everybody in who knows it: never quoted, and never sent in plain text."""
    url = value.strip()
    parts = _base_url(url.partition("?")[0], "https://…")
    if re.search(r"[^!-~]|[#\\]", url):
        raise refuse("expected a URL like https://…, percent-encoded")
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise refuse("who reads this URL on its way can use it: https only", "write https://…")
    return url


def _public_url(value: str) -> str:
    url = value.strip().rstrip("/")
    if _base_url(url, "https://pager.example.com, with nothing after the path").username is not None:
        raise refuse("expected a URL without user and password: it stands in messages")
    return url


def is_loopback(host: str) -> bool:
    """Whether what is sent there stays on this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


GraphiteUrl = Annotated[Text, AfterValidator(_graphite_url), _URL_SCHEMA]
EventsUrl = Annotated[Text, AfterValidator(_pagerduty_url(_EVENTS_URLS, "routing keys")), _URL_SCHEMA]
ApiUrl = Annotated[Text, AfterValidator(_pagerduty_url(_API_URLS, "API tokens")), _URL_SCHEMA]
PingUrl = Annotated[
    Text,
    AfterValidator(_ping_url),
    WithJsonSchema({"type": "string", "pattern": "^https?://", "writeOnly": True}),
]
PublicUrl = Annotated[Text, AfterValidator(_public_url), _URL_SCHEMA]
SecretUrl = Annotated[
    Text, AfterValidator(_secret_url), WithJsonSchema({"type": "string", "pattern": "^https?://", "writeOnly": True})
]
