"""Forms are sent from our own pages only: a token in each, a cookie beside it, and what the browser says itself."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import g, request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.exceptions import Forbidden

from graphitepager.web import access
from graphitepager.web.site import this_site

if TYPE_CHECKING:
    from flask import Flask, Response

FIELD = "form_token"
_COOKIE = "graphite_pager_form"
_LASTS_S = 12 * 60 * 60
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
# What a page of somebody else can have a browser send without asking first. Everything else needs our leave, which
# nobody gets.
_SENT_BY_ANY_PAGE = frozenset({"", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})
_STALE = "This form is no longer good: it was opened too long ago, or elsewhere. Go back, reload the page, try again."


def install(app: Flask) -> None:
    """Refuse what was not sent by a page of ours; give every template `form_token()`."""
    app.before_request(_check)
    app.after_request(_keep_cookie)
    app.jinja_env.globals["form_token"] = token


def token() -> str:
    """What a form of this page has to hold, in the field named FIELD."""
    g.form_cookie = request.cookies.get(_COOKIE) or g.get("form_cookie") or secrets.token_urlsafe(18)
    signed: Any = _serializer().dumps([g.form_cookie, access.user()])
    return str(signed)


def set_cookie(response: Response, name: str, value: str, lasts_s: int | None = None) -> None:
    """Set a cookie that no script and no other site gets to see."""
    is_secure = (this_site().settings.public_url or "").startswith("https://")
    response.set_cookie(
        name,
        value,
        max_age=lasts_s,
        httponly=True,
        secure=is_secure,
        samesite="Strict",
        path=request.script_root or "/",
    )


def _check() -> None:
    if request.method in _SAFE:
        return
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"} or not _is_own_origin():
        raise Forbidden("This form was sent from another page.")
    # The API takes nothing but JSON, and says so itself.
    is_simple = request.method == "POST" and request.mimetype in _SENT_BY_ANY_PAGE
    if not is_simple or request.path.startswith("/api/"):
        return
    try:
        cookie, name = _serializer().loads(request.form.get(FIELD, ""), max_age=_LASTS_S)
    except (BadSignature, ValueError, TypeError):
        raise Forbidden(_STALE) from None
    sent = request.cookies.get(_COOKIE, "")
    if not hmac.compare_digest(str(cookie).encode(), sent.encode()) or name != access.user():
        raise Forbidden(_STALE)


def _is_own_origin() -> bool:
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    public = urlsplit(this_site().settings.public_url or "").netloc
    return urlsplit(origin).netloc in {request.host, public} - {""}


def _keep_cookie(response: Response) -> Response:
    cookie = g.get("form_cookie")
    if cookie and request.cookies.get(_COOKIE) != cookie:
        set_cookie(response, _COOKIE, cookie)
    return response


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(this_site().secret(), salt="form")
