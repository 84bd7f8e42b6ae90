"""What a configuration is made from: the file and the variables, and where in them each value stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphitepager.problems import ENVIRONMENT, Problem, quote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphitepager.config.yamlsource import Data, Document, Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What was given: the file (no document where it is no YAML), and the variables that are set, in lower case."""

    source: str
    document: Document | None
    variables: Mapping[str, str]

    @property
    def data(self) -> dict[str, Data]:
        return {**(self.document.data if self.document else {}), **self.variables}

    def at(self, path: Path) -> Data:
        """The value there, None where there is none."""
        value: Data = self.data
        for step in path:
            if isinstance(value, dict) and isinstance(step, str):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
            elif step == 0 and not isinstance(value, list):
                continue  # a single item, written without its list
            else:
                return None
        return value

    def line(self, path: Path) -> int:
        return self.document.place(path).line if self.document else 1

    def line_in_words(self, path: Path) -> str:
        """`line 7`, or `line 7 of alerts.d/web.yml`."""
        source = self.document.place(path).source if self.document else self.source
        return f"line {self.line(path)}" + (f" of {source}" if source != self.source else "")

    def label(self, path: Path) -> str:
        """What a message calls the path: `HEARTBEAT_SECONDS`, `pagerduty.warning`, `alert 'Load', critical`."""
        if path[0] in self.variables:
            return str(path[0]).upper()
        match path:
            case ("alerts", index, *keys):
                name = self.at(("alerts", index, "name"))
                alert = f"alert {quote(name)}" if isinstance(name, str) else "an alert without a name"
            case _:
                alert, keys = "", list(path)
        key = ".".join(step for step in keys if isinstance(step, str))
        # Never the key alone: `warning: expected a number` would look like a warning.
        return ", ".join(part for part in (alert, key) if part)

    def problem(
        self, path: Path, message: str, hint: str | None = None, *, is_error: bool = True, at_key: bool = False
    ) -> Problem:
        """A problem with the value at the path (or with its key), wherever that value came from."""
        if path[0] in self.variables:
            return Problem(source=ENVIRONMENT, message=message, hint=hint, is_error=is_error)
        if self.document is None or path[0] not in self.document.data:
            return Problem(source=self.source, message=message, hint=hint, is_error=is_error)
        line, column, source = self.document.key_place(path) if at_key else self.document.place(path)
        return Problem(source=source, line=line, column=column, message=message, hint=hint, is_error=is_error)

    @property
    def alerts(self) -> range:
        """The indices of the alerts, whatever is wrong with them."""
        alerts = self.at(("alerts",))
        return range(len(alerts)) if isinstance(alerts, list) else range(0)
