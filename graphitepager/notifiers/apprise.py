"""Hand a message to apprise, which reaches more than a hundred services. It comes with the extra `[apprise]`.

It runs as a program of its own: it has neither a time limit nor a way to be stopped, and logs what it likes.
https://github.com/caronc/apprise
"""

from __future__ import annotations

import importlib.util
import json
import logging
import re
import sys
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from graphitepager.config.fields import Secret, refuse
from graphitepager.config.notifying import NotifierKeys
from graphitepager.errors import SendError
from graphitepager.model import EventKind
from graphitepager.notifiers import Kind
from graphitepager.notifiers.programs import PLAIN_VARIABLES, run
from graphitepager.printable import encodable
from graphitepager.rules import Level

if TYPE_CHECKING:
    from graphitepager.model import Message
    from graphitepager.rules import Settings

_DEADLINE_S = 11.0
# Unlike a command of the user's, this is ours to let through a proxy and to trust a company's own certificates.
_VARIABLES = PLAIN_VARIABLES | {
    "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "PYTHONPATH",
}  # fmt: skip
_REFUSED, _NO_SERVICE, _NOT_INSTALLED = 1, 3, 4
_TYPES = {Level.CRITICAL: "failure", Level.NO_DATA: "failure", Level.WARNING: "warning", Level.OK: "success"}


def _url(value: str) -> str:
    """Never quotes what it was given: these URLs hold keys and passwords."""
    if not re.fullmatch(r"[a-z][a-z0-9+.-]*://\S+", value.strip(), re.IGNORECASE):
        raise refuse("expected a URL of apprise, such as ntfy://topic", "https://appriseit.com/services lists them")
    return value.strip()


class Keys(NotifierKeys):
    """Anything that apprise reaches, by its URL."""

    url: Annotated[Secret, AfterValidator(_url)] = Field(
        description="Apprise's own URL of the service; secret as a whole.", examples=["ntfy://…"]
    )

    @model_validator(mode="after")
    def _find_apprise(self) -> Keys:
        if importlib.util.find_spec("apprise") is None:
            raise refuse("apprise is not installed", "pip install 'graphite-pager[apprise]'")
        return self

    def address(self) -> str:
        return self.url


def from_settings(_settings: Settings) -> Apprise:
    """Make the notifier; its address says everything."""
    return Apprise()


KIND = Kind(keys=Keys, make=from_settings, rate_per_minute=20)


class Apprise:
    """Has apprise send to its URL, which is the address, from a process that ends within `deadline_s`."""

    def __init__(self, deadline_s: float = _DEADLINE_S) -> None:
        self._deadline_s = deadline_s

    def send(self, message: Message, address: str) -> str:
        level = Level.OK if message.kind is EventKind.RESOLVED else message.level
        order = {"url": address, "title": message.summary, "body": _text(message), "type": _TYPES[level]}
        try:
            argv = [sys.executable, "-m", __name__]
            code, _ = run(argv, json.dumps(order).encode(), self._deadline_s, _VARIABLES)
        except TimeoutError:
            raise SendError(f"apprise was stopped after {self._deadline_s:g} s") from None
        if code == 0:
            return "accepted, says apprise"
        if code == _NO_SERVICE:
            raise SendError("apprise knows no such service, or finds its URL wrong: check the url", permanent=True)
        if code == _NOT_INSTALLED:
            raise SendError("apprise is not installed: pip install 'graphite-pager[apprise]'", permanent=True)
        # It says no more than that: whether another attempt can do better is unknown.
        raise SendError(f"apprise could not deliver it (exit code {code}); it does not say why")


def _text(message: Message) -> str:
    lines = [f"{name}: {value}" for name, value in message.details.items() if value is not None]
    lines += [f"{link.text}: {link.href}" for link in message.links]
    return encodable("\n".join(lines))


def main() -> int:
    """What the process of its own does: one order on standard input, an exit code back."""
    order: dict[str, Any] = json.load(sys.stdin)
    logging.disable()  # its lines quote the URL
    try:
        import apprise  # noqa: PLC0415 - an extra, and wanted by this process only
    except ImportError:
        return _NOT_INSTALLED
    service = apprise.Apprise()
    if not service.add(order["url"]):
        return _NO_SERVICE
    is_sent = service.notify(title=order["title"], body=order["body"], notify_type=order["type"], body_format="text")
    return 0 if is_sent else _REFUSED


if __name__ == "__main__":
    sys.exit(main())
