"""What goes wrong, as a page that says what and what to do: never a traceback, never a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, make_response, render_template, request
from werkzeug.exceptions import HTTPException, InternalServerError, NotFound, RequestEntityTooLarge, ServiceUnavailable

from graphitepager.errors import StoreError, describe_bug
from graphitepager.telemetry import log, scrub
from graphitepager.web.api import problems

if TYPE_CHECKING:
    from flask import Flask

_API = "/api/"
_RETRY_AFTER_S = 10
_WORDS: dict[type[HTTPException], str] = {
    NotFound: "There is no such page.",
    RequestEntityTooLarge: "That is more than this page takes.",
}


def install(app: Flask) -> None:
    """Answer every error with a page."""
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(StoreError, _without_database)
    app.register_error_handler(Exception, _bug)


def _refused(error: HTTPException) -> Response:
    if error.response is not None and not _is_for_programs():
        return make_response(error.response)
    return _page(error, _WORDS.get(type(error)) or error.description or error.name)


def _without_database(error: StoreError) -> Response:
    log.warning("page_without_database", path=request.path, reason=str(error))
    is_renewed = request.method == "GET" and not _is_for_programs()
    response = _page(
        ServiceUnavailable(),
        str(error),
        title="The pager's database cannot be read",
        again_s=_RETRY_AFTER_S if is_renewed else None,
    )
    response.headers["Retry-After"] = str(_RETRY_AFTER_S)
    if is_renewed:  # who watches a page that could be renewed until now sees the pager come back
        response.headers["Refresh"] = str(_RETRY_AFTER_S)
    return response


def _bug(error: Exception) -> Response:
    log.error("page_failed", path=request.path, reason=describe_bug(error))
    return _page(InternalServerError(), "This is a mistake of graphite-pager. Its log says more.")


def _is_for_programs() -> bool:
    return request.path.startswith(_API)


def _page(error: HTTPException, text: str, title: str | None = None, again_s: int | None = None) -> Response:
    """For programs as JSON, for people as a page, which needs neither the database nor anything else that may fail."""
    code, title, text = error.code or 500, title or error.name, scrub(text)
    if _is_for_programs():
        response = problems.response(code, text)
    else:
        response = make_response(render_template("mistake.html", title=title, text=text, code=code, again_s=again_s))
    response.status_code = code
    given = error.get_headers() if error.response is None else make_response(error.response).headers.items()
    for name, value in given:
        if name.lower() not in {"content-type", "content-length"}:
            response.headers[name] = value
    return response
