"""One request to Graphite's render API: a query in, the parsed answer or a FetchError out.

An answer that is late, cut short or of another kind is an error, never fewer series: a series that is missing from
an answer will be taken as gone.
"""

from __future__ import annotations

import contextlib
import functools
import html
import http.client
import math
import re
import socket
import ssl
import zlib
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urljoin, urlsplit

import requests
import urllib3
import urllib3.exceptions
from requests.auth import HTTPBasicAuth
from requests.structures import CaseInsensitiveDict

from graphitepager import __version__, rawdata
from graphitepager.errors import FetchError
from graphitepager.graphite.line import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from urllib3.response import BaseHTTPResponse

    from graphitepager.rawdata import RawAnswer
    from graphitepager.roll import Roll
    from graphitepager.rules import Query, Settings

# Where an answer that runs away ends; a million series of a minute each are about 70 MB.
MAX_ANSWER_BYTES = 128 * 1024 * 1024
_MAX_ERROR_BYTES = 64 * 1024
_MAX_LINE = 200
_PIECE_BYTES = 64 * 1024
_GZIP_WBITS = 16 + zlib.MAX_WBITS
_OK = 200

# graphite-web's error page holds the traceback, whose last line is the exception's.
_TRACEBACK = re.compile(r"<pre>\s*(Traceback .*?)(?:</pre>|\Z)", re.DOTALL)

# What can go wrong on the way, in words. The first kind that is among an error's causes is the one to name.
_SENTENCES: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (urllib3.exceptions.ReadTimeoutError, "no answer within {read_s:g} s"),
    (TimeoutError, "no connection to {host} within {connect_s:g} s"),
    (urllib3.exceptions.ProxyError, "the proxy that the environment names did not let the request through"),
    (ssl.SSLError, "TLS with {host} failed: {detail}"),
    (
        (requests.exceptions.InvalidURL, urllib3.exceptions.LocationParseError),
        "GRAPHITE_URL holds a host name that cannot be one",
    ),
    (socket.gaierror, "the host name of {host} cannot be resolved"),
    (ConnectionRefusedError, "nothing listens at {host} (connection refused)"),
    ((http.client.IncompleteRead, urllib3.exceptions.IncompleteRead), "the answer breaks off"),
    (ConnectionError, "{host} closed the connection without a whole answer"),
    (http.client.HTTPException, "{host} does not speak HTTP: is GRAPHITE_URL right?"),
    (zlib.error, "the answer's gzip data is corrupt"),
    (OSError, "no connection to {host}: {detail}"),
)


_HEADERS = {
    "User-Agent": f"graphite-pager/{__version__}",
    "Accept-Encoding": "gzip",
    "Content-Type": "application/x-www-form-urlencoded",
}


class _UnusableError(Exception):
    """The answer cannot be used; the text says why."""


class Connection:
    """A keep-alive connection to one Graphite, for one thread at a time."""

    def __init__(self, settings: Settings, *, max_answer_bytes: int = MAX_ANSWER_BYTES) -> None:
        self._settings = settings
        self._max_answer_bytes = max_answer_bytes
        self._url = settings.graphite_url.rstrip("/") + "/render"
        self._session = requests.Session()
        # Proxies and certificates may come from the environment, where operators set them for every program.
        # Credentials may not: an `auth` that does nothing keeps requests from sending what ~/.netrc has for the host.
        self._session.auth = _credentials(settings) or (lambda request: request)
        self._session.headers = CaseInsensitiveDict(_HEADERS)
        self._timeout = _timeout(settings, math.inf)
        self._line: Line | None = None

    def ask(self, query: Query, remaining_s: Callable[[], float], before: Roll | None = None) -> RawAnswer:
        """Fetch and parse; `remaining_s` tells how long the answer is still wanted. Raises FetchError.

        `before` is the roll of the last answer to the same query.
        """
        try:
            if self._line is None:
                self._line = Line.to(self._url, self._session)
            with self._line.posted(_form(query), self._timeout_within(remaining_s())) as response:
                pieces = _decoded(response, _received(response, remaining_s))
                _check(response, pieces, self._url)
                return _parsed(_whole(pieces, self._max_answer_bytes), before)
        except _UnusableError as error:
            reason = str(error)
        except (requests.RequestException, urllib3.exceptions.HTTPError, zlib.error) as error:
            reason = self._explain(error)
        # Raised out here, the error does not hold on to the ones above, with the request and the body in their frames.
        raise FetchError(query.target, reason)

    def close(self) -> None:
        if self._line is not None:
            self._line.close()
        self._session.close()

    def _timeout_within(self, remaining_s: float) -> urllib3.Timeout:
        wanted_s = remaining_s + 0.05  # what times out because the answer is no longer wanted does so after that
        if wanted_s < max(self._settings.graphite_connect_timeout_s, self._settings.graphite_read_timeout_s):
            return _timeout(self._settings, wanted_s)
        return self._timeout

    def _explain(self, error: Exception) -> str:
        """Say in a sentence what went wrong on the way, without the URL and whatever libraries put into their texts."""
        causes = list(_causes(error))
        for kinds, sentence in _SENTENCES:
            for cause in causes:
                if isinstance(cause, kinds):
                    return sentence.format(
                        host=urlsplit(self._url).netloc,
                        connect_s=self._settings.graphite_connect_timeout_s,
                        read_s=self._settings.graphite_read_timeout_s,
                        detail=_detail(cause),
                    )
        return f"the request failed ({type(error).__name__})"


def _timeout(settings: Settings, at_most_s: float) -> urllib3.Timeout:
    return urllib3.Timeout(
        connect=min(settings.graphite_connect_timeout_s, at_most_s),
        read=min(settings.graphite_read_timeout_s, at_most_s),
    )


@functools.lru_cache(maxsize=4096)
def _form(query: Query) -> bytes:
    form = {"target": query.target, "from": query.from_, "until": query.until, "format": "raw", "noCache": "1"}
    return urlencode({name: value for name, value in form.items() if value is not None}).encode()


def _credentials(settings: Settings) -> HTTPBasicAuth | None:
    if not settings.graphite_user:
        return None
    # As UTF-8 (RFC 7617): requests would encode text as Latin-1.
    return HTTPBasicAuth(settings.graphite_user.encode(), (settings.graphite_pass or "").encode())


def _received(response: BaseHTTPResponse, remaining_s: Callable[[], float]) -> Iterator[bytes]:
    """Yield the body as it arrives. The read timeout alone would let a trickle go on for ever."""
    while response.length_remaining != 0 and (piece := response.read1(_PIECE_BYTES, decode_content=False)):
        if remaining_s() <= 0:
            raise _UnusableError("the answer came too slowly")
        yield piece


def _decoded(response: BaseHTTPResponse, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Undo gzip in bounded steps; urllib3 would take a gzip stream that was cut for a whole one."""
    encoding = response.headers.get("Content-Encoding", "identity").lower()
    if encoding == "identity":
        yield from pieces
        return
    if encoding != "gzip":
        raise _UnusableError(f"answered in the encoding {_plain(encoding)}, which was not asked for")
    decoder = zlib.decompressobj(_GZIP_WBITS)
    for piece in pieces:
        yield decoder.decompress(piece, _PIECE_BYTES)
        while decoder.unconsumed_tail:
            yield decoder.decompress(decoder.unconsumed_tail, _PIECE_BYTES)
    yield decoder.flush()
    if not decoder.eof or decoder.unused_data:
        raise _UnusableError("the answer's gzip data breaks off")


def _check(response: BaseHTTPResponse, pieces: Iterable[bytes], url: str) -> None:
    """Let only raw data pass; everything else is named by its status and, where there is one, Graphite's message."""
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if response.status == _OK:
        if kind == "text/plain":
            return
        name = "HTML" if kind == "text/html" else _plain(kind) or "something untyped"
        raise _UnusableError(f"answered {name} instead of raw data: is GRAPHITE_URL the root of graphite-web?")
    status = f"{response.status} {http.client.responses.get(response.status, '')}".strip()
    if response.get_redirect_location() is not False:
        raise _UnusableError(
            f"{status}: redirected to {_origin(url, response)}, but GRAPHITE_URL must answer by itself"
        )
    if response.status in (401, 403):
        raise _UnusableError(f"{status}: check GRAPHITE_USER and GRAPHITE_PASS")
    message = _message(_beginning(pieces, _MAX_ERROR_BYTES)) if kind.startswith("text/") else ""
    raise _UnusableError(f"{status}: {message}" if message else status)


def _whole(pieces: Iterable[bytes], limit: int) -> bytes:
    held, size = [], 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size > limit:
            raise _UnusableError(f"the answer is larger than {limit / 2**20:g} MiB")
    return b"".join(held)


def _beginning(pieces: Iterable[bytes], limit: int) -> bytes:
    """As much of an error page as there is; nobody minds where it ends."""
    held = bytearray()
    with contextlib.suppress(_UnusableError, urllib3.exceptions.HTTPError, zlib.error):
        for piece in pieces:
            held += piece
            if len(held) >= limit:
                break
    return bytes(held[:limit])


def _parsed(body: bytes, before: Roll | None) -> RawAnswer:
    answer = rawdata.parse(body, before)
    if answer.bad_lines and not answer.blocks:
        raise _UnusableError(f"answered something else than raw data, beginning with: {_plain(answer.bad_lines[0])}")
    if body and not body.endswith(b"\n"):  # the only sign, where neither a length nor chunks tell
        raise _UnusableError("the answer breaks off in the middle of a line")
    return answer


def _message(body: bytes) -> str:
    """Return the first line that means something, or nothing. graphite-web calls even its plain messages HTML."""
    text = body.decode("utf-8", "replace").strip()
    if text.startswith("<"):
        page = _TRACEBACK.search(text)
        return _plain(html.unescape(page[1]).strip().splitlines()[-1]) if page else ""
    return _plain(text.partition("\n")[0])


def _origin(url: str, response: BaseHTTPResponse) -> str:
    """Where a redirect leads, without path, query and credentials."""
    try:
        there = urlsplit(urljoin(url, response.headers["Location"]))
    except ValueError:
        return "an invalid URL"
    return _plain(f"{there.scheme}://{there.netloc.rpartition('@')[2]}")


def _plain(text: str) -> str:
    """Make one short line of it that is safe to print."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= _MAX_LINE else line[: _MAX_LINE - 1] + "…"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield what led to the error, the root first."""
    if error is not None:
        yield from _causes(error.__cause__ or error.__context__)
        yield error


def _detail(cause: BaseException) -> str:
    """What the operating system or OpenSSL call it."""
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _plain(cause.verify_message)
    if isinstance(cause, ssl.SSLError):
        return _plain(cause.reason or "handshake failed").replace("_", " ").lower()
    return _plain(getattr(cause, "strerror", None) or type(cause).__name__)
