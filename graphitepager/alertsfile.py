"""alerts.yml while the program runs: what was last good of it, and what is wrong with it now."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from graphitepager import telemetry
from graphitepager.errors import ConfigError, PagerError
from graphitepager.records import KeptConfig
from graphitepager.telemetry import log

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphitepager.rules import Config

# Editors write in pieces: a change counts once it has stayed as it is for so long.
SETTLED_AFTER_S = 0.6


class _Look(NamedTuple):
    """What the file holds, or why it cannot be read."""

    text: str
    error: str | None = None


class AlertsFile:
    """The file at `path`. `read` returns its text, `load` makes a configuration of a text and its source's name.

    Both raise PagerError. The text is that of the file and of those that it includes. `config` is the last good one,
    `kept` its text, and `trouble` what is wrong with the file as it is now.
    """

    def __init__(
        self,
        path: str,
        *,
        read: Callable[[], str],
        load: Callable[[str, str], Config],
        last_good: Callable[[], KeptConfig | None] = lambda: None,
    ) -> None:
        """Load it, or where it is no good the one that was; raises PagerError when there is none either."""
        self._path = path
        self._read = read
        self._load = load
        self._seen = self._look()
        self.trouble: str | None = None
        try:
            self.config, self.kept = self._use(self._seen)
        except PagerError as error:
            self.config, self.kept = self._instead(last_good(), error)
            self._reject(error, "the last good configuration, which the database keeps, runs instead")

    def has_changed(self) -> bool:
        """Whether it holds something else than at the last look that counted."""
        return self._look() != self._seen

    def reload(self, settled: Callable[[], bool] = lambda: True) -> bool:
        """Load it as it is now, if it is `settled`; tell whether `config` is another one."""
        look = self._look()
        if not settled() or self._look() != look:
            return False
        self._seen = look
        try:
            self.config, self.kept = self._use(look)
        except PagerError as error:
            self._reject(error, "the running configuration goes on")
            return False
        self.trouble = None
        log.info("config_loaded", alerts=len(self.config.alerts))
        return True

    def _look(self) -> _Look:
        try:
            return _Look(self._read())
        except PagerError as error:
            return _Look("", str(error))

    def _use(self, look: _Look) -> tuple[Config, KeptConfig]:
        if look.error is not None:
            raise PagerError(look.error)
        try:
            return self._load(look.text, self._path), KeptConfig(self._path, look.text)
        except PagerError:
            raise
        except Exception as error:  # a bug that a file brings out must not end the paging
            raise PagerError(f"{self._path}: internal error, please report it: {type(error).__name__}") from error

    def _instead(self, kept: KeptConfig | None, error: PagerError) -> tuple[Config, KeptConfig]:
        if kept is None:
            raise error
        try:
            return self._load(kept.text, kept.source), kept
        except PagerError:  # then it is the environment that is wrong
            raise error from None

    def _reject(self, error: PagerError, kept_because: str) -> None:
        for reason in _reasons(error):
            log.error("config_rejected", problem=reason)
        log.error("config_kept", reason=kept_because)
        self.trouble = telemetry.scrub(_summary(error))


def _reasons(error: PagerError) -> list[str]:
    return [one.headline for one in error.problems] if isinstance(error, ConfigError) else [str(error)]


def _summary(error: PagerError) -> str:
    """`alerts.yml:7:15: …, and 2 more`: the first that is more than a warning."""
    if not isinstance(error, ConfigError):
        return str(error)
    first, *others = [one.headline for one in error.problems if one.is_error]
    return f"{first}, and {len(others)} more" if others else first
