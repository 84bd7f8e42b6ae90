"""Lines over HTTP, as Hosted Graphite takes them: POST, the API key as user name, any 2xx for an answer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import requests

from graphitepager import __version__
from graphitepager.deadlines import run_within
from graphitepager.errors import GraphiteError

if TYPE_CHECKING:
    from collections.abc import Iterable

_CONNECT_S = 10.0
# A receiver that is always just in time would be waited for without end.
_LONGEST_S = 600.0
_OK, _REDIRECTED, _TOO_MANY, _SERVER_ERROR = 200, 300, 429, 500


class HttpSink(NamedTuple):
    """Where lines are posted to. `timeout_s` bounds the wait for each answer."""

    url: str
    key: str | None
    timeout_s: float

    @property
    def place(self) -> str:
        return urlsplit(self.url).netloc.rpartition("@")[2]

    def send(self, batches: Iterable[bytes]) -> None:
        """Post all of it; GraphiteError where one piece was not accepted."""
        end = time.monotonic() + _LONGEST_S
        with requests.Session() as session:
            # An `auth` that does nothing keeps requests from sending what ~/.netrc has for the host.
            session.auth = (self.key, "") if self.key else (lambda request: request)
            session.headers["User-Agent"] = f"sql-to-graphite/{__version__}"
            session.headers["Content-Type"] = "text/plain"
            for batch in batches:
                self._post(session, batch)
                if time.monotonic() > end:
                    raise GraphiteError(f"{self.place} took longer than {_LONGEST_S:g} s to take it all")

    def _post(self, session: requests.Session, batch: bytes) -> None:
        connect_s = min(_CONNECT_S, self.timeout_s)

        def post() -> requests.Response:
            answer = session.post(
                self.url, data=batch, timeout=(connect_s, self.timeout_s), allow_redirects=False, stream=True
            )
            answer.close()
            return answer

        try:
            # The session's own timeout counts for each wait: an answer that trickles in has no end.
            answer = run_within(connect_s + self.timeout_s, post)
        except (requests.Timeout, TimeoutError):
            raise GraphiteError(f"{self.place} did not answer within {self.timeout_s:g} s") from None
        except requests.RequestException as error:
            raise GraphiteError(f"no connection to {self.place} ({type(error).__name__})") from None
        if not _OK <= answer.status_code < _REDIRECTED:
            permanent = answer.status_code != _TOO_MANY and answer.status_code < _SERVER_ERROR
            hint = ": check the API key" if answer.status_code in (401, 403) else ""
            raise GraphiteError(
                f"{self.place} answered {answer.status_code} {answer.reason}{hint}", permanent=permanent
            )
