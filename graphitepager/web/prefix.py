"""The folder of PUBLIC_URL: where the pages are at https://ops.example.com/pager, their links say so."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


def below(public_url: str | None, app: WSGIApplication) -> WSGIApplication:
    """Serve the application in that folder, whether a proxy takes it off the path or leaves it there."""
    folder = urlsplit(public_url or "").path.rstrip("/")
    if not folder:
        return app

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        environ["SCRIPT_NAME"] = folder
        if path == folder or path.startswith(f"{folder}/"):
            environ["PATH_INFO"] = path[len(folder) :] or "/"
        return app(environ, start_response)

    return serve
