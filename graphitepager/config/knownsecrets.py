"""The secrets that a file and the environment hold: no message may show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphitepager.config.notifying import PLAIN_KEYS
from graphitepager.redaction import is_secret_name, secret_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from graphitepager.config.expansion import Expanded
    from graphitepager.config.inputs import Inputs
    from graphitepager.config.yamlsource import Data

# Nothing in its name says so, but whoever knows it can keep the watch over this watcher quiet.
_SECRET_URLS = frozenset({"heartbeat_ping_url"})

# Masked, a notifier's name or a duration would be missing from messages about something else.
_NO_SECRETS = PLAIN_KEYS | {"timeout"}


def known_secrets(inputs: Inputs, expanded: Expanded | None, borrowed: Iterable[str] = ()) -> frozenset[str]:
    """Those of the environment, of every file as it was written, and of the alerts that were made of that.

    `borrowed` are the values that the file has from the environment by `${…}`.
    """
    said = (*expanded.written, expanded.document.data) if expanded else ()
    return secret_words(borrowed).union(_secrets(inputs.variables), *map(_secrets, said))


def _secrets(data: Mapping[str, Data]) -> frozenset[str]:
    """The words of every value under a secret-looking key, at the top, by default or in an alert, and of notifiers."""
    alerts, notifiers = data.get("alerts"), data.get("notifiers")
    parts = [data.get("defaults"), *(alerts if isinstance(alerts, list) else ())]
    sections = [data, *(part for part in parts if isinstance(part, dict))]
    values: list[Data] = []
    for section in sections:
        for key, value in section.items():
            if is_secret_name(key) or key in _SECRET_URLS:
                values += value if isinstance(value, list) else value.values() if isinstance(value, dict) else [value]
    for notifier in notifiers.values() if isinstance(notifiers, dict) else [notifiers]:
        # A key of it may be misspelt, or missing altogether.
        keys = notifier.items() if isinstance(notifier, dict) else [("", notifier)]
        values += [value for key, value in keys if key not in _NO_SECRETS]
    return secret_words(value for value in values if isinstance(value, str))
