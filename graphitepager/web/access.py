"""Who may see the pages: by a password, by a token, or because a proxy has let them in. What fails too often waits."""

from __future__ import annotations

import hashlib
import hmac
import re
import threading
import time
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import BadRequest, TooManyRequests, Unauthorized

from graphitepager.printable import printable
from graphitepager.telemetry import log
from graphitepager.web.attempts import Attempts
from graphitepager.web.site import this_site
from graphitepager.websettings import Address

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.datastructures import Authorization

    from graphitepager.websettings import WebSettings

    View = TypeVar("View", bound=Callable[..., object])

_LONGEST_NAME = 100
_NAMELESS = "token"  # who has the token, and has given no name with it
_PORT = re.compile(":[0-9]*$")
_SCHEME = 'Basic realm="graphite-pager", charset="UTF-8"'


def public(view: View) -> View:
    """Mark a view that nobody has to log in for, under whatever name this machine is asked for it."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def install(app: Flask) -> None:
    """Let nobody in who may not, to whatever address."""
    attempts, lock = Attempts(), threading.Lock()

    @app.before_request
    def admit() -> None:
        site = this_site()
        g.user = None
        if _is_public():
            return
        _check_host(site.settings)
        if not site.settings.is_guarded:
            return
        name = _named_by_proxy(site.settings)
        if name is None:
            with lock:
                name = _logged_in(site.settings, attempts)
        g.user = name


def user() -> str | None:
    """Who is asking, as far as they had to say."""
    name: str | None = g.get("user")
    return name


def named_user() -> str | None:
    """Who is asking, where that is somebody's name."""
    return None if user() == _NAMELESS else user()


def client() -> str:
    """The address that asks: that which the nearest proxy of ours saw."""
    address = request.remote_addr or ""
    settings = this_site().settings
    for hop in reversed(request.access_route if settings.is_proxy(address) else []):
        address = hop
        if not settings.is_proxy(hop):
            break
    return address


def _is_public() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return bool(getattr(view, "is_public", False))


def _check_host(settings: WebSettings) -> None:
    """Refuse other names for this machine: a page elsewhere could give it one, and read what it says."""
    if settings.is_guarded and not settings.public_url:
        return  # a browser sends no password to a name that it has none for
    host = request.host
    expected = urlsplit(settings.public_url or "").netloc.lower()
    if host.lower() != expected and not Address(_PORT.sub("", host).strip("[]"), 0).is_loopback:
        raise BadRequest("This name is not expected here. If it is the right one, set PUBLIC_URL.")


def _named_by_proxy(settings: WebSettings) -> str | None:
    if not settings.proxy_header or not settings.is_proxy(request.remote_addr or ""):
        return None
    name = request.headers.get(settings.proxy_header, "").strip()
    return printable(name)[:_LONGEST_NAME] or None


def _logged_in(settings: WebSettings, attempts: Attempts) -> str:
    """The name of who has the password or the token. Raises what the others get."""
    if "Authorization" not in request.headers:
        raise _unauthorized()
    try:
        given = request.authorization
    except ValueError:  # what is no ASCII
        given = None
    now, address = time.monotonic(), client()
    wait_s = attempts.wait_s(address, now)
    if wait_s:
        raise TooManyRequests("Too many failed logins. Wait a little, then try again.", retry_after=int(wait_s) + 1)
    name = None if given is None else _name_of(given, settings)
    if name is None:
        attempts.failed(address, now)
        log.warning("login_refused", address=address)
        raise _unauthorized()
    attempts.succeeded(address, now)
    return name


def _name_of(given: Authorization, settings: WebSettings) -> str | None:
    """Who this is; None where neither password nor token is right. Every comparison takes its time, right or wrong."""
    secret = given.token if given.type == "bearer" else given.password if given.type == "basic" else None
    name = given.username or "" if given.type == "basic" else ""
    has_token = settings.token is not None and _same(secret or "", settings.token)
    is_user = given.type == "basic" and settings.user is not None and _same(name, settings.user)
    has_password = settings.password is not None and _same(secret or "", settings.password)
    if secret and (has_token or (is_user and has_password)):
        return printable(name)[:_LONGEST_NAME] or _NAMELESS
    return None


def _same(given: str, wanted: str) -> bool:
    """Compare in a time that tells neither how much is right nor how long the right one is."""
    first, second = (hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in (given, wanted))
    return hmac.compare_digest(first, second)


def _unauthorized() -> Unauthorized:
    return Unauthorized("Log in to see this page.", response=_challenge())


def _challenge() -> Response:
    """What makes a browser ask for a name and a password."""
    return Response("Log in to see this page.\n", 401, {"WWW-Authenticate": _SCHEME}, mimetype="text/plain")
