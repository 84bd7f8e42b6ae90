"""The pages in the pager's own process: waitress, in a thread that nothing waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from waitress.server import create_server

from graphitepager.errors import describe_bug
from graphitepager.telemetry import log

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from wsgiref.types import WSGIApplication

    from graphitepager.websettings import Address

_THREADS = 2  # polling goes first
_RETRY_S = 15.0
_LONGEST_SILENCE_S = 20
_LARGEST_HEAD_BYTES = 16 * 1024


def serve(make: Callable[[], WSGIApplication], address: Address, stop: threading.Event) -> None:
    """Serve what `make` makes at this address until `stop`, whatever goes wrong with it."""
    while not stop.is_set():
        try:
            _serve(make(), address)
        except OSError as error:  # the port is taken, perhaps by the process that this one replaces
            log.error("web_not_served", address=str(address), reason=error.strerror)
        except Exception as error:  # noqa: BLE001 - whatever it is, it may be over in a while
            log.error("web_failed", reason=describe_bug(error))
        stop.wait(_RETRY_S)


def _serve(app: WSGIApplication, address: Address) -> None:
    server = create_server(
        app,
        host=address.host,
        port=address.port,
        threads=_THREADS,
        connection_limit=50,
        channel_timeout=_LONGEST_SILENCE_S,
        max_request_header_size=_LARGEST_HEAD_BYTES,
        ident=None,
        clear_untrusted_proxy_headers=False,  # we believe only those of WEB_PROXIES
    )
    log.info("web_served", address=str(address))
    server.run()
