"""One POST over HTTP, bounded as a whole, and what its answer means: for receivers that have no client of their own."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urlsplit

from graphitepager.deadlines import run_within
from graphitepager.errors import SendError
from graphitepager.notifiers.oneshot import Cut
from graphitepager.printable import encodable
from graphitepager.redaction import pieces_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Nobody who accepts a message has more to say.
_MOST_READ = 65_536
_REASON_LENGTH = 300
_URL_SAFE = ":/?#[]@!$&'()*+,;=%~"
_BAD_REQUEST, _REQUEST_TIMEOUT, _TOO_LARGE, _UNPROCESSABLE, _TOO_MANY_REQUESTS = 400, 408, 413, 422, 429
_INVALID = {_BAD_REQUEST, _TOO_LARGE, _UNPROCESSABLE}


class Answer(NamedTuple):
    """An HTTP answer, whatever its status; of a long one only the beginning."""

    status: int
    headers: Mapping[str, str]
    text: str


class Limits(NamedTuple):
    """`timeout_s` bounds each wait for the network, `deadline_s` the whole."""

    timeout_s: float = 5.0
    deadline_s: float = 10.0


USUAL_LIMITS = Limits()


def post(url: str, body: bytes, headers: Mapping[str, str], limits: Limits, secrets: Iterable[str] = ()) -> Answer:
    """Post once and return the answer; SendError where there is none. Neither the URL nor a secret is ever quoted."""
    request = _Request(url, body, headers, limits.timeout_s)
    host = urlsplit(url).netloc.rpartition("@")[2]
    try:
        return run_within(limits.deadline_s, request.answer)
    except TimeoutError:
        request.cut()
        raise SendError(f"{host} gave no whole answer within {limits.deadline_s:g} s") from None
    except Exception as error:  # noqa: BLE001 - whatever the HTTP library throws means that there is no answer
        words = one_line(str(error), [url, *secrets]) or type(error).__name__
        raise SendError(f"{host} gave no answer: {words}") from None


def refusal(name: str, answer: Answer, secrets: Iterable[str] = (), advice: str = "") -> SendError:
    """What an answer that accepts nothing means: whether the message is to blame, or the address, or the moment."""
    status = answer.status
    said = one_line(answer.text, secrets)
    reason = f"{name} answered {status}" + (f": {said}" if said else "")
    if status in {_REQUEST_TIMEOUT, _TOO_MANY_REQUESTS} or status // 100 not in {3, 4}:
        wish = retry_after(answer.headers)
        return SendError(reason, is_throttled=status == _TOO_MANY_REQUESTS, retry_after=wish)
    is_invalid = status in _INVALID
    if advice and not is_invalid:
        reason += f" ({advice})"
    # What refuses the address may be a proxy in between.
    return SendError(reason, permanent=True, is_invalid=is_invalid, may_pass=not is_invalid)


def one_line(text: str, secrets: Iterable[str] = ()) -> str:
    """Somebody else's text on one short line, without our secrets should they have quoted them, or parts of a URL."""
    known = {part for secret in secrets for part in (secret, *pieces_of(secret)) if part.strip("/")}
    for secret in sorted(known, key=len, reverse=True):
        text = re.sub(re.escape(secret), "(secret)", text, flags=re.IGNORECASE)
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= _REASON_LENGTH else line[:_REASON_LENGTH] + "…"


def web_address(href: str) -> str | None:
    """The link as any server takes it, encoded where a URL has to be; None where it is none."""
    try:
        parts = urlsplit(encodable(href))
        host, _ = parts.hostname or "", parts.port  # a port is only checked where it is asked for
    except ValueError:
        return None
    is_sound = parts.scheme in ("http", "https") and re.fullmatch(r"[\w.:-]+", host, re.ASCII)
    return quote(parts.geturl(), safe=_URL_SAFE) if is_sound else None


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """How long we are asked to wait. A date is counted from the answer's own, so that our clock does not matter."""
    wish = headers.get("Retry-After", "")
    if re.fullmatch(r"[0-9]{1,9}", wish):
        return timedelta(seconds=int(wish))
    try:
        wait = _http_date(wish) - _http_date(headers.get("Date", ""))
    except ValueError:
        return None
    return max(wait, timedelta(0))


def _http_date(text: str) -> datetime:
    when = parsedate_to_datetime(text)
    return when if when.tzinfo else when.replace(tzinfo=UTC)


class _Request:
    """One request on a connection of its own, which can be cut off from another thread."""

    def __init__(self, url: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> None:
        self._url = url
        self._body = body
        self._headers = {**headers, "Accept-Encoding": "identity", "User-Agent": "graphite-pager"}
        self._timeout_s = timeout_s
        self._cut = Cut()

    def answer(self) -> Answer:
        import httpx2  # noqa: PLC0415 - slow to import, and wanted by those only who send

        with (
            httpx2.Client(timeout=self._timeout_s, event_hooks=self._cut.hooks) as client,
            client.stream("POST", self._url, content=self._body, headers=self._headers) as response,
        ):
            text = b""
            for piece in response.iter_raw():
                text += piece
                if len(text) >= _MOST_READ:
                    break
            return Answer(response.status_code, response.headers, text[:_MOST_READ].decode("utf-8", "replace"))

    def cut(self) -> None:
        """End it for good: what arrived later could overtake what is sent after it."""
        self._cut.make()
