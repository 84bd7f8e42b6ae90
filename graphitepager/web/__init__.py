"""The status page: Flask, rendered on the server, from what the database holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask

from graphitepager.web import (
    access,
    alerts,
    api,
    assets,
    badge,
    charts,
    feed,
    forms,
    front,
    headers,
    health,
    history,
    metrics,
    mistakes,
    pictures,
    shown,
    silencing,
)
from graphitepager.web.prefix import below

if TYPE_CHECKING:
    from graphitepager.web.site import Site

# Nothing that anybody has to send us is larger.
LARGEST_BODY_BYTES = 64 * 1024

# Where a new page is added: the module that has its blueprint.
_BLUEPRINTS = (
    front.pages,
    alerts.pages,
    charts.pages,
    history.pages,
    silencing.pages,
    pictures.pages,
    api.pages,
    feed.pages,
    badge.pages,
    health.pages,
    metrics.pages,
)

# What stands at the top of every page: the endpoint, and what it is called.
_PLACES = (("front.page", "Status"), ("silencing.page", "Silences"), ("history.page", "History"))


def create_app(site: Site) -> Flask:
    """Return the pages of this site as a WSGI application."""
    app = Flask(__name__, static_folder=None)
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_BODY_BYTES,
        MAX_FORM_MEMORY_SIZE=LARGEST_BODY_BYTES,
        MAX_FORM_PARTS=100,
        PROPAGATE_EXCEPTIONS=False,
    )
    app.extensions["site"] = site
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    mistakes.install(app)
    headers.install(app)
    access.install(app)  # before the forms: who is not let in learns nothing of them
    forms.install(app)
    assets.install(app)
    shown.install(app)
    for blueprint in _BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.jinja_env.globals["places"] = [place for place in _PLACES if place[0] in app.view_functions]
    app.wsgi_app = below(site.settings.public_url, app.wsgi_app)  # type: ignore[assignment, method-assign]
    return app
