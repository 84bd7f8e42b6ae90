"""Whether pages of the web answer: asked few at a time, each within seconds, and nothing is read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

from graphitepager import __version__
from graphitepager.deadlines import run_within

if TYPE_CHECKING:
    from collections.abc import Iterable

_AT_ONCE = 4
_TIMEOUTS_S = (3.0, 5.0)
_DEADLINE_S = 10.0
# The page is there, and wants to know who asks.
_BEHIND_A_LOGIN = {requests.codes.unauthorized, requests.codes.forbidden}


def unanswered(urls: Iterable[str]) -> dict[str, str]:
    """Of these URLs, those that do not answer with a page, and why in a few words. Never raises for what they do."""
    silent: dict[str, str] = {}  # hosts

    def ask(url: str) -> str | None:
        host = urlsplit(url).netloc
        if host in silent:
            return silent[host]
        try:
            return run_within(_DEADLINE_S, lambda: _ask(url))
        except TimeoutError:
            reason = f"no answer within {_DEADLINE_S:g} s"
        except requests.Timeout:
            reason = "no answer in time"
        except requests.RequestException as error:
            # Its text may hold the whole URL, and what is wrong with it is in its name.
            reason = f"no answer ({type(error).__name__})"
        silent[host] = reason
        return reason

    distinct = list(dict.fromkeys(urls))
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        answers = pool.map(ask, distinct)
        return {url: reason for url, reason in zip(distinct, answers, strict=True) if reason is not None}
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # whoever is interrupted waits for none


def _ask(url: str) -> str | None:
    with requests.Session() as session:
        session.headers["User-Agent"] = f"graphite-pager/{__version__}"
        session.auth = lambda request: request  # or ~/.netrc would be looked into
        status = session.head(url, timeout=_TIMEOUTS_S, allow_redirects=True).status_code
        if status >= requests.codes.bad_request and status not in _BEHIND_A_LOGIN:  # some know no HEAD
            with session.get(url, timeout=_TIMEOUTS_S, stream=True) as answer:
                status = answer.status_code
    is_there = status < requests.codes.bad_request or status in _BEHIND_A_LOGIN
    return None if is_there else f"it answers {status}"
