"""Style, script and icon: read once, named by what they hold, so that a browser may keep each for ever."""

from __future__ import annotations

import hashlib
import mimetypes
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from flask import Response, url_for
from werkzeug.exceptions import NotFound

from graphitepager.web.access import public

if TYPE_CHECKING:
    from flask import Flask

_FOLDER = Path(__file__).parent / "static"
_FOR_EVER = "public, max-age=31536000, immutable"


class _Asset(NamedTuple):
    content: bytes
    type: str
    digest: str


def install(app: Flask) -> None:
    """Serve them, and give every template `asset(name)`, the address of one."""
    assets = {path.name: _read(path) for path in sorted(_FOLDER.iterdir()) if path.is_file()}

    def address(name: str) -> str:
        return url_for("asset", digest=assets[name].digest, name=name)

    @app.get("/static/<digest>/<name>")
    @public
    def asset(digest: str, name: str) -> Response:
        found = assets.get(name)
        if found is None or found.digest != digest:
            raise NotFound
        return Response(found.content, content_type=found.type, headers={"Cache-Control": _FOR_EVER})

    app.jinja_env.globals["asset"] = address


def _read(path: Path) -> _Asset:
    content = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if kind.startswith("text/") or kind.endswith("+xml"):
        kind += "; charset=utf-8"
    return _Asset(content, kind, hashlib.sha256(content).hexdigest()[:16])
