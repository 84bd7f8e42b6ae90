"""A kept connection on which requests are posted, as cheaply as http.client can.

requests finds out where to, through which proxy and with which certificates and credentials, once. urllib3 connects,
and posts the first request of each connection. What both do anew for each request, whose answers are small for the most
part, takes longer than all else together: the next ones are written to the connection as they are.
"""

from __future__ import annotations

import contextlib
import http.client
from typing import TYPE_CHECKING, Self, cast
from urllib.parse import urlsplit

import requests
import urllib3
from urllib3.exceptions import ReadTimeoutError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from requests.adapters import HTTPAdapter
    from urllib3.connection import HTTPConnection
    from urllib3.response import BaseHTTPResponse

# Made once: to make one takes a tenth of the time of a small request.
_NO_RETRIES = urllib3.Retry(total=False, redirect=False)


class Line:
    """Where to, through which connection, with which headers. For one thread, and one request at a time."""

    def __init__(self, path: str, pool: urllib3.HTTPConnectionPool, headers: Mapping[str, str]) -> None:
        self._path = path
        self._pool = pool
        self._headers = headers
        fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._head = f"POST {path} HTTP/1.1\r\n{fields}Content-Length: ".encode("latin-1")
        self._connection: HTTPConnection | None = None

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
        path = adapter.request_url(request, found["proxies"])
        host = urlsplit(request.url or url).netloc.rpartition("@")[2]
        # A proxy that forwards is asked for a whole URL; a tunnel was opened with these headers, which end there.
        for_proxy = {} if path.startswith("/") else pool.proxy_headers
        return cls(path, pool, {"Host": host, **request.headers, **for_proxy})

    @contextlib.contextmanager
    def posted(self, body: bytes, timeout: urllib3.Timeout) -> Iterator[BaseHTTPResponse]:
        """Post something, and read the answer to its end in the block. Raises urllib3.exceptions.HTTPError.

        Where the block raises something, the connection is closed: the rest of the answer may still be to come on it.
        """
        response = self._post_on_kept(body, timeout) or self._post_on_new(body, timeout)
        try:
            yield response
        except BaseException:
            response.close()
            if self._connection is not None:
                self._connection.close()
            raise

    def close(self) -> None:
        self._pool.close()  # which has the connection, too, since its first answer was read

    def _post_on_new(self, body: bytes, timeout: urllib3.Timeout) -> BaseHTTPResponse:
        response = self._pool.urlopen(
            "POST",
            self._path,
            body=body,
            headers=self._headers,
            retries=_NO_RETRIES,
            redirect=False,
            assert_same_host=False,
            timeout=timeout,
            preload_content=False,
            decode_content=False,
        )
        self._connection = cast("HTTPConnection", response.connection)
        return response

    def _post_on_kept(self, body: bytes, timeout: urllib3.Timeout) -> BaseHTTPResponse | None:
        """None where no connection is kept any more.

        The other side may close an idle connection in the moment in which it is used again. A render changes nothing,
        so it can be asked for twice.
        """
        connection = self._connection
        if connection is None or not connection.is_connected:
            return None
        response = http.client.HTTPResponse(connection.sock, method="POST")
        try:
            connection.sock.settimeout(timeout.read_timeout)
            connection.sock.sendall(b"%b%d\r\n\r\n%b" % (self._head, len(body), body))
            response.begin()
        except (OSError, http.client.HTTPException) as error:
            response.close()
            connection.close()
            if isinstance(error, TimeoutError):
                raise ReadTimeoutError(self._pool, self._path, "no answer") from error
            return None
        if response.will_close:
            connection.close()  # when the response is: it holds the socket, too
        return urllib3.HTTPResponse(
            response,
            dict(response.headers.items()),
            response.status,
            preload_content=False,
            decode_content=False,
            original_response=response,
        )
