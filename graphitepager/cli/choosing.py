"""Which alerts the user means, by their names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from graphitepager.config.fields import did_you_mean
from graphitepager.errors import PagerError
from graphitepager.problems import quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphitepager.rules import Config


def narrowed(config: Config, names: Sequence[str]) -> Config:
    """The configuration with these alerts only; all of them where none is named. PagerError where there is no such."""
    known = {alert.name for alert in config.alerts}
    for name in names:
        if name.strip() not in known:
            raise unknown_alert(name, known)
    chosen = {name.strip() for name in names}
    return replace(config, alerts=tuple(one for one in config.alerts if not chosen or one.name in chosen))


def unknown_alert(name: str, known: set[str]) -> PagerError:
    """That no alert has this name, and which one may be meant."""
    hint = did_you_mean(name, known)
    return PagerError(f"no alert is called {quote(name)}" + (f" ({hint})" if hint else ""))
