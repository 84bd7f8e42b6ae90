"""A kept connection on which requests are posted, as cheaply as urllib3 can.

requests finds out where to, through which proxy and with which certificates and credentials, once. What it does anew
for each request, whose answers are small for the most part, would take longer than all else together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self, cast

import requests
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from requests.adapters import HTTPAdapter
    from urllib3.response import BaseHTTPResponse

# Made once: to make one takes a tenth of the time of a small request.
_NO_RETRIES = urllib3.Retry(total=False, redirect=False)


class Line(NamedTuple):
    """Where to, through which connection, with which headers. For one thread."""

    path: str
    pool: urllib3.HTTPConnectionPool
    headers: Mapping[str, str]

    @classmethod
    def to(cls, url: str, session: requests.Session) -> Self:
        """Have a session say how it would post to this URL. Raises requests.RequestException."""
        request = session.prepare_request(requests.Request("POST", url))
        request.headers.pop("Content-Length", None)  # that of no body
        found = session.merge_environment_settings(url, {}, stream=True, verify=None, cert=None)
        adapter = cast("HTTPAdapter", session.get_adapter(url))
        pool = cast(
            "urllib3.HTTPConnectionPool",
            adapter.get_connection_with_tls_context(request, found["verify"], found["proxies"], found["cert"]),
        )
        pool.ConnectionCls = _TLSInOneWrite if pool.scheme == "https" else _InOneWrite
        return cls(adapter.request_url(request, found["proxies"]), pool, dict(request.headers))

    def post(self, body: bytes, timeout: urllib3.Timeout) -> BaseHTTPResponse:
        """Post something; the answer is yet to be read, and to be closed. Raises urllib3.exceptions.HTTPError."""
        return self.pool.urlopen(
            "POST",
            self.path,
            body=body,
            headers=self.headers,
            retries=_NO_RETRIES,
            redirect=False,
            assert_same_host=False,
            timeout=timeout,
            preload_content=False,
            decode_content=False,
        )


class _InOneWrite(HTTPConnection):
    """Holds the head of a request back for its body: one packet instead of two, and threads that are woken once."""

    _head: bytes | None = None

    def endheaders(self, message_body: Any = None, *, encode_chunked: bool = False) -> None:
        self._head = b""
        super().endheaders(message_body, encode_chunked=encode_chunked)

    def send(self, data: Any) -> None:
        if self._head == b"":
            self._head = data
            return
        if self._head:
            data, self._head = self._head + data, None  # before it is sent: that may want to open a tunnel first
        super().send(data)


class _TLSInOneWrite(_InOneWrite, HTTPSConnection):
    """The same within TLS."""
